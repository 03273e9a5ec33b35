"""The Analytics Reports API of App Store Connect 4.5.1, one method per call.

An error is classified by its HTTP status and the prefix of its `code`, as Apple documents; titles and details are only
quoted. POST and DELETE are never repeated here, because the caller has to look first; except with a fresh token after a
401, which means that nothing was done.

A list that cannot be followed to its end is refused as a whole; an impossible entry of instances is refused alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from time import monotonic
from typing import Any, NoReturn, Protocol
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError

from appstore_analytics.apple.bounded_json import UnreasonableJsonError, read_json
from appstore_analytics.apple.entries import (
    RELEASED_STATES,
    Conflict,
    Instances,
    Report,
    ReportRequest,
    Segment,
    each_once,
    printable,
    read_app,
    read_instances,
    read_report,
    read_report_request,
    read_segment,
    read_version,
)
from appstore_analytics.apple.keys import Tokens
from appstore_analytics.apple.rate_limit import RateLimit
from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.contract.errors import AppleRefused, AppleUnavailable, NotFound, RoleMissing
from appstore_analytics.model.releases import StoreVersion

_TIMEOUT_SECONDS = (5, 30)  # to connect, and between any two pieces of the answer
_LONGEST_ANSWER_SECONDS = sum(_TIMEOUT_SECONDS)
"""The limit for one answer, from the call to its last byte: a slow stream must not use up a function's time."""
LONGEST_CALL_SECONDS = _LONGEST_ANSWER_SECONDS + _TIMEOUT_SECONDS[1]
"""The longest time until a call has answered or failed: the clock is read between any two pieces."""
PAGE_LIMIT = 200
"""The apps, requests, reports or instances of one page, each of which is a call."""

_MOST_PAGES = 100
"""20,000 apps or segments: an endless list must not use up the key's quota."""
_MOST_PAGES_OF_AN_APP = 5
"""1,000 requests, reports, instances or versions; Apple offers about 156 reports, and lists an instance for 35 days."""
_LONGEST_ANSWER_BYTES = 8 << 20
_USUAL_PORTS = {"https": 443, "http": 80}
_FOR_A_MOMENT = (408, 421, 425)
"""Statuses below 500 that say nothing about the call itself: it came too slowly, to the wrong machine, or too early."""
_CHUNK_BYTES = 1 << 16


class Calls(Protocol):
    """The account's call budget, as the client needs it."""

    def take(self) -> None:
        """Use one call, or raise CallsUnavailable before it is made."""

    def answered(self, limit: RateLimit) -> None:
        """Learn from an answer's headers."""

    def refused(self, limit: RateLimit) -> NoReturn:
        """Learn from a 429: always raises CallsUnavailable."""

    def rejected(self, code: str) -> NoReturn:
        """Learn from a 401 to a fresh token: always raises KeyDoubted or KeyRejected."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """A complete answer of App Store Connect, limited to a size that fits into memory."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """The body's JSON; ValueError if it is not JSON, or beyond the limits of bounded_json."""
        return read_json(self.body)


class AppStoreConnect:
    """App Store Connect with one API key.

    Answers are checked here, once: an id that this class returns is safe in a key and in a URL.
    """

    def __init__(self, session: requests.Session, base_url: str, tokens: Tokens, calls: Calls) -> None:
        self._session = session
        self._base_url = base_url.rstrip("/") + "/"
        self._tokens = tokens
        self._calls = calls

    def app_names(self, app_ids: Sequence[str] = ()) -> dict[str, str]:
        """The names of all apps that the key sees, or of these, by id; a name can be empty.

        NotFound if the server has no such list: it is probably not App Store Connect.
        """
        query = {"limit": PAGE_LIMIT, "fields[apps]": "name"}
        starts = range(0, len(app_ids), PAGE_LIMIT)
        filters = [{"filter[id]": ",".join(app_ids[start : start + PAGE_LIMIT])} for start in starts] or [{}]
        try:
            return dict(read_app(data) for some in filters for data in self._pages("v1/apps", query | some))
        except NotFound as unknown:
            raise NotFound(
                f"{unknown} The URL was {self._base_url}v1/apps: if that is not App Store Connect, correct "
                "apple_base_url in cdk.json and deploy again; otherwise Apple has an outage: the next run asks again."
            ) from None

    def report_requests(self, app_id: str, access_type: AccessType) -> tuple[ReportRequest, ...]:
        """The report requests of an app; Apple lists them only through the app.

        NotFound if Apple does not know the app.
        """
        query = {"filter[accessType]": access_type, "limit": PAGE_LIMIT}
        pages = self._pages(f"v1/apps/{app_id}/analyticsReportRequests", query, _MOST_PAGES_OF_AN_APP)
        try:
            found = each_once(read_report_request(data) for data in pages)
        except NotFound:
            raise NotFound(
                f"Apple does not know app {app_id}: remove it from accounts in cdk.json if it was mistyped or deleted, "
                "or name it in the account that it moved to. If Apple lists it again, the next run continues with it."
            ) from None
        return tuple(request for request in found if request.access_type is access_type)

    def create_report_request(self, app_id: str, access_type: AccessType) -> ReportRequest | Conflict:
        """A new report request, or Apple's 409, usually because one of this access type exists already."""
        body = {
            "data": {
                "type": "analyticsReportRequests",
                "attributes": {"accessType": access_type},
                "relationships": {"app": {"data": {"type": "apps", "id": app_id}}},
            }
        }
        answer = self._call("POST", urljoin(self._base_url, "v1/analyticsReportRequests"), body=body)
        if answer.status == requests.codes.conflict:
            return Conflict(_error_code(answer))
        return read_report_request(_body(answer, dict)["data"])

    def delete_report_request(self, request_id: str) -> None:
        """Delete a report request; also succeeds if it is already gone."""
        try:
            self._call("DELETE", urljoin(self._base_url, f"v1/analyticsReportRequests/{request_id}"))
        except NotFound:
            return

    def reports(self, request_id: str) -> tuple[Report, ...]:
        """The reports that a request offers, without repetitions. Empty until Apple has prepared them."""
        path = f"v1/analyticsReportRequests/{request_id}/reports"
        pages = self._pages(path, {"limit": PAGE_LIMIT}, _MOST_PAGES_OF_AN_APP)
        return each_once(map(read_report, pages))

    def instances(self, report_id: str, granularity: Granularity, latest: date) -> Instances:
        """The instances of a report, in any order, without repetitions.

        An entry is refused if its processing date is not a day in Apple's format or is after `latest`, or if its id is
        listed twice with different attributes.
        """
        query = {"filter[granularity]": granularity, "limit": PAGE_LIMIT}
        pages = self._pages(f"v1/analyticsReports/{report_id}/instances", query, _MOST_PAGES_OF_AN_APP)
        return read_instances(pages, granularity, latest)

    def segments(self, instance_id: str) -> tuple[Segment, ...]:
        """The segments of an instance, without repetitions; NotFound if it has expired but Apple still lists it."""
        pages = self._pages(f"v1/analyticsReportInstances/{instance_id}/segments", {"limit": PAGE_LIMIT})
        return each_once(read_segment(data) for data in pages)

    def versions(self, app_id: str) -> tuple[StoreVersion, ...]:
        """The versions of an app that are or were on the App Store, each once, of all platforms, in no promised order.

        RoleMissing if the key is not allowed to see them.
        """
        query = {
            "filter[appVersionState]": ",".join(RELEASED_STATES),
            "fields[appStoreVersions]": "platform,versionString,appVersionState",
            "limit": PAGE_LIMIT,
        }
        pages = self._pages(f"v1/apps/{app_id}/appStoreVersions", query, _MOST_PAGES_OF_AN_APP)
        return each_once(map(read_version, pages))

    def list_one_user(self) -> None:
        """Request one user of the team, which only Admin and a few other roles can do; RoleMissing if Apple refuses.

        Source: "List Users", App Store Connect API. It is the only harmless call that distinguishes Admin from Finance
        or Sales.
        """
        self._call("GET", urljoin(self._base_url, "v1/users?limit=1&fields[users]=roles"))

    def _pages(self, path: str, query: dict[str, Any], most: int = _MOST_PAGES) -> Iterator[Any]:
        """The entries of every page.

        AppleRefused if a page links to one already read or to another host, or there is no end.
        """
        url = requests.Request("GET", urljoin(self._base_url, path), params=query).prepare().url or ""
        seen: set[str] = set()
        while url:
            if url in seen:
                raise AppleRefused(f"App Store Connect sent a page of {path} that links to itself.")
            if not self._is_apples(url):
                raise AppleRefused(f"App Store Connect sent a page of {path} that links to another host.")
            if len(seen) == most:
                raise AppleRefused(f"App Store Connect sent more than {most} pages of {path}.")
            seen.add(url)
            body = _body(self._call("GET", url), list)
            yield from body["data"]
            url = _next(body, url)

    def _is_apples(self, url: str) -> bool:
        try:
            return _origin(url) == _origin(self._base_url)
        except ValueError:  # a port that is not a number
            return False

    def _call(self, method: str, url: str, body: dict[str, Any] | None = None) -> _Answer:
        answer = self._send(method, url, body)
        if answer.status == requests.codes.unauthorized:
            self._tokens.forget()  # once: the token can have expired, or the key been rotated
            answer = self._send(method, url, body)
        if answer.status == requests.codes.unauthorized:
            self._calls.rejected(_error_code(answer))
        limit = RateLimit.from_headers(answer.headers)
        if answer.status == requests.codes.too_many_requests:
            self._calls.refused(limit)
        self._calls.answered(limit)
        _raise_for_status(method, answer)
        return answer

    def _send(self, method: str, url: str, body: dict[str, Any] | None) -> _Answer:
        headers = {"Authorization": f"Bearer {self._tokens.bearer()}"}
        self._calls.take()
        ends_at = monotonic() + _LONGEST_ANSWER_SECONDS
        try:
            with self._session.request(
                method, url, json=body, headers=headers, timeout=_TIMEOUT_SECONDS, allow_redirects=False, stream=True
            ) as response:
                return _Answer(response.status_code, response.reason or "", response.headers, _read(response, ends_at))
        except (HTTPError, requests.RequestException) as error:
            raise AppleUnavailable(f"App Store Connect did not answer {method} ({type(error).__name__}).") from None


def _read(response: requests.Response, ends_at: float) -> bytes:
    """The unpacked body; AppleRefused as soon as it is longer than any page of 200 entries."""
    body = bytearray()
    while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
        if monotonic() > ends_at:
            raise AppleUnavailable(f"App Store Connect took longer than {_LONGEST_ANSWER_SECONDS} seconds to answer.")
        body += chunk
        if len(body) > _LONGEST_ANSWER_BYTES:
            raise AppleRefused(f"App Store Connect sent an answer of more than {_LONGEST_ANSWER_BYTES >> 20} MiB.")
    return bytes(body)


def _raise_for_status(method: str, answer: _Answer) -> None:
    """Passes for 2xx and for 409 on POST; otherwise raises the error that says what to do next."""
    status = answer.status
    if requests.codes.ok <= status < requests.codes.multiple_choices:
        return
    if method == "POST" and status == requests.codes.conflict:
        return
    code = _error_code(answer)
    if status >= requests.codes.internal_server_error or status in _FOR_A_MOMENT:
        raise AppleUnavailable(f"App Store Connect answered {status} {code}.")
    if status == requests.codes.forbidden:
        raise RoleMissing(_forbidden_sentence(method, code))
    if status == requests.codes.not_found:
        raise NotFound(f"App Store Connect does not know the requested resource ({code}).")
    raise AppleRefused(f"App Store Connect refused {method} with {status} {code}.")


def _forbidden_sentence(method: str, code: str) -> str:
    """The cause, if Apple's code shows it; all codes except two can mean either cause, even those below
    FORBIDDEN_ERROR."""
    needed = "Admin" if method in ("POST", "DELETE") else "Admin, Finance or Sales and Reports"
    if code.startswith("FORBIDDEN.REQUIRED_AGREEMENTS"):
        return "An agreement is missing or has expired: the account holder must accept it in App Store Connect."
    if code == "FORBIDDEN_ERROR":
        return f"The API key's role does not allow {method} ({code}): use a key with the role {needed}."
    return (
        f"App Store Connect forbids {method} ({code}): either an agreement is missing or has expired, then the account "
        f"holder must accept it in App Store Connect; or the API key needs the role {needed}."
    )


def _error_code(answer: _Answer) -> str:
    """The `code` of the first error in a body, or the reason phrase: at most 80 printable characters."""
    try:
        code = answer.json()["errors"][0]["code"]
    except (ValueError, LookupError, TypeError):
        code = None
    return printable((code if isinstance(code, str) and code else answer.reason)[:80])


def _body(answer: _Answer, data_type: type) -> dict[str, Any]:
    try:
        body = answer.json()
    except UnreasonableJsonError as error:
        raise AppleRefused(f"App Store Connect answered {answer.status} with {error}, which no page has.") from None
    except ValueError:
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("data"), data_type):
        raise AppleUnavailable(f"App Store Connect answered {answer.status} with a body that is not JSON:API.")
    return body


def _next(body: dict[str, Any], url: str) -> str:
    """The URL of the page after the one at `url`, to which it can be relative; empty on the last page."""
    links = body.get("links") or {}
    try:
        following = (links.get("next") or "").strip()
        return urljoin(url, following) if following else ""
    except (AttributeError, ValueError):  # not an object, not text, or "https://["
        raise AppleRefused("App Store Connect sent a page whose links.next is not a URL.") from None


def _origin(url: str) -> tuple[str, str | None, str | None, int | None]:
    """The scheme, user, host and port that a request to this URL uses, with the scheme's usual port by default."""
    parts = urlsplit(url)
    return parts.scheme, parts.username, parts.hostname, parts.port or _USUAL_PORTS.get(parts.scheme)

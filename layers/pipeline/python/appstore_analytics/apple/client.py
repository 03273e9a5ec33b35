"""The Analytics Reports API of App Store Connect 4.4.1, one method per call.

Apple decides by HTTP status and by the prefix of an error's `code`, so this does; titles and details are only quoted.
POST and DELETE are never repeated here, because whoever called decides after looking; except with a fresh token after a
401, which says that nothing was done.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from time import monotonic
from types import NoneType
from typing import Any, NoReturn, Protocol, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError

from appstore_analytics.apple.keys import Tokens
from appstore_analytics.apple.rate_limit import RateLimit
from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.errors import AppleRefused, AppleUnavailable, NotFound, RoleMissing
from appstore_analytics.contract.layout import is_app_id, safe_id
from appstore_analytics.contract.messages import AccessType

_TIMEOUT_SECONDS = (5, 30)  # to connect, for each piece that arrives
_LONGEST_ANSWER_SECONDS = sum(_TIMEOUT_SECONDS)
"""Of one answer, from the call to its last byte: one that drips must not use up a function's time."""
LONGEST_CALL_SECONDS = _LONGEST_ANSWER_SECONDS + _TIMEOUT_SECONDS[1]
"""After so long a call has answered or failed: the clock is read between any two pieces."""
_PAGE_LIMIT = 200
_SHOWN_CHARACTERS = 40
_MOST_PAGES = 100
"""20,000 entries, more than any account has of anything: a list that never ends must not use up the key's quota."""
_LONGEST_ANSWER_BYTES = 8 << 20
_CHUNK_BYTES = 1 << 16
_MD5 = re.compile(r"[0-9A-Fa-f]{32}")


class Calls(Protocol):
    """The account's call budget, as the client needs it."""

    def take(self) -> None:
        """Spend one call, or raise CallsUnavailable before it is made."""

    def answered(self, limit: RateLimit) -> None:
        """Learn from an answer's headers."""

    def refused(self, limit: RateLimit) -> NoReturn:
        """Learn from a 429: always raises CallsUnavailable."""

    def rejected(self, code: str) -> NoReturn:
        """Learn from a 401 to a fresh token: always raises KeyDoubted or KeyRejected."""


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """A standing order for an app's reports. Apple tells neither its age nor whether it is ready."""

    id: str
    access_type: AccessType
    is_stopped: bool


@dataclass(frozen=True, slots=True)
class Instance:
    """What Apple built of one report on one processing date."""

    id: str
    granularity: Granularity
    processing_date: date


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of an instance. The URL is a credential for five minutes: it is never shown, logged or stored."""

    id: str
    url: str = field(repr=False, compare=False)
    checksum: str | None
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class _Answer:
    """What App Store Connect answered, in full: whatever it sends fits into memory."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """The body's JSON; ValueError when it is none, or none that anybody would send."""
        try:
            return json.loads(self.body)
        except RecursionError:
            raise ValueError("nested too deeply") from None


_Listed = TypeVar("_Listed", ReportRequest, Instance, Segment)
_Value = TypeVar("_Value")


class AppStoreConnect:
    """App Store Connect, as one API key sees it.

    What it sends is checked here, once: an id that comes out of this class may stand in a key and in an address.
    """

    def __init__(self, session: requests.Session, base_url: str, tokens: Tokens, calls: Calls) -> None:
        self._session = session
        self._base_url = base_url.rstrip("/") + "/"
        self._tokens = tokens
        self._calls = calls

    def app_ids(self) -> tuple[str, ...]:
        """The ids of all apps that the key sees."""
        pages = self._pages("v1/apps", {"limit": _PAGE_LIMIT, "fields[apps]": "bundleId"})
        return tuple(dict.fromkeys(_app_id(data["id"]) for data in pages))

    def report_requests(self, app_id: str, access_type: AccessType) -> tuple[ReportRequest, ...]:
        """The report requests of an app; there is no way to list them but through the app."""
        query = {"filter[accessType]": access_type, "limit": _PAGE_LIMIT}
        found = (_report_request(data) for data in self._pages(f"v1/apps/{app_id}/analyticsReportRequests", query))
        return tuple(request for request in _each_once(found) if request.access_type is access_type)

    def create_report_request(self, app_id: str, access_type: AccessType) -> ReportRequest | None:
        """A new report request, or None when Apple answers 409: one of this access type exists already."""
        body = {
            "data": {
                "type": "analyticsReportRequests",
                "attributes": {"accessType": access_type},
                "relationships": {"app": {"data": {"type": "apps", "id": app_id}}},
            }
        }
        answer = self._call("POST", urljoin(self._base_url, "v1/analyticsReportRequests"), body=body)
        if answer.status == requests.codes.conflict:
            return None
        return _report_request(_entry(_body(answer, dict)["data"]))

    def delete_report_request(self, request_id: str) -> None:
        """Delete a report request; one that is gone already is success."""
        try:
            self._call("DELETE", urljoin(self._base_url, f"v1/analyticsReportRequests/{request_id}"))
        except NotFound:
            return

    def report_ids(self, request_id: str) -> dict[str, str]:
        """The reports of a request, by Apple's name. Empty until Apple has prepared them."""
        pages = self._pages(f"v1/analyticsReportRequests/{request_id}/reports", {"limit": _PAGE_LIMIT})
        return {_attribute(data, "name", _exactly(str)): safe_id(data["id"], "report id") for data in pages}

    def instances(self, report_id: str, granularity: Granularity) -> tuple[Instance, ...]:
        """The instances of a report, in no promised order, each once."""
        query = {"filter[granularity]": granularity, "limit": _PAGE_LIMIT}
        found = (_instance(data) for data in self._pages(f"v1/analyticsReports/{report_id}/instances", query))
        return tuple(instance for instance in _each_once(found) if instance.granularity is granularity)

    def segments(self, instance_id: str) -> tuple[Segment, ...]:
        """The segments of an instance, each once; NotFound when it has expired, although Apple may still list it."""
        pages = self._pages(f"v1/analyticsReportInstances/{instance_id}/segments", {"limit": _PAGE_LIMIT})
        return _each_once(_segment(data) for data in pages)

    def _pages(self, path: str, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The `data` of every page, each entry with an id.

        AppleRefused when a page leads back to one already read, to another host, or on without end.
        """
        url = requests.Request("GET", urljoin(self._base_url, path), params=query).prepare().url or ""
        seen: set[str] = set()
        while url:
            if url in seen:
                raise AppleRefused(f"App Store Connect sent a page of {path} that links to itself.")
            if not self._is_apples(url):
                raise AppleRefused(f"App Store Connect sent a page of {path} that links to another host.")
            if len(seen) == _MOST_PAGES:
                raise AppleRefused(f"App Store Connect sent more than {_MOST_PAGES} pages of {path}.")
            seen.add(url)
            body = _body(self._call("GET", url), list)
            yield from map(_entry, body["data"])
            url = _next(body)

    def _is_apples(self, url: str) -> bool:
        try:
            return urlsplit(url)[:2] == urlsplit(self._base_url)[:2]
        except ValueError:  # "https://[": no address at all
            return False

    def _call(self, method: str, url: str, body: dict[str, Any] | None = None) -> _Answer:
        answer = self._send(method, url, body)
        if answer.status == requests.codes.unauthorized:
            self._tokens.forget()  # once: the token may have ended on the way, or the key been rotated
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
    """The body, unpacked; AppleRefused as soon as it is longer than any page of 200."""
    body = bytearray()
    while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
        if monotonic() > ends_at:
            raise AppleUnavailable(f"App Store Connect took longer than {_LONGEST_ANSWER_SECONDS} seconds to answer.")
        body += chunk
        if len(body) > _LONGEST_ANSWER_BYTES:
            raise AppleRefused(f"App Store Connect sent an answer of more than {_LONGEST_ANSWER_BYTES >> 20} MiB.")
    return bytes(body)


def _raise_for_status(method: str, answer: _Answer) -> None:
    """Nothing for 2xx and for 409 on POST; else the error that says what to do next."""
    status = answer.status
    if requests.codes.ok <= status < requests.codes.multiple_choices:
        return
    if method == "POST" and status == requests.codes.conflict:
        return
    code = _error_code(answer)
    if status >= requests.codes.internal_server_error:
        raise AppleUnavailable(f"App Store Connect answered {status} {code}.")
    if status == requests.codes.forbidden:
        raise RoleMissing(_forbidden_sentence(method, code))
    if status == requests.codes.not_found:
        raise NotFound(f"App Store Connect does not know what was asked for ({code}).")
    raise AppleRefused(f"App Store Connect refused {method} with {status} {code}.")


def _forbidden_sentence(method: str, code: str) -> str:
    if code.startswith("FORBIDDEN.REQUIRED_AGREEMENTS"):
        return "An agreement is missing or has expired: the account holder must accept it in App Store Connect."
    needed = "Admin" if method in ("POST", "DELETE") else "Admin, Finance or Sales and Reports"
    return f"The API key's role does not allow {method} ({code}): use a key with the role {needed}."


def _error_code(answer: _Answer) -> str:
    """The `code` of the first error in a body, or the reason phrase: at most 80 printable characters."""
    try:
        code = answer.json()["errors"][0]["code"]
    except (ValueError, LookupError, TypeError):
        code = answer.reason
    return _printable(str(code)[:80])


def _printable(text: str) -> str:
    return re.sub(r"[^\x20-\x7e]", "?", text)


def _body(answer: _Answer, data_type: type) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("data"), data_type):
        raise AppleUnavailable(f"App Store Connect answered {answer.status} with a body that is not JSON:API.")
    return body


def _next(body: dict[str, Any]) -> str:
    """The address of the page that follows; empty on the last one."""
    links = body.get("links") or {}
    following = links.get("next") if isinstance(links, dict) else links
    if not isinstance(following, str | None):
        raise AppleRefused("App Store Connect sent a page whose links.next is no address.")
    return following or ""


def _entry(data: Any) -> dict[str, Any]:
    """An entry of a list, once it is sure that it is one."""
    if not isinstance(data, dict) or not isinstance(data.get("id"), str) or not data["id"]:
        raise AppleRefused("App Store Connect sent an entry without an id.")
    return data


def _attribute(data: dict[str, Any], name: str, read: Callable[[Any], _Value], missing: Any = None) -> _Value:
    """An attribute of an entry, `missing` if it has none; AppleRefused names the one that `read` refuses."""
    attributes = data.get("attributes")
    value = attributes.get(name) if isinstance(attributes, dict) else None
    try:
        return read(missing if value is None else value)
    except (TypeError, ValueError):
        shown = f" ({_printable(str(value)[:_SHOWN_CHARACTERS])})" if isinstance(value, str | int) else ""
        raise AppleRefused(
            f"App Store Connect sent {_printable(data['id'][:_SHOWN_CHARACTERS])} "
            f"{'without' if value is None else 'with an unknown'} {name}{shown}."
        ) from None


def _exactly(*types: type) -> Callable[[Any], Any]:
    """Takes values of these types only: JSON's true is no number."""

    def read(value: Any) -> Any:
        if type(value) not in types:
            raise TypeError(value)
        return value

    return read


def _checksum(value: Any) -> str | None:
    if value is not None and not (isinstance(value, str) and _MD5.fullmatch(value)):
        raise ValueError(value)
    return value


def _each_once(listed: Iterable[_Listed]) -> tuple[_Listed, ...]:
    """The entries without repetitions; AppleRefused when two of one id contradict each other."""
    once: dict[str, _Listed] = {}
    for entry in listed:
        if once.setdefault(entry.id, entry) != entry:
            raise AppleRefused(f"App Store Connect listed {entry.id} twice, and not the same.")
    return tuple(once.values())


def _app_id(value: object) -> str:
    if not is_app_id(value):
        raise AppleRefused("App Store Connect listed an app whose id is not a number.")
    return str(value)


def _report_request(data: dict[str, Any]) -> ReportRequest:
    return ReportRequest(
        safe_id(data["id"], "report request id"),
        _attribute(data, "accessType", AccessType),
        _attribute(data, "stoppedDueToInactivity", _exactly(bool), missing=False),
    )


def _instance(data: dict[str, Any]) -> Instance:
    return Instance(
        safe_id(data["id"], "instance id"),
        _attribute(data, "granularity", Granularity),
        _attribute(data, "processingDate", date.fromisoformat),
    )


def _segment(data: dict[str, Any]) -> Segment:
    url = _attribute(data, "url", _exactly(str), missing="")
    if not url:
        raise AppleUnavailable("App Store Connect listed a segment without a URL.")
    return Segment(
        safe_id(data["id"], "segment id"),
        url,
        _attribute(data, "checksum", _checksum),
        _attribute(data, "sizeInBytes", _exactly(int, NoneType)),
    )

"""Downloads of segments from the storage host of Apple's signed URLs.

The URL has its own signature: no Authorization header is sent, and no part of it appears in a log or an error.
"""

from collections.abc import Iterator
from time import monotonic

import requests
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import parse_url

from appstore_analytics.apple.entries import Segment
from appstore_analytics.contract.errors import AppleRefused, AppleUnavailable, DownloadBroken, SegmentUrlExpired

_TIMEOUT_SECONDS = (5, 60)  # to connect, and between any two pieces
_LONGEST_DOWNLOAD_SECONDS = 240
"""The limit for one segment's bytes: a slow host must not use up the function's time."""
LONGEST_SEGMENT_SECONDS = _LONGEST_DOWNLOAD_SECONDS + sum(_TIMEOUT_SECONDS) + _TIMEOUT_SECONDS[1]
"""The longest time until a segment is complete or has failed: connecting, first piece, bytes, a last late piece."""

_CHUNK_BYTES = 1 << 20
_LOOPBACK_HOSTS = ("127.0.0.1", "localhost")


class SegmentStore:
    """The allowed storage hosts. A host that begins with a dot allows every host below it."""

    def __init__(self, session: requests.Session, hosts: tuple[str, ...], *, allow_loopback: bool) -> None:
        session.trust_env = False  # a .netrc entry would add an Authorization header
        self._session = session
        self._hosts = hosts
        self._allow_loopback = allow_loopback

    def chunks(self, segment: Segment) -> Iterator[bytes]:
        """The bytes of a segment as stored, compressed.

        AppleRefused for a redirect or a host that is not allowed, SegmentUrlExpired after the five minutes,
        DownloadBroken if the connection ends early, AppleUnavailable if the host fails.
        """
        self._refuse_foreign(segment.url)
        try:
            with self._session.get(
                segment.url, stream=True, allow_redirects=False, timeout=_TIMEOUT_SECONDS
            ) as response:
                _raise_for_status(response.status_code)
                yield from _received(response)
        except (HTTPError, requests.RequestException) as error:  # the error's text can contain the URL
            raise DownloadBroken(f"The download of a segment ended early ({type(error).__name__}).") from None

    def _refuse_foreign(self, url: str) -> None:
        try:
            parts = parse_url(url)  # as the connection reads it: urlsplit finds another host after a backslash
        except LocationParseError:
            raise AppleRefused("App Store Connect listed a segment with an unreadable URL.") from None
        host = (parts.host or "").lower()
        if self._allow_loopback and host in _LOOPBACK_HOSTS:
            return
        if parts.scheme != "https" or not any(_matches(host, allowed) for allowed in self._hosts):
            raise AppleRefused(
                f"A segment is at {parts.scheme}://{host}, which segment_hosts does not allow: "
                "if the host is Apple's, add it there in cdk.json and deploy."
            )


def _received(response: requests.Response) -> Iterator[bytes]:
    """The bytes in the pieces in which they arrive, so that the clock is read between any two."""
    ends_at = monotonic() + _LONGEST_DOWNLOAD_SECONDS
    while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=False):
        yield chunk
        if monotonic() > ends_at:
            raise DownloadBroken(f"The download of a segment took longer than {_LONGEST_DOWNLOAD_SECONDS} seconds.")


def _matches(host: str, allowed: str) -> bool:
    return host.endswith(allowed) if allowed.startswith(".") else host == allowed


def _raise_for_status(status: int) -> None:
    if status == requests.codes.ok:
        return
    if status in (requests.codes.forbidden, requests.codes.not_found, requests.codes.gone):
        raise SegmentUrlExpired(
            f"The storage host answered {status}: the signed URL has expired, so the segments are listed again."
        )
    if status >= requests.codes.internal_server_error:
        raise AppleUnavailable(f"The storage host answered {status}.")
    raise AppleRefused(f"The storage host answered {status} to a signed URL.")

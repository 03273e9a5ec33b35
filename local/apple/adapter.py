"""The application inside a `requests` session: no socket, the same answers, the same failures."""

import io
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.response import HTTPResponse

from local.apple.faults import ResetError
from local.apple.http import SLEEP, Application, Environ

APPLE_URL = "https://api.appstoreconnect.apple.com"


def mount(session: requests.Session, application: Application, *base_urls: str) -> None:
    """Lets the session reach the application at these addresses; by default at Apple's."""
    for base_url in base_urls or (APPLE_URL,):
        session.mount(base_url, _Adapter(application))


class _Adapter(BaseAdapter):
    """A transport of requests that calls a WSGI application and never waits.

    A reset is a ConnectionError, as on a real network. A delay beyond the client's time-out is a ReadTimeout and, as on
    a real network, the application does its work nevertheless.
    """

    def __init__(self, application: Application) -> None:
        super().__init__()
        self._application = application

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Called by requests, which reads the body itself; the other arguments are meaningless without a socket."""
        del stream, verify, cert, proxies
        started: list[tuple[str, list[tuple[str, str]]]] = []
        delays: list[float] = []
        environ = {**_environ(request), SLEEP: delays.append}
        try:
            body = b"".join(self._application(environ, lambda *args: started.append((args[0], args[1]))))
        except ResetError:
            raise requests.ConnectionError("Connection reset by peer", request=request) from None
        patience = timeout[1] if isinstance(timeout, tuple) else timeout
        if patience is not None and sum(delays) > patience:
            raise requests.ReadTimeout("Read timed out", request=request)
        return _response(request, *started[0], body)

    def close(self) -> None:
        """Nothing is open."""


def _environ(request: requests.PreparedRequest) -> Environ:
    address = urlsplit(request.url or "")
    body = request.body or b""
    body = body.encode() if isinstance(body, str) else body
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items()}
    return {
        **headers,
        "REQUEST_METHOD": request.method,
        "PATH_INFO": unquote(address.path),
        "QUERY_STRING": address.query,
        "HTTP_HOST": address.netloc,
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": address.scheme,
        "wsgi.input": io.BytesIO(body),
    }


def _response(
    request: requests.PreparedRequest, status: str, headers: list[tuple[str, str]], body: bytes
) -> requests.Response:
    code, _, reason = status.partition(" ")
    response = requests.Response()
    response.status_code, response.reason, response.url = int(code), reason, request.url or ""
    response.request = request
    response.headers = CaseInsensitiveDict(headers)
    response.raw = HTTPResponse(io.BytesIO(body), dict(headers), int(code), reason=reason, preload_content=False)
    return response

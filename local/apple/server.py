"""The application on loopback: HTTP/1.1 with connections that stay open, one thread each, silent."""

import io
import socket
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit

from local.apple.api import AppStoreConnect
from local.apple.faults import ResetError
from local.apple.http import Application, Environ
from local.apple.world import World

IDLE_SECONDS = 60


class SimulatedApple:
    """App Store Connect at `url`, from creation until `stop()`; a context manager stops it.

    `port` 0 chooses a free one. The world stays reachable as `world`.
    """

    def __init__(self, world: World, port: int = 0) -> None:
        self.world = world
        self._server = _Server(AppStoreConnect(world), port)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="simulated-apple", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Closes the port. A second call changes nothing."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Server(ThreadingTCPServer):
    """A thread per connection; none of them keeps the program alive."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, application: Application, port: int) -> None:
        self.application = application
        super().__init__(("127.0.0.1", port), _Handler)
        self.port: int = self.socket.getsockname()[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that disconnects is ignored; any other error is a bug and is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    """One connection: turns HTTP into WSGI and back, headers and body in one packet."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS
    server: _Server

    def do_GET(self) -> None:
        """Any method: the application decides."""
        started: list[tuple[str, list[tuple[str, str]]]] = []
        try:
            body = b"".join(self.server.application(self._environ(), lambda *args: started.append((args[0], args[1]))))
        except ResetError:
            self._reset()
            return
        status, headers = started[0]
        self._reply(status, headers, body)

    do_POST = do_DELETE = do_PATCH = do_PUT = do_GET  # noqa: N815

    def _environ(self) -> Environ:
        address = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()}
        return {
            "HTTP_HOST": f"127.0.0.1:{self.server.port}",
            **headers,
            "REQUEST_METHOD": self.command,
            "PATH_INFO": unquote(address.path),
            "QUERY_STRING": address.query,
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
        }

    def _reply(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        if int(dict(headers)["Content-Length"]) != len(body):
            self.close_connection = True

    def _reset(self) -> None:
        """Closes with a TCP reset instead of an orderly end: linger zero."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Logs nothing, because URLs of segments are credentials."""

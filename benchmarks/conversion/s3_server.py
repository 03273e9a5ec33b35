"""The part of S3 that a client needs to write and read objects, in memory, in a separate process.

So its work is not counted as the client's. `python -m benchmarks.conversion.s3_server` prints its address and serves
until its standard input ends.
"""

import hashlib
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parents[2]
_objects: dict[str, bytes] = {}
_pieces: dict[str, dict[int, bytes]] = {}


@contextmanager
def s3_server() -> Iterator[str]:
    """The server's address; every bucket exists and is empty. The server ends with this block."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.conversion.s3_server"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("because a pipe was requested")
        yield process.stdout.readline().strip()
        process.stdin.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        body = self._body()
        if "uploadId" in self._query:
            _pieces[self._query["uploadId"][0]][int(self._query["partNumber"][0])] = body
        else:
            _objects[self._key] = body
        self._answer(200, ETag=_etag(body))

    def do_POST(self) -> None:
        body = self._body()
        if "delete" in self._query:
            for name in re.findall(rb"<Key>(.*?)</Key>", body):
                _objects.pop(f"{self._key}/{name.decode()}".replace("//", "/"), None)
            self._answer(200, b"<DeleteResult/>")
        elif "uploads" in self._query:
            upload = f"upload-{len(_pieces)}"
            _pieces[upload] = {}
            self._answer(
                200,
                f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>".encode(),
            )
        else:
            pieces = _pieces.pop(self._query["uploadId"][0])
            _objects[self._key] = b"".join(pieces[number] for number in sorted(pieces))
            self._answer(200, b"<CompleteMultipartUploadResult/>")

    def do_GET(self) -> None:
        if "list-type" in self._query:
            self._answer(200, self._listing())
        elif self._key not in _objects:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            content = _objects[self._key]
            asked = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            first, last = (int(asked[1]), int(asked[2] or len(content) - 1)) if asked else (0, len(content) - 1)
            span = {"Content-Range": f"bytes {first}-{last}/{len(content)}"} if asked else {}
            self._answer(206 if asked else 200, content[first : last + 1], ETag=_etag(content), **span)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Nothing, because the log is not read."""

    @property
    def _key(self) -> str:
        return unquote(urlsplit(self.path).path)

    @property
    def _query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.path).query, keep_blank_values=True)

    def _listing(self) -> bytes:
        bucket = self._key.rstrip("/")
        prefix = f"{bucket}/{self._query.get('prefix', [''])[0]}"
        entries = "".join(
            f"<Contents><Key>{escape(key.removeprefix(bucket + '/'))}</Key><Size>{len(content)}</Size>"
            f"<ETag>{_etag(content)}</ETag><LastModified>2026-11-23T00:00:00.000Z</LastModified></Contents>"
            for key, content in sorted(_objects.items())
            if key.startswith(prefix)
        )
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>".encode()

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return _without_aws_chunks(body) if "aws-chunked" in self.headers.get("Content-Encoding", "") else body

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Last-Modified", "Mon, 23 Nov 2026 00:00:00 GMT")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _without_aws_chunks(body: bytes) -> bytes:
    content, position = b"", 0
    while True:
        end = body.index(b"\r\n", position)
        size = int(body[position:end].split(b";")[0], 16)
        if not size:
            return content
        content += body[end + 2 : end + 2 + size]
        position = end + 2 + size + 2


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    sys.stdin.read()

"""The pages of the console, served by the function itself: compressed at synthesis, and immutable.

index.html refers to every other file by a path with its hash, so browsers cache those forever. They revalidate
index.html each time, which costs a 304.
"""

import base64
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from appstore_console.answering import GUARDS, NO_STORE, Answer

_FRONT = "index.html"
_FOREVER = "public, max-age=31536000, immutable"
_EACH_TIME = "no-cache"


@dataclass(frozen=True, slots=True)
class Page:
    """One file: its type, its ETag, and its compressed bytes."""

    type: str
    etag: str
    compressed: bytes


class Pages:
    """All files below a folder with `pages.json`, as infra/console/pages.py writes it."""

    def __init__(self, folder: Path, live_url: str) -> None:
        index = json.loads((folder / "pages.json").read_text(encoding="utf-8"))
        self._pages = {
            path: Page(entry["type"], entry["etag"], (folder / entry["file"]).read_bytes())
            for path, entry in index.items()
        }
        self._policy = content_security_policy(live_url)

    def answer(self, path: str, headers: Mapping[str, str]) -> Answer:
        """The page at this path; 404 for any other. `headers` have lower-case names."""
        name = path.strip("/") or _FRONT
        page = self._pages.get(name)
        if page is None:
            return self._plain(HTTPStatus.NOT_FOUND, NO_STORE)
        kept = {
            "Cache-Control": _EACH_TIME if name == _FRONT else _FOREVER,
            "ETag": page.etag,
            "Vary": "Accept-Encoding",
        }
        if page.etag in headers.get("if-none-match", ""):
            return self._plain(HTTPStatus.NOT_MODIFIED, kept)
        return self._whole(page, kept, takes_gzip="gzip" in headers.get("accept-encoding", ""))

    def _whole(self, page: Page, kept: Mapping[str, str], *, takes_gzip: bool) -> Answer:
        coding = {"Content-Encoding": "gzip"} if takes_gzip else {}
        content = page.compressed if takes_gzip else gzip.decompress(page.compressed)
        return {
            "statusCode": HTTPStatus.OK.value,
            "headers": {**self._guards, **kept, **coding, "Content-Type": page.type},
            "body": base64.b64encode(content).decode("ascii"),
            "isBase64Encoded": True,
        }

    def _plain(self, status: HTTPStatus, kept: Mapping[str, str]) -> Answer:
        return {"statusCode": status.value, "headers": {**self._guards, **kept}, "body": ""}

    @property
    def _guards(self) -> dict[str, str]:
        return {**GUARDS, "Content-Security-Policy": self._policy}


def content_security_policy(live_url: str) -> str:
    """The page can use the console's own files and API and one WebSocket, and nothing else.

    Inline scripts and styles are blocked, so injected text cannot become either.
    """
    live = urlsplit(live_url)
    rules = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": f"'self' {live.scheme}://{live.netloc}",
        "manifest-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())

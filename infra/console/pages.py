"""The pages as the console serves them: compressed at synthesis, and put next to the handler."""

import gzip
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from appstore_analytics.contract.errors import ConfigurationRefused
from infra.console.browser_files import CONSOLE, browser_files
from infra.console.layers import BUILD, stage
from infra.console.modules import PackageError
from infra.functions import FUNCTIONS

WEB = "console_web"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


def stage_web(pages: Mapping[str, bytes], build: Path = BUILD) -> Path:
    """A folder with the handler of console_web and `pages/`: the compressed pages, and `pages.json` about them."""
    compressed = {path: gzip.compress(content, compresslevel=9, mtime=0) for path, content in pages.items()}
    index = {
        path: {
            "type": _TYPES[PurePosixPath(path).suffix],
            "etag": f'"{hashlib.sha256(content).hexdigest()[:32]}"',
            "file": f"{number}.gz",
        }
        for number, (path, content) in enumerate(sorted(pages.items()))
    }
    files = {f"pages/{index[path]['file']}": content for path, content in compressed.items()}
    files["pages/pages.json"] = json.dumps(index, sort_keys=True).encode()
    files["handler.py"] = (FUNCTIONS / WEB / "handler.py").read_bytes()
    return stage("web", files, build)


def pages_of_this_project(console: Path = CONSOLE) -> dict[str, bytes]:
    """The pages by path; ConfigurationRefused if they cannot be built."""
    try:
        return browser_files(console)
    except PackageError as error:
        raise ConfigurationRefused(str(error)) from error

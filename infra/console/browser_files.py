"""All files that the console serves to a browser, by path; two of the four are bundles of many files.

A first visit loads index.html and the files that it names. Their paths contain a hash of their bytes, so they never
change. Standard library only.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

from infra.console.modules import PackageError, join_modules, packages_of

CONSOLE = Path(__file__).resolve().parents[2] / "console"
"""The console's source files for the browser."""

_IMPORTED_STYLE = re.compile(r"^@import \"(?P<name>[^\"]+)\";$", re.MULTILINE)
_LINKED = re.compile(r"(?P<attribute>href|src)=\"assets/(?P<name>[^\"]+)\"")


def browser_files(console: Path = CONSOLE) -> dict[str, bytes]:
    """The bytes of each file by its path; PackageError if they cannot be built."""
    packages = console / "node_modules"
    assets = {
        "console.js": _modules(console / "main.js", packages),
        "console.css": _styles(console / "styles" / "console.css"),
        "theme.js": (console / "theme.js").read_bytes(),
        "icon.svg": (console / "icon.svg").read_bytes(),
        "licenses.txt": _licenses(packages_of(console / "main.js", packages)),
    }
    folder = f"assets/{_digest(assets)}"
    page = (console / "index.html").read_text(encoding="utf-8")
    return {
        "index.html": _with_assets(page, folder, assets).encode(),
        **{f"{folder}/{name}": content for name, content in assets.items()},
    }


def _modules(main: Path, packages: Path) -> bytes:
    head = "// The packages in this file are free software: licenses.txt.\n\n"
    return f"{head}{join_modules(main, packages)}".encode()


def _styles(main: Path) -> bytes:
    """The style sheets that this one imports, in the order of the imports."""
    names = [found["name"] for found in _IMPORTED_STYLE.finditer(main.read_text(encoding="utf-8"))]
    return "\n".join((main.parent / name).read_text(encoding="utf-8") for name in names).encode()


def _licenses(packages: list[Path]) -> bytes:
    texts = []
    for folder in packages:
        manifest = json.loads((folder / "package.json").read_text(encoding="utf-8"))
        title = f"{manifest['name']} {manifest['version']}"
        texts.append(f"{title}\n{'=' * len(title)}\n\n{(folder / 'LICENSE').read_text(encoding='utf-8').strip()}\n")
    return "\n\n".join(texts).encode()


def _digest(assets: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(assets.items()):
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _with_assets(page: str, folder: str, assets: Mapping[str, bytes]) -> str:
    def linked(found: re.Match[str]) -> str:
        if found["name"] not in assets:
            raise PackageError(f"index.html links assets/{found['name']}, which is not a file of the console.")
        return f'{found["attribute"]}="{folder}/{found["name"]}"'

    return _LINKED.sub(linked, page)

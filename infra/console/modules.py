"""Joins ES modules into one file, each in its own scope and unchanged except for comments.

There is no bundler and no build step: the served code can be compared with the source.

    import { day as dayOf } from "./dates.js";   const { day: dayOf } = $3;
    export function shown() { … }                function shown() { … }    … return { shown };

It supports the forms that the console's modules and its three packages use, and refuses every other. Standard library
only.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_STATEMENT = r"(?:^|(?<=[;}]))"
_NAMES = r"\{(?P<names>[^{}]*)\}"
_IMPORT = re.compile(
    rf"{_STATEMENT}import\s*(?:\*\s*as\s+(?P<all>[\w$]+)|{_NAMES}|(?P<default>[\w$]+))\s*from\s*\"(?P<specifier>[^\"]+)\";?",
    re.MULTILINE,
)
_EXPORT_FROM = re.compile(rf"{_STATEMENT}export\s*{_NAMES}\s*from\s*\"(?P<specifier>[^\"]+)\";?", re.MULTILINE)
_EXPORT_LIST = re.compile(rf"{_STATEMENT}export\s*{_NAMES};?", re.MULTILINE)
_EXPORT_DEFAULT = re.compile(rf"{_STATEMENT}export default ", re.MULTILINE)
_EXPORT_DECLARED = re.compile(
    rf"{_STATEMENT}export (?P<declaration>(?:async )?function\*? |class |const )(?P<name>[\w$]+)", re.MULTILINE
)
_LEFT_OVER = re.compile(r"^\s*(?:import|export)\b(?!\s*[(.:=])", re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*/\*\*(?:(?!\*/).)*\*/[ \t]*\n", re.MULTILINE | re.DOTALL)
"""A comment on its own lines: a fifth of the transferred bytes, and useless to a browser."""
_SOURCE_MAP = re.compile(r"//# sourceMappingURL=\S*\s*$")
_CONDITIONS = ("import", "default")


class PackageError(Exception):
    """The console cannot be bundled; the sentence names the file and says what to do."""


def join_modules(main: Path, packages: Path) -> str:
    """The module `main` and all its imports, as one module. `packages` is the node_modules folder to search."""
    joining = _Joining(main.resolve().parent, packages.resolve())
    numbers = {path: number for number, path in enumerate(joining.in_order(main.resolve()))}
    return "".join(_Scope(path, numbers, joining).joined() for path in numbers)


def packages_of(main: Path, packages: Path) -> list[Path]:
    """The folders of the npm packages in the joined file, each once, ordered by name."""
    joining = _Joining(main.resolve().parent, packages.resolve())
    found = {joining.package_of(path) for path in joining.in_order(main.resolve())}
    return sorted(folder for folder in found if folder)


@dataclass(frozen=True, slots=True)
class _Joining:
    """The search paths of modules: ours below `root`, the others in `packages`."""

    root: Path
    packages: Path

    def in_order(self, main: Path) -> list[Path]:
        """`main` and all its imports, each once, imported modules first."""
        ordered: dict[Path, None] = {}
        self._visit(main, (), ordered)
        return list(ordered)

    def _visit(self, path: Path, above: tuple[Path, ...], ordered: dict[Path, None]) -> None:
        if path in above:
            names = " → ".join(one.name for one in (*above[above.index(path) :], path))
            raise PackageError(f"Modules import each other in a circle: {names}.")
        if path in ordered:
            return
        for specifier in _imported(_text(path)):
            self._visit(self.resolve(specifier, path), (*above, path), ordered)
        ordered[path] = None

    def resolve(self, specifier: str, importer: Path) -> Path:
        """The file of an import."""
        if specifier.startswith("."):
            return (importer.parent / specifier).resolve()
        parts = specifier.split("/")
        length = 2 if specifier.startswith("@") else 1
        folder, inside = self.packages.joinpath(*parts[:length]), "/".join((".", *parts[length:]))
        entry = _entry(self._manifest(folder)["exports"].get(inside))
        if entry is None:
            raise PackageError(f"{importer.name} imports {specifier}, which its package does not export as a module.")
        return (folder / entry).resolve()

    def package_of(self, path: Path) -> Path | None:
        """The folder of the package that a file belongs to; None for our files."""
        if not path.is_relative_to(self.packages):
            return None
        parts = path.relative_to(self.packages).parts
        return self.packages.joinpath(*parts[: 2 if parts[0].startswith("@") else 1])

    def name_of(self, path: Path) -> str:
        """The path as shown to people."""
        return path.relative_to(self.packages if self.package_of(path) else self.root).as_posix()

    def _manifest(self, folder: Path) -> dict[str, Any]:
        try:
            manifest: dict[str, Any] = json.loads((folder / "package.json").read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise PackageError(
                f"The console's package {folder.relative_to(self.packages)} is not installed: "
                "run `python3 -m workshop.setup`, or `npm ci --ignore-scripts` in console/."
            ) from error
        return manifest


class _Scope:
    """One module as a function that is called at once and returns the module's exports."""

    def __init__(self, path: Path, numbers: Mapping[Path, int], joining: _Joining) -> None:
        self._path = path
        self._numbers = numbers
        self._joining = joining
        self._exports: dict[str, str] = {}

    def joined(self) -> str:
        """The function, under the module's number."""
        text = _COMMENT.sub("", _SOURCE_MAP.sub("", _text(self._path)))
        for pattern, replacement in (
            (_IMPORT, self._import),
            (_EXPORT_FROM, self._export_from),
            (_EXPORT_LIST, self._export_list),
            (_EXPORT_DECLARED, self._export_declared),
            (_EXPORT_DEFAULT, self._export_default),
        ):
            text = pattern.sub(replacement, text)
        if left := _LEFT_OVER.search(text):
            line = text[left.start() :].strip().splitlines()[0]
            raise PackageError(f"{self._path.name} has an unsupported form of import or export: {line[:80]}")
        returned = ", ".join(f"{name}: {local}" for name, local in sorted(self._exports.items()))
        head = f"// {self._joining.name_of(self._path)}\nconst $${self._numbers[self._path]} = (() => {{"
        return f"{head}\n{text.strip()}\nreturn {{ {returned} }};\n}})();\n\n"

    def _scope_of(self, found: re.Match[str]) -> str:
        return f"$${self._numbers[self._joining.resolve(found['specifier'], self._path)]}"

    def _import(self, found: re.Match[str]) -> str:
        names = found["all"] or _pattern(found["names"] or f"default as {found['default']}")
        return f"const {names} = {self._scope_of(found)};"

    def _export_from(self, found: re.Match[str]) -> str:
        self._exports.update((to, f"{self._scope_of(found)}.{name}") for name, to in _pairs(found["names"]))
        return ""

    def _export_list(self, found: re.Match[str]) -> str:
        self._exports.update((to, name) for name, to in _pairs(found["names"]))
        return ""

    def _export_declared(self, found: re.Match[str]) -> str:
        self._exports[found["name"]] = found["name"]
        return f"{found['declaration']}{found['name']}"

    def _export_default(self, _: re.Match[str]) -> str:
        self._exports["default"] = "$$default"
        return "const $$default = "


def _imported(text: str) -> Iterator[str]:
    for pattern in (_IMPORT, _EXPORT_FROM):
        yield from (found["specifier"] for found in pattern.finditer(text))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise PackageError(f"{path} does not exist, and a module of the console imports it.") from error


def _entry(exported: str | Mapping[str, str] | None) -> str | None:
    if exported is None or isinstance(exported, str):
        return exported
    return next((exported[condition] for condition in _CONDITIONS if condition in exported), None)


def _pairs(names: str) -> Iterator[tuple[str, str]]:
    for name in filter(None, (each.strip() for each in names.split(","))):
        original, _, renamed = name.partition(" as ")
        yield original.strip(), (renamed or original).strip()


def _pattern(names: str) -> str:
    """A destructuring pattern from the names of an import."""
    pairs = (name if name == to else f"{name}: {to}" for name, to in _pairs(names))
    return f"{{ {', '.join(pairs)} }}"

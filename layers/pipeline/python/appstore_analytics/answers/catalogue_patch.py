"""A patch for the catalogue with the new columns of Apple's files, ready for `git apply`."""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path

from appstore_analytics.contract import catalogue
from appstore_analytics.contract.catalogue.definition import ColumnType, ReportDefinition

_FOLDER = Path(str(catalogue.__file__)).parent
_ROOT = _FOLDER.parents[5]

NewColumns = Mapping[ReportDefinition, Mapping[str, ColumnType]]
"""New headers with their guessed types, by report."""


def catalogue_patch(new_columns: NewColumns) -> str:
    """A unified diff against the project's root; empty without new columns.

    A number is entered with unknown additivity, because only Apple's documentation says whether it can be summed.
    """
    patch = ""
    for path in sorted(_FOLDER.glob("*.py")):
        before = path.read_text(encoding="utf-8")
        after = before
        for report, headers in new_columns.items():
            after = _with_columns(after, report, headers)
        name = path.relative_to(_ROOT).as_posix()
        lines = (before.splitlines(keepends=True), after.splitlines(keepends=True))
        patch += "".join(difflib.unified_diff(*lines, f"a/{name}", f"b/{name}"))
    return patch


def _with_columns(source: str, report: ReportDefinition, headers: Mapping[str, ColumnType]) -> str:
    """The module's text with these columns after the report's own; unchanged if the report is not in it."""
    entry = re.compile(
        rf"(?P<head>^        name={re.escape(_quoted(report.name))},\n(?:(?!^    ReportDefinition\()[^\n]*\n)*?"
        r"^        columns=\(\n(?:            [^\n]*\n)*)",
        re.MULTILINE,
    )
    lines = "".join(f"            {_column(header, kind)},\n" for header, kind in headers.items())
    return entry.sub(lambda found: found["head"] + lines, source, count=1)


def _column(header: str, kind: ColumnType) -> str:
    words = [_quoted(header)]
    if kind is not ColumnType.STRING:
        words.append(f"type=ColumnType.{kind.name}")
    if kind is ColumnType.INT64:
        words.append("role=Role.UNKNOWN")
    return f"Column({', '.join(words)})"


def _quoted(text: str) -> str:
    """A string literal that safely encloses any text of Apple's file."""
    return '"' + text.encode("unicode_escape").decode("ascii").replace('"', '\\"') + '"'

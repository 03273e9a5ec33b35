"""One renderer for the answers of every command: tables for people, plain text when piped, JSON for programs."""

import json
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

from appstore_analytics.answers.facts import Facts, is_table, to_json
from operations.tables import Column, table_lines

_PIPED_WIDTH = 240
_PATCH = "patch"
"""The field that is printed unchanged, for `git apply`."""
_GOOD = re.compile(r"SUCCEEDED|ready|fresh|verified|equal|imported|complete|known")
_WAITING = re.compile(r"RUNNING|not ready|not registered|unchanged|skipped|drift:.*|adopted|no data yet")
_BAD = re.compile(
    r"FAILED|TIMED_OUT|ABORTED|late|missing|stopped|silent|forbidden|key rejected|conflict|quarantined|mismatch|failed"
    r"|refused"
)
_EMPTY = (None, "", ())
_GAP = "  "
_COMMAND = "./manage.py"
_LEAST_ROOM = 20


def console(*, stderr: bool = False) -> Console:
    """Uses colours and the terminal's width on a terminal; otherwise plain text without folded lines."""
    made = Console(highlight=False, stderr=stderr)
    if not made.is_terminal:
        made.width = _PIPED_WIDTH
    return made


def show(facts: Facts, *, as_json: bool) -> None:
    """Print an answer on standard output."""
    out = console()
    if as_json:
        out.print(json.dumps(to_json(facts), indent=2), markup=False, soft_wrap=True)
        return
    values = [(field.name, getattr(facts, field.name)) for field in fields(facts)]
    _show_lines(out, [(name, value) for name, value in values if not (is_table(value) or name == _PATCH)])
    for name, value in values:
        if is_table(value):
            out.print(Text(_words(name), style="bold"))
            show_table(out, *_table(value))
        elif name == _PATCH and value:
            _show_diff(out, value)
    say(out, facts.sentence, style="bold green" if facts.is_good else "bold red")


def show_table(out: Console, columns: Sequence[Column], rows: Sequence[Sequence[Text]]) -> None:
    """A table that fits the terminal; if it is piped, every row is one line."""
    for line in table_lines(columns, rows, out.width if out.is_terminal else None):
        out.print(line, soft_wrap=True)
    out.print()


def _show_diff(out: Console, text: str) -> None:
    """Byte for byte when it is piped, for `git apply`."""
    if out.is_terminal:
        out.print(Syntax(text, "diff", theme="ansi_dark", background_color="default"))
    else:
        out.file.write(text)


def _show_lines(out: Console, values: Iterable[tuple[str, Any]]) -> None:
    """One line per value; the values of a mapping or a dataclass are indented below it."""
    lines = [line for name, value in values for line in _lines(name, value)]
    width = max((len(name) for name, _ in lines), default=0)
    for name, value in lines:
        cell = _cell(value)
        first, *more = _folded(out, cell.plain, width + len(_GAP))
        out.print(Text.assemble((f"{name:<{width}}{_GAP}", "dim"), (first, cell.style)), soft_wrap=True)
        for line in more:
            out.print(Text.assemble(" " * width, _GAP, (line, cell.style)), soft_wrap=True)


def _lines(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        below = [(f"  {_words(str(each))}", one) for each, one in value.items() if _text(one)]
        yield from [(_words(name), ""), *below] if below else ()
    elif _text(value):
        yield _words(name), value


def say(out: Console, text: str, style: str = "") -> None:
    """A sentence."""
    for line in _folded(out, plain(text)):
        out.print(Text(line, style=style), soft_wrap=True)


def _folded(out: Console, text: str, indent: int = 0) -> list[str]:
    """The text in lines for a terminal, folded between words; one line if it is piped.

    A line with a command is not folded, so that the command can be copied.
    """
    if not out.is_terminal or _COMMAND in text:
        return [text]
    room = max(out.width - indent, _LEAST_ROOM)
    lines = [textwrap.wrap(line, room, break_long_words=False, break_on_hyphens=False) for line in text.split("\n")]
    return [each for line in lines for each in line or [""]]


def plain(text: str) -> str:
    """External text without control sequences for the terminal: only printable characters and line ends."""
    return "".join(character if character.isprintable() or character == "\n" else "?" for character in text)


def _table(rows: tuple[Any, ...]) -> tuple[list[Column], list[list[Text]]]:
    """Columns and cells. Columns that are empty in every row are left out."""
    names = [field.name for field in fields(rows[0]) if any(getattr(row, field.name) not in _EMPTY for row in rows)]
    columns = [Column(_words(name), is_number=_are_numbers(rows, name)) for name in names]
    return columns, [[_cell(getattr(row, name)) for name in names] for row in rows]


def _are_numbers(rows: tuple[Any, ...], name: str) -> bool:
    """Whether this field is a number in every row that has a value."""
    return all(isinstance(getattr(row, name), int | float | None) for row in rows)


def _words(name: str) -> str:
    return plain(name.replace("_", " "))


def _cell(value: Any) -> Text:
    text = plain(_text(value))
    for words, style in ((_GOOD, "green"), (_WAITING, "yellow"), (_BAD, "red")):
        if words.fullmatch(text):
            return Text(text, style=style)
    return Text(text)


_WRITTEN: tuple[tuple[type | tuple[type, ...], Callable[[Any], str]], ...] = (
    (type(None), lambda _: ""),
    (bool, lambda value: "yes" if value else "no"),
    (int, lambda value: f"{value:,}"),
    (float, lambda value: f"{value:,.4f}".rstrip("0").rstrip(".")),
    (datetime, lambda value: f"{value:%Y-%m-%d %H:%M:%S}"),
    (Mapping, lambda value: ", ".join(f"{_words(str(name))} {_text(each)}" for name, each in value.items())),
    ((list, tuple), lambda value: ", ".join(map(_text, value))),
)


def _text(value: Any) -> str:
    """A value as text for a line or a cell; a dataclass as its non-empty fields."""
    if is_dataclass(value):
        value = {field.name: each for field in fields(value) if (each := getattr(value, field.name)) not in _EMPTY}
    return next((write(value) for kind, write in _WRITTEN if isinstance(value, kind)), str(value))

"""Showing facts: tables for people, plain text when piped, JSON for programs. One renderer for every command."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from operations.facts import Facts, is_table, to_json

_PIPED_WIDTH = 240
_GOOD = re.compile(r"SUCCEEDED|ready|fresh|verified|equal|imported|complete|known")
_WAITING = re.compile(r"RUNNING|not ready|not registered|unchanged|skipped|drift:.*|adopted|no data yet")
_BAD = re.compile(
    r"FAILED|TIMED_OUT|ABORTED|late|missing|stopped|forbidden|key rejected|conflict|quarantined|mismatch|failed|refused"
)


def console(*, stderr: bool = False) -> Console:
    """Colours and the terminal's width on a terminal; plain and wide elsewhere, so that no line is folded."""
    made = Console(highlight=False, stderr=stderr)
    if not made.is_terminal:
        made.width = _PIPED_WIDTH
    return made


def show(facts: Facts, *, as_json: bool) -> None:
    """Print an answer on standard output."""
    out = console()
    if as_json:
        out.print(json.dumps(to_json(facts), indent=2, ensure_ascii=False), markup=False, soft_wrap=True)
        return
    values = [(field.name, getattr(facts, field.name)) for field in fields(facts)]
    lines = Table.grid(padding=(0, 2))
    for name, value in values:
        if not (is_table(value) or _is_text_block(value) or _text(value) == ""):
            lines.add_row(Text(_words(name), style="dim"), _cell(value))
    if lines.row_count:
        out.print(lines)
    for _, value in values:
        if is_table(value):
            out.print(_table(value))
        elif _is_text_block(value):
            out.print(
                Syntax(value, "diff", theme="ansi_dark", background_color="default") if out.is_terminal else value
            )
    say(out, facts.sentence, style="bold green" if facts.is_good else "bold red")


def say(out: Console, text: str, style: str = "") -> None:
    """One line, however long."""
    out.print(Text(text, style=style), soft_wrap=True)


def _is_text_block(value: Any) -> bool:
    return isinstance(value, str) and "\n" in value


def _table(rows: tuple[Any, ...]) -> Table:
    """Columns that are empty in every row are left out."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    names = [
        field.name for field in fields(rows[0]) if any(getattr(row, field.name) not in (None, "", ()) for row in rows)
    ]
    for name in names:
        is_number = all(isinstance(getattr(row, name), (int, float, type(None))) for row in rows)
        table.add_column(_words(name), justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(getattr(row, name)) for name in names))
    return table


def _words(name: str) -> str:
    return name.replace("_", " ")


def _cell(value: Any) -> Text:
    text = _text(value)
    for words, style in ((_GOOD, "green"), (_WAITING, "yellow"), (_BAD, "red")):
        if words.fullmatch(text):
            return Text(text, style=style)
    return Text(text)


_WRITTEN: tuple[tuple[type | tuple[type, ...], Callable[[Any], str]], ...] = (
    (type(None), lambda _: ""),
    (bool, lambda value: "yes" if value else "no"),
    (int, lambda value: f"{value:,}"),
    (float, lambda value: f"{value:,.2f}".rstrip("0").rstrip(".")),
    (datetime, lambda value: f"{value:%Y-%m-%d %H:%M:%S}"),
    (Mapping, lambda value: ", ".join(f"{_words(str(name))} {_text(each)}" for name, each in value.items())),
    ((list, tuple), lambda value: ", ".join(map(_text, value))),
)


def _text(value: Any) -> str:
    """A value as it stands in a line or a cell. A dataclass is its fields that have something to say."""
    if is_dataclass(value):
        value = {field.name: each for field in fields(value) if (each := getattr(value, field.name)) not in (None, "")}
    return next((write(value) for kind, write in _WRITTEN if isinstance(value, kind)), str(value))

"""`./manage.py export-console`: the people and the application data of the web console, in one file."""

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.facts import counted
from operations.commands.asked import Asked, answer
from operations.console_copy import TABLES

_FOR_THE_OWNER = 0o600
"""The file has addresses of people and what they did."""


@dataclass(frozen=True, slots=True)
class ConsoleExport:
    """What was written: the number of rows of each table, and of people."""

    file: str
    rows: Mapping[str, int]

    @property
    def is_good(self) -> bool:
        """It was written."""
        return True

    @property
    def sentence(self) -> str:
        """The number of rows, and the file."""
        return f"{counted(sum(self.rows.values()), 'row')} in {self.file}."


def export_console(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file; each line is a row as JSON.")],
) -> None:
    """Copy the web console's people and application data into a file."""
    asked: Asked = context.obj
    lines = _lines(asked)
    first = next(lines)  # before the file is created: the console must answer
    counts: Counter[str] = Counter()
    with os.fdopen(_created(file), "w", encoding="utf-8") as target:
        for line in (first, *lines):
            target.write(f"{json.dumps(line, ensure_ascii=False)}\n")
            counts[line["table"]] += 1
    answer(asked, ConsoleExport(str(file), dict(counts)))


def _lines(asked: Asked) -> Iterator[dict[str, Any]]:
    """Every person and every row. Refused before the first person is invited."""
    people, copy = asked.where.open_console().ask("GET", "/users")["people"], asked.where.open_console_copy()
    if not people:
        raise Refused("The console is empty: ./manage.py users invite E-MAIL --role admin invites the first person.")
    for person in people:
        yield {"table": "people", **person}
    for table in TABLES:
        yield from ({"table": table, **row} for row in copy.rows(table))


def _created(file: Path) -> int:
    """A new file that only its owner can read."""
    try:
        return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FOR_THE_OWNER)
    except FileExistsError:
        raise Refused(f"{file} exists already: name another file.") from None
    except OSError as error:
        raise Refused(f"{file} cannot be written: {error.strerror}.") from None

"""One question in SQL, asked through the workgroup of the pipeline."""

import csv
import sys
from typing import Annotated

import typer
from rich.text import Text

from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.sql import QueryAnswer
from operations import questions, screens
from operations.commands.asked import Asked, answer
from operations.tables import Column


def ask_athena(
    context: typer.Context,
    query: Annotated[str, typer.Argument(metavar="SELECT", help='Such as "SELECT dt, SUM(counts) FROM downloads …".')],
    *,
    limit: Annotated[int | None, typer.Option(min=1, help="Show only the first rows.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the rows as CSV.")] = False,
) -> None:
    """Ask Athena one SELECT over the tables; the workgroup stops a query that would scan more than its cut-off."""
    asked: Asked = context.obj
    if as_csv and asked.as_json:
        raise Refused("--csv and --json cannot be given together.")
    found = questions.sql(asked.installation(), query, limit)
    if as_csv:
        _write_csv(found)
    elif asked.as_json:
        answer(asked, found)
    else:
        _show(found)


def _write_csv(found: QueryAnswer) -> None:
    """A null is an empty cell, as in Athena's own CSV."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(found.columns)
    writer.writerows(["" if cell is None else cell for cell in row.values()] for row in found.rows)


def _show(found: QueryAnswer) -> None:
    out = screens.console()
    numbers = {name: all(isinstance(row[name], int | float | None) for row in found.rows) for name in found.columns}
    columns = [Column(screens.plain(name), is_number=numbers[name]) for name in found.columns]
    rows = [[Text(screens.plain("" if cell is None else str(cell))) for cell in row.values()] for row in found.rows]
    screens.show_table(out, columns, rows)
    for trap in found.traps:
        screens.say(out, trap, style="yellow")
    screens.say(out, found.sentence, style="bold green")

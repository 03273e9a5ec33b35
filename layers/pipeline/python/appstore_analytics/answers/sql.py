"""`sql`: one SELECT, run in Athena through the workgroup with its cut-off."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.facts import counted
from appstore_analytics.answers.query_traps import traps_of
from appstore_analytics.athena.query import Athena
from appstore_analytics.contract.errors import QueryFailed, QueryInterrupted
from appstore_analytics.contract.names import Database

Cell = str | int | float | bool | Decimal | None

_SKIPPED = re.compile(r"(?:\s+|--[^\n]*(?:\n|$)|/\*.*?\*/|\()*", re.DOTALL)
_SELECT = re.compile(r"(?:select|with)\b", re.IGNORECASE)
_READ: Mapping[str, Callable[[str], Cell]] = {
    **dict.fromkeys(("tinyint", "smallint", "integer", "bigint"), int),
    **dict.fromkeys(("float", "real", "double"), float),
    "decimal": Decimal,
    "boolean": lambda text: text == "true",
}
"""Athena returns every value as text; values of other types are kept as it prints them."""


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """The rows of a query, each by column name, in Athena's order. Duplicate column names are refused.

    `has_more`: the query has more rows than were asked for. `traps` are those of the tables and columns that it names.
    """

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Cell], ...]
    has_more: bool = False
    traps: tuple[str, ...] = ()

    @property
    def is_good(self) -> bool:
        """Always true: the query was answered."""
        return True

    @property
    def sentence(self) -> str:
        """The number of rows, and whether there are more."""
        rows = counted(len(self.rows), "row")
        return f"The first {rows}; the query has more." if self.has_more else f"{rows}."


def ask(query: str, athena: Athena, database: Database = Database.CURATED, at_most: int | None = None) -> QueryAnswer:
    """The answer to one SELECT (or WITH … SELECT); tables without a database are those of `database`.

    Refused for any other statement, and with Athena's reason if it refuses the query or stops it at the cut-off. Only
    the first `at_most` rows are returned.
    """
    if not _SELECT.match(query, _SKIPPED.match(query).end()):  # type: ignore[union-attr]
        raise Refused("Only SELECT is asked here: begin the statement with SELECT or WITH.")
    try:
        columns, rows = athena.table(query, database, None if at_most is None else at_most + 1)
    except (QueryFailed, QueryInterrupted) as error:
        raise Refused(str(error)) from None
    names = tuple(name for name, _ in columns)
    if twice := {name for name in names if names.count(name) > 1}:
        raise Refused(f"Two columns have the name {min(twice)}: rename one of them with AS.")
    read = [_READ.get(kind.partition("(")[0], str) for _, kind in columns]
    taken = tuple(
        {name: None if cell is None else to(cell) for name, to, cell in zip(names, read, row, strict=True)}
        for row in rows[:at_most]
    )
    return QueryAnswer(names, taken, len(taken) < len(rows), traps_of(query))

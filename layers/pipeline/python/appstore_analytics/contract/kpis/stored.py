"""How amounts are stored: `marts.kpis` has a row for each amount of an app, Date and dimension value.

One object per Date and source table, so that a Date's KPIs are replaced with the rows they were made of.
"""

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.kpis import AMOUNTS
from appstore_analytics.contract.kpis.definition import Amount, dimensions_of
from appstore_analytics.contract.tables import CuratedTable

KPIS_TABLE = "kpis"

TOTAL = "total"
"""The value of the column `dimension` for the amount of all rows."""

PORTFOLIO = 0
"""The value of the column `app_id` for all apps together."""

_VERSION = "1"
"""Increase this when the same amounts would be written as different rows: every Date's KPIs are then built again.

The order of the rows does not count, because no reader relies on it."""

KPI_COLUMNS: tuple[tuple[str, str, str], ...] = (  # name, Glue type, meaning
    ("app_id", "bigint", "The app; 0 is all apps together: leave it out before you sum over apps"),
    ("kpi", "string", "The amount, as docs/kpis.md names it"),
    (
        "dimension",
        "string",
        "The dimension that splits it: a column of the source table, days_since_download, or total",
    ),
    ("value", "string", "The value of that dimension; null is a value, and total has no other"),
    ("amount", "bigint", "The sum, for amounts that are not money; null if it exceeds 64 bits"),
    ("usd", "decimal(18,6)", "The sum, for amounts of money; null if it exceeds 18 digits"),
    (
        "is_final",
        "boolean",
        "Whether the Date was complete when Apple built the file (for all apps: every file); null if unstated",
    ),
)


class SourceState(StrEnum):
    """What the KPIs of one app, Date and source are worth, by the rule of `gaps`; `STATE_MEANINGS` explains them."""

    FINAL = "final"
    PRELIMINARY = "preliminary"
    ZERO = "zero"
    MISSING = "missing"
    QUARANTINED = "quarantined"
    NOT_DUE = "not due"
    NOT_DEPLOYED = "not deployed"


STATE_MEANINGS: Mapping[SourceState, str] = {
    SourceState.FINAL: "are of a complete Date; corrections can still come",
    SourceState.PRELIMINARY: "are of a Date to which Apple still adds rows",
    SourceState.ZERO: "are zero: the Date is complete, and Apple has sent no row",
    SourceState.MISSING: "are due and not there, or of an older file",
    SourceState.QUARANTINED: "are due and not there, or of an older file: the file breaks its report's contract",
    SourceState.NOT_DUE: "are not due: not yet, not before the app's first day, or Apple never sends them for it",
    SourceState.NOT_DEPLOYED: "are not there because the report is not configured",
}

STATES_TABLE = "states"

STATE_SOURCES: tuple[CuratedTable, ...] = tuple(
    dict.fromkeys(amount.table for amount in AMOUNTS if amount.table.granularity is Granularity.DAILY)
)
"""The sources of KPIs per Date: `marts.states` has a column for each."""

STATE_COLUMNS: tuple[tuple[str, str, str], ...] = (  # name, Glue type, meaning
    ("app_id", "bigint", "The app"),
    *((table.name, "string", f"What the KPIs from {table.name} are worth: docs/kpis.md") for table in STATE_SOURCES),
)


def amounts_of(table: CuratedTable) -> tuple[Amount, ...]:
    """The amounts that are summed from the rows of a table; most tables have none."""
    return tuple(amount for amount in AMOUNTS if amount.table == table)


def definitions(table: CuratedTable) -> str:
    """A name for the amounts and dimensions that are built for a table: it changes when they do."""
    amounts = [
        [amount.name, amount.measure, amount.times, [[each.column, each.words] for each in amount.where]]
        for amount in amounts_of(table)
    ]
    made_of = {
        "amounts": amounts,
        "dimensions": dimensions_of(table),
        "columns": [name for name, _, _ in KPI_COLUMNS],
        "version": _VERSION,
    }
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:16]

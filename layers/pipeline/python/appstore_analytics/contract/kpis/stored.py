"""How amounts are stored: `marts.kpis`, of which a row is an amount of one app, Date and dimension value.

One object per Date and source table, so that a Date's KPIs are replaced with the rows they were made of.
"""

from appstore_analytics.contract.kpis import AMOUNTS
from appstore_analytics.contract.kpis.definition import Amount
from appstore_analytics.contract.tables import CuratedTable

KPIS_TABLE = "kpis"

TOTAL = "total"
"""In the column `dimension`: the amount of all rows."""

PORTFOLIO = 0
"""In the column `app_id`: all apps together."""

KPI_COLUMNS: tuple[tuple[str, str, str], ...] = (  # name, Glue type, meaning
    ("app_id", "bigint", "The app; 0 is all apps together: leave it out before you sum over apps"),
    ("kpi", "string", "The amount, as docs/kpis.md names it"),
    ("dimension", "string", "By what it is split: a column of the source table, days_since_download, or total"),
    ("value", "string", "The value of that dimension; null is a value, and the one value of total"),
    ("amount", "bigint", "The sum, of amounts that are no money; null where 64 bits cannot hold it"),
    ("usd", "decimal(18,6)", "The sum, of amounts of money; null where 18 digits cannot hold it"),
    (
        "is_final",
        "boolean",
        "Whether the Date was complete when Apple built the rows' file, of all apps every file; null where unstated",
    ),
)


def amounts_of(table: CuratedTable) -> tuple[Amount, ...]:
    """The amounts that are summed from the rows of a table; none of most."""
    return tuple(amount for amount in AMOUNTS if amount.table == table)

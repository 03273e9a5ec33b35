"""The check of one table as data: the query, and how to read its answer."""

from collections.abc import Collection, Iterable
from datetime import date
from decimal import Decimal

from appstore_analytics.contract.tables import PARTITION_COLUMN, CuratedTable
from appstore_analytics.rules.counts import BatchKey, Counts


def counting_query(table: CuratedTable, days: Collection[date]) -> str:
    """Rows and sums of the additive measures per app and Date, in one query for all apps.

    One query per app would read everybody's rows each time. Uniques are never summed.
    """
    sums = "".join(f', SUM("{measure.name}")' for measure in table.report.additive_measures)
    dates = ", ".join(f"DATE '{day.isoformat()}'" for day in sorted(days))
    # names are the catalogue's and days are dates: nothing of a file or of a person gets into the text
    return (
        f'SELECT app_id, {PARTITION_COLUMN}, COUNT(*){sums} FROM "{table.name}" '  # noqa: S608
        f"WHERE {PARTITION_COLUMN} IN ({dates}) GROUP BY app_id, {PARTITION_COLUMN}"
    )


def counted(table: CuratedTable, rows: Iterable[tuple[str | None, ...]]) -> dict[BatchKey, Counts]:
    """The answer of `counting_query`."""
    names = [measure.name for measure in table.report.additive_measures]
    return {
        (int(app_id or 0), date.fromisoformat(day or "")): Counts(
            int(count or 0),
            {name: None if cell is None else Decimal(cell) for name, cell in zip(names, sums, strict=True)},
        )
        for app_id, day, count, *sums in rows
    }

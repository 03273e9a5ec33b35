"""The check of one table: the query as data, how to read its answer, and the comparison with what was converted."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from decimal import Decimal

from appstore_analytics.athena.query import Athena
from appstore_analytics.contract.errors import QueryInterrupted
from appstore_analytics.contract.tables import CURATED_DATABASE, PARTITION_COLUMN, CuratedTable
from appstore_analytics.rules.counts import BatchKey, Comparison, Counts, compare

ExpectedCounts = Callable[[Collection[date]], Mapping[BatchKey, Counts]]
"""What the converter counted of these Dates, read anew each time it is called."""


def compare_dates(
    table: CuratedTable, days: Collection[date], expected: ExpectedCounts, athena: Athena
) -> list[Comparison]:
    """What the converter counted of these Dates, compared with what Athena counts; sorted by app and Date.

    A Date may be replaced between the count and the comparison, and a query in flight over it may fail: both are asked
    once more.
    """
    try:
        comparisons = _compare(table, days, expected, athena)
    except QueryInterrupted:
        comparisons = _compare(table, days, expected, athena)
    if doubtful := {comparison.day for comparison in comparisons if not comparison.equal}:
        sure = [comparison for comparison in comparisons if comparison.day not in doubtful]
        comparisons = sorted(
            [*sure, *_compare(table, doubtful, expected, athena)], key=lambda one: (one.app_id, one.day)
        )
    return comparisons


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


def _compare(table: CuratedTable, days: Collection[date], expected: ExpectedCounts, athena: Athena) -> list[Comparison]:
    answer = counted(table, athena.rows(counting_query(table, days), CURATED_DATABASE))
    return list(compare(expected(days), answer))

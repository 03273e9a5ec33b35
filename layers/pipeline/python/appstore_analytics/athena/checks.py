"""The check of one table: the query as data, the reader of its result, and the comparison of the counts."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

from appstore_analytics.athena.kpi_checks import (
    Amounts,
    amount_columns,
    difference,
    expected_amounts,
    kpi_query,
    stored_amounts,
)
from appstore_analytics.athena.query import Athena
from appstore_analytics.contract.errors import QueryInterrupted
from appstore_analytics.contract.kpis.stored import amounts_of
from appstore_analytics.contract.names import Database
from appstore_analytics.contract.tables import PARTITION_COLUMN, CuratedTable
from appstore_analytics.rules.counts import BatchKey, Comparison, Counts, compare

ExpectedCounts = Callable[[Collection[date]], Mapping[BatchKey, Counts]]
"""Returns the converter's counts of these Dates, read again on each call."""


def compare_dates(
    table: CuratedTable, days: Collection[date], expected: ExpectedCounts, athena: Athena
) -> list[Comparison]:
    """The converter's counts of these Dates, compared with Athena's; sorted by app and Date.

    A Date can be replaced between the count and the comparison, and a query that reads it meanwhile can fail: both are
    repeated once.
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
    """Rows, sums of the additive measures, and KPI amounts per app and Date, in one query for all apps.

    One query per app would read the rows of all apps each time. Uniques are summed for KPIs that are called bounds.
    """
    columns = [*(f'SUM("{measure.name}")' for measure in table.report.additive_measures), *amount_columns(table)]
    sums = "".join(f", {column}" for column in columns)
    dates = ", ".join(f"DATE '{day.isoformat()}'" for day in sorted(days))
    # names come from the catalogue and days are dates: no text of a file or a person becomes SQL
    return (
        f'SELECT app_id, {PARTITION_COLUMN}, COUNT(*){sums} FROM "{table.name}" '  # noqa: S608
        f"WHERE {PARTITION_COLUMN} IN ({dates}) GROUP BY app_id, {PARTITION_COLUMN}"
    )


def counted(table: CuratedTable, rows: Iterable[tuple[str | None, ...]]) -> dict[BatchKey, tuple[Counts, Amounts]]:
    """The result of `counting_query`: the converter's counts, and the expected KPI amounts."""
    names = [measure.name for measure in table.report.additive_measures]
    return {
        (int(app_id or 0), date.fromisoformat(day or "")): (
            Counts(
                int(count or 0),
                {
                    name: None if cell is None else Decimal(cell)
                    for name, cell in zip(names, cells[: len(names)], strict=True)
                },
            ),
            expected_amounts(table, cells[len(names) :]),
        )
        for app_id, day, count, *cells in rows
    }


def _compare(table: CuratedTable, days: Collection[date], expected: ExpectedCounts, athena: Athena) -> list[Comparison]:
    answer = counted(table, athena.rows(counting_query(table, days), Database.CURATED))
    kpis = _stored_amounts(table, days, athena)
    comparisons = compare(expected(days), {key: counts for key, (counts, _) in answer.items()})
    return [_with_kpis(comparison, answer, kpis) for comparison in comparisons]


def _stored_amounts(table: CuratedTable, days: Collection[date], athena: Athena) -> dict[BatchKey, Amounts]:
    if not amounts_of(table):
        return {}
    return stored_amounts(table, athena.rows(kpi_query(table, days), Database.MARTS))


def _with_kpis(
    comparison: Comparison, answer: Mapping[BatchKey, tuple[Counts, Amounts]], kpis: Mapping[BatchKey, Amounts]
) -> Comparison:
    key = comparison.app_id, comparison.day
    wanted = answer[key][1] if key in answer else {}
    found = difference(wanted, kpis.get(key, {}))
    if not found:
        return comparison
    return replace(comparison, difference="; ".join(filter(None, [comparison.difference, found])))

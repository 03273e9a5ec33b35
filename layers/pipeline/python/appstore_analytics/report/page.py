"""Writes the page of a run. Everything on it that is not in the records is read from the lake here."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.layout import page_key
from appstore_analytics.contract.tables import CuratedTable, tables_by_name
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.published import published_dates, read_publication
from appstore_analytics.lake.run_notes import planned_at
from appstore_analytics.model.parts import Batch
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.report.charts import Chart
from appstore_analytics.report.markup import run_page
from appstore_analytics.report.restated_dates import RestatedDates
from appstore_analytics.report.summary import Records, RunSummary
from appstore_analytics.rules.vintage import is_final

_DATES_CHARTED = 35


@dataclass(frozen=True, slots=True)
class _Charted:
    """A measure of the first of these tables that is deployed."""

    title: str
    measure: str
    tables: tuple[str, ...]


_CHARTED = (  # the numbers that publishers look at first
    _Charted("First-time downloads, redownloads, updates and restores", "counts", ("downloads", "downloads_detailed")),
    _Charted("Impressions, page views and taps", "counts", ("engagement", "engagement_detailed")),
    _Charted("Proceeds in USD", "proceeds_in_usd", ("purchases", "purchases_detailed")),
)


def write_run_page(
    plan: RunPlan,
    summary: RunSummary,
    records: Records,
    seconds: float,
    restated: RestatedDates,
    lake: Bucket,
) -> None:
    """Write the page beside the run report."""
    page = run_page(
        plan,
        summary,
        records,
        seconds=seconds,
        planned_at=planned_at(lake, plan.run_id),
        restated=restated,
        charts=_charts(plan, restated, lake),
    )
    lake.write(page_key(plan.operation, plan.run_id), page, content_type="text/html; charset=utf-8")


def _charts(plan: RunPlan, restated: RestatedDates, lake: Bucket) -> Iterator[Chart]:
    if Granularity.DAILY not in plan.granularities:
        return
    for charted in _CHARTED:
        deployed = (table for table in map(tables_by_name().get, charted.tables) if table and _is_planned(table, plan))
        if table := next(deployed, None):
            replaced = frozenset(date.fromisoformat(one.day) for one in restated if one.table == table.name)
            batches = {
                day: read_publication(lake, table, day) for day in published_dates(lake, table)[-_DATES_CHARTED:]
            }
            sums = tuple((day, _sum(of, charted.measure)) for day, of in batches.items())
            incomplete = frozenset(day for day, of in batches.items() if _is_incomplete(of, day, table))
            yield Chart(charted.title, sums, replaced, incomplete)


def _is_planned(table: CuratedTable, plan: RunPlan) -> bool:
    return table.report.name in plan.reports


def _sum(batches: Iterable[Batch], measure: str) -> Decimal:
    """From the notes about the published objects: no rows are read."""
    return sum((Decimal(batch.sums.get(measure, 0)) for batch in batches), Decimal())


def _is_incomplete(batches: Iterable[Batch], day: date, table: CuratedTable) -> bool:
    return any(is_final(day, table, batch.vintage.processing_date) is False for batch in batches)

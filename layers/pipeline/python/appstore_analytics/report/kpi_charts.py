"""The charts of a run's page: the KPIs that publishers look at first, from the stored amounts of all apps together."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

from appstore_analytics.contract.kpis import KPIS_BY_NAME
from appstore_analytics.contract.kpis.definition import Amount, Kpi, Unit
from appstore_analytics.contract.kpis.stored import PORTFOLIO
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.lake.kpis.reader import Wanted, read_kpis
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.published import published_dates
from appstore_analytics.model.kpis import Number, Storage, StoredKpis
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.report.charts import Chart
from appstore_analytics.report.restated_dates import RestatedDates
from appstore_analytics.rules.calendar import dates_between
from appstore_analytics.rules.kpis import value_of

_CHARTED = ("total_downloads", "impressions", "proceeds")
_DATES = 35
"""Five weeks: the last one, the one before it, and what is usual."""


def kpi_charts(plan: RunPlan, restated: RestatedDates, lake: Bucket) -> Iterator[Chart]:
    """A chart of each KPI whose tables are deployed, over the newest Dates of its table."""
    for kpi in map(KPIS_BY_NAME.__getitem__, _CHARTED):
        if _is_deployed(kpi, plan):
            yield _chart(kpi, restated, lake)


def _is_deployed(kpi: Kpi, plan: RunPlan) -> bool:
    return all(table.report.name in plan.reports and table.granularity in plan.granularities for table in kpi.tables)


def _chart(kpi: Kpi, restated: RestatedDates, lake: Bucket) -> Chart:
    tables = {table.name for table in kpi.tables}
    published = {TableDate(table.name, day) for table in kpi.tables for day in published_dates(lake, table)}
    by_date: dict[date, list[StoredKpis]] = {day: [] for day in _newest_dates(kpi, published)}
    wanted = Wanted(frozenset(amount.name for amount in kpi.amounts), frozenset({PORTFOLIO}))
    for stored in read_kpis(lake, sorted(one for one in published if one.day in by_date), wanted):
        by_date[stored.table_date.day].append(stored)
    return Chart(
        kpi.title,
        "USD" if kpi.unit is Unit.USD else "",
        kpi.trap,
        tuple((day, _value(kpi, of)) for day, of in by_date.items()),
        frozenset(date.fromisoformat(one.day) for one in restated if one.table in tables),
        frozenset(day for day, of in by_date.items() if any(one.is_final.get(PORTFOLIO) is False for one in of)),
        sum(any(one.storage is Storage.NOT_BUILT for one in of) for of in by_date.values()),
    )


def _newest_dates(kpi: Kpi, published: Collection[TableDate]) -> list[date]:
    """Every Date of the period, also those without rows: a gap is to be seen."""
    days = {one.day for one in published}
    if not days:
        return []
    newest = max(days)
    return dates_between(max(min(days), newest - timedelta(days=_DATES - 1)), newest, kpi.granularity)


def _value(kpi: Kpi, sources: Sequence[StoredKpis]) -> Decimal | None:
    """The value of one Date; None unless the amounts of every source are those of its published rows."""
    if len(sources) < len(kpi.tables) or any(one.storage is not Storage.CURRENT for one in sources):
        return None
    by_table = {one.table_date.table: one for one in sources}

    def amount_of(amount: Amount) -> Number | None:
        return by_table[amount.table_name].amounts.get((amount.name, None), {}).get(PORTFOLIO, 0)

    value = value_of(kpi, amount_of, amount_of)
    return None if value is None else Decimal(value)

"""Dates whose KPIs are missing or have older definitions: each run plans a few of them until none is left.

publish_date builds the KPIs of such a Date from its rows alone, and verify_table compares them.
"""

from collections.abc import Iterable
from datetime import date

from appstore_analytics.contract.kpis.stored import amounts_of, definitions
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.published import published_dates
from appstore_analytics.registry import Registry

DATES_OF_A_RUN = 200
"""A year of one table takes two runs, with about a minute of publish_date each."""


def mark_older_kpis(tables: Iterable[CuratedTable], registry: Registry, lake: Bucket) -> None:
    """Mark the newest of these Dates dirty, `DATES_OF_A_RUN` at most, table after table.

    Dates that were published after the definitions changed are marked too, and are then found unchanged. A second run,
    or one after a crash, marks them again or continues with older Dates.
    """
    left = DATES_OF_A_RUN
    for table in filter(amounts_of, tables):
        planned_from = registry.kpi_builds.planned_from(table.name, definitions(table))
        if planned_from == date.min or not left:
            continue
        older = [day for day in reversed(published_dates(lake, table)) if day < planned_from]
        for day in older[:left]:
            registry.dirty_dates.mark(TableDate(table.name, day))
        oldest = older[left - 1] if len(older) > left else date.min
        registry.kpi_builds.note(table.name, definitions(table), oldest)
        left -= len(older[:left])

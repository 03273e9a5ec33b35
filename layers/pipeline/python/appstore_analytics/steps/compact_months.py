"""compact_months: copies the KPI amounts of each month that changed into one object, which long questions read."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from appstore_analytics.contract.kpis.stored import amounts_of
from appstore_analytics.contract.layout import TableDate, TableMonth
from appstore_analytics.contract.tables import curated_tables, tables_by_name
from appstore_analytics.lake.kpis.compaction import compact, months_to_compact
from appstore_analytics.lake.kpis.damaged import KpisUnreadableError
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.run_notes import write_notices
from appstore_analytics.model.plan import RunPlan

COMPACTS_FOR_SECONDS = 600
"""Then no further month is begun; the next run begins with what is left."""

_STEP = "compact_months"


def compact_months(plan: RunPlan, lake: Bucket) -> dict[str, int]:
    """Make the objects of the months of the plan's tables that are missing or not of the rows that are published now.

    Nothing depends on them: readers take a Date's own object instead. So whichever run finds a month due makes it, also
    one that an earlier run left, or that was deleted. A month that cannot be made is a notice of the run, and is left
    to the next one. A second run finds nothing to do. Returns how many months were made, and how many were left.
    """
    ends_at, made, left, notices = monotonic() + COMPACTS_FOR_SECONDS, 0, 0, []
    with TemporaryDirectory() as scratch:
        for month, dates in _due(plan, lake):
            if monotonic() > ends_at:
                left += 1
                continue
            try:
                made += bool(compact(lake, tables_by_name()[month.table], month, dates, Path(scratch)))
            except KpisUnreadableError as error:
                notices.append(f"{month.key} was not made, because a KPI object cannot be read: {error}")
    if left:
        notices.append(f"{left} months of KPIs are left to the next run.")
    write_notices(lake, plan.run_id, _STEP, notices)
    return {"months": made, "left": left}


def _due(plan: RunPlan, lake: Bucket) -> Iterator[tuple[TableMonth, list[TableDate]]]:
    """The newest months of all tables first."""
    tables = filter(amounts_of, curated_tables(plan.reports, plan.granularities))
    due = [each for table in tables for each in months_to_compact(lake, table).items()]
    yield from sorted(due, key=lambda each: (each[0].first, each[0].table), reverse=True)

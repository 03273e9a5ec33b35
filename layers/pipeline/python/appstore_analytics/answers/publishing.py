"""`publish`: Dates to publish and verify again, because an object is damaged or in doubt."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.facts import counted
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.published import stored_dates
from appstore_analytics.registry import Registry


@dataclass(frozen=True, slots=True)
class DatesToPublish:
    """The Dates of one table in the range that have parts or a published object; `dirty` ones are marked already."""

    table_name: str
    dates: int
    dirty: int
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class PublishPlan:
    """Dates to mark dirty (`is_marked`: already marked), with all their apps; tables without Dates are left out."""

    start_date: date
    end_date: date
    is_marked: bool
    tables: tuple[DatesToPublish, ...]

    @property
    def is_good(self) -> bool:
        """Whether there is anything to publish."""
        return bool(self.tables)

    @property
    def sentence(self) -> str:
        """The number of Dates, and what publishes them."""
        if not self.tables:
            return "These tables have no Dates in this range."
        dates = counted(sum(table.dates for table in self.tables), "Date")
        where = f"{dates} in {counted(len(self.tables), 'table')}"
        if self.is_marked:
            return f"{where} marked dirty. The next run publishes and verifies them: ./manage.py daily starts one."
        return f"{where} to mark dirty. The next run publishes and verifies them."


def plan_publish(
    tables: Sequence[CuratedTable], start: date, end: date, registry: Registry, lake: Bucket
) -> PublishPlan:
    """The Dates of these tables from `start` to `end` (inclusive); Refused when `start` is after `end`."""
    if start > end:
        raise Refused(f"--from {start.isoformat()} must not be after --to {end.isoformat()}.")
    found = ((table, _dates(table, start, end, lake)) for table in tables)
    lines = tuple(_line(table, days, registry) for table, days in found if days)
    return PublishPlan(start, end, is_marked=False, tables=lines)


def mark_planned(plan: PublishPlan, tables: Sequence[CuratedTable], registry: Registry, lake: Bucket) -> PublishPlan:
    """Mark every Date of the plan dirty. A second run only renews the marks."""
    planned = {line.table_name for line in plan.tables}
    registry.dirty_dates.mark_all(
        TableDate(table.name, day)
        for table in tables
        if table.name in planned
        for day in _dates(table, plan.start_date, plan.end_date, lake)
    )
    return replace(plan, is_marked=True)


def _dates(table: CuratedTable, start: date, end: date, lake: Bucket) -> list[date]:
    return [day for day in stored_dates(lake, table) if start <= day <= end]


def _line(table: CuratedTable, days: Sequence[date], registry: Registry) -> DatesToPublish:
    dirty = {marked.day for marked in registry.dirty_dates.of_table(table.name)}
    return DatesToPublish(table.name, len(days), len(dirty.intersection(days)), days[0], days[-1])

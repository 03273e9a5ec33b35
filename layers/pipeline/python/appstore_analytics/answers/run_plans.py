"""What a run will do, whatever its operation: the numbers to look at before somebody starts it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from appstore_analytics.answers.backfill_plan import SnapshotPlan
from appstore_analytics.answers.cost import CostLine


@dataclass(frozen=True, slots=True)
class PlannedTable:
    """One table: its Dates (of a reprocess and a refetch the processing dates) and what is expected of them."""

    table_name: str
    first: date | None
    last: date | None
    dates: int
    apps: int
    files: int | None
    rows: int | None


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run that has not been started. What cannot be told beforehand is None.

    It makes `apple_calls` at least, may see `apple_calls_per_hour` of the quota used, of which `apple_calls_used` are,
    and so takes `hours`. `confirm_word` is what a person types to go on, of runs that take something away.
    """

    operation: str
    arguments: Mapping[str, Any]
    apps: int
    files: int | None
    dates: int | None
    rows: int | None
    apple_calls: int
    apple_calls_used: int
    apple_calls_per_hour: int
    hours: int
    us_dollars: float
    snapshots: tuple[SnapshotPlan, ...] = ()
    tables: tuple[PlannedTable, ...] = ()
    costs: tuple[CostLine, ...] = ()
    warnings: tuple[str, ...] = ()
    confirm_word: str = ""

    @property
    def is_good(self) -> bool:
        """Always: the person decides."""
        return True

    @property
    def sentence(self) -> str:
        """Calls, rows, Dates and dollars."""
        rows = "" if self.rows is None else f", about {self.rows:,} rows"
        dates = "" if self.dates is None else f", {self.dates:,} Dates"
        return f"A {self.operation}: {self.apple_calls:,} Apple calls{dates}{rows}, about ${self.us_dollars:,.2f}."

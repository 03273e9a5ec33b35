"""What a run of any operation will do: the numbers to check before it is started."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from appstore_analytics.answers.backfill_plan import SnapshotPlan
from appstore_analytics.answers.cost import CostLine


@dataclass(frozen=True, slots=True)
class PlannedTable:
    """One table: its Dates (for a reprocess and a refetch the processing dates) and the expected rows."""

    table_name: str
    first: date | None
    last: date | None
    dates: int
    apps: int
    files: int | None
    rows: int | None


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run that has not been started. Facts that are unknown in advance are None.

    It makes at least `apple_calls`. The quota in use allows `apple_calls_per_hour`, of which `apple_calls_used` are
    spent, so it takes `hours`. `confirm_word` is what a person types to confirm a run that removes data.
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
        """Always true: a person decides."""
        return True

    @property
    def sentence(self) -> str:
        """Calls, rows, Dates and dollars."""
        rows = "" if self.rows is None else f", about {self.rows:,} rows"
        dates = "" if self.dates is None else f", {self.dates:,} Dates"
        return f"A {self.operation}: {self.apple_calls:,} Apple calls{dates}{rows}, about ${self.us_dollars:,.2f}."

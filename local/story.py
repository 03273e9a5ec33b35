"""The simulated Apple's behaviour on the demo's three days, and the contents of a correct lake for any seed and day.

The demo compares the deployed pipeline with this; a test compares it with an independent loader.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from appstore_analytics.contract.catalogue import REPORTS_BY_NAME
from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.tables import CuratedTable
from local.apple.model import Series
from local.apple.truth import newest_vintages
from local.apple.world import World

REPORT_NAMES = (
    "App Downloads Standard",
    "App Store Installation and Deletion Standard",
    "App Sessions Standard",
    "App Store Purchases Standard",
    "App Store Discovery and Engagement Standard",
    "App Install Performance",
)
TABLES = tuple(CuratedTable(REPORTS_BY_NAME[name], Granularity.DAILY) for name in REPORT_NAMES)
RESTATED_TABLE = next(table for table in TABLES if table.name == "engagement")
LATE_TABLE = next(table for table in TABLES if table.name == "downloads")
_DAY = timedelta(days=1)

Batches = dict[tuple[int, date], int]
"""Rows by app id and Date."""
Restated = dict[date, tuple[int, int]]
"""The rows of each restated Date before and after."""


@dataclass(frozen=True, slots=True)
class Story:
    """Three business days; the last one is `today`."""

    world: World
    today: date

    @property
    def days(self) -> tuple[date, date, date]:
        """The three days, oldest first."""
        return self.today - 2 * _DAY, self.today - _DAY, self.today

    @property
    def restated_series(self) -> Series:
        """The app whose Dates Apple restates on day three."""
        return Series(min(self.world.apps), RESTATED_TABLE.report.name, Granularity.DAILY)

    @property
    def late_series(self) -> Series:
        """The app whose instance of day two comes a day late."""
        return Series(max(self.world.apps), LATE_TABLE.report.name, Granularity.DAILY)

    @property
    def restated_dates(self) -> tuple[date, date]:
        """The first is complete on day two; the second is not, so that it grows and is restated in one instance."""
        return self.today - 4 * _DAY, self.today - 3 * _DAY

    def begin_day_two(self) -> int:
        """Move to day two, when one instance is held back. Returns the number of Apple's instances."""
        _, second, third = self.days
        self.world.move_to(second)
        self.world.delay_instance(self.late_series, second, third)
        return len(self.world.apps) * len(TABLES) - 1

    def begin_day_three(self) -> int:
        """Move to day three, with two restated Dates and the late instance. Returns the number of new instances."""
        for day in self.restated_dates:
            self.world.restate(self.restated_series, day)
        self.world.move_to(self.today)
        return len(self.world.apps) * len(TABLES) + 1

    def restated_rows(self) -> dict[date, int]:
        """The rows that the newest instances hold now for the restated Dates."""
        batches = self.rows_of(RESTATED_TABLE)
        app_id = int(self.restated_series.app_id)
        return {day: batches[app_id, day] for day in self.restated_dates}

    def rows_of(self, table: CuratedTable) -> Batches:
        """The rows of a correct table: those of the newest instance of each app and Date."""
        return {(int(one.app_id), one.date): one.rows for one in newest_vintages(self.world, table.report.name)}

    def rows_vanished(self, restated: Mapping[date, tuple[int, int]]) -> bool:
        """Whether the complete Date lost rows; an incomplete one can gain more than it loses."""
        before, after = restated[self.restated_dates[0]]
        return after < before

    def late_processing_dates(self) -> dict[date, date]:
        """The instance of each of the late app's Dates. The late instance has three Dates; the newer two of them
        arrived in another instance too."""
        _, second, third = self.days
        return {second - 3 * _DAY: second, third - 3 * _DAY: third, third - 2 * _DAY: third, third - _DAY: third}

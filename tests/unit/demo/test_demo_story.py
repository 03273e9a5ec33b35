"""The demo's expectations hold for every seed and day: run without a deployment."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.contract.tables import CuratedTable
from local.apple.model import Instance, WorldSettings
from local.apple.world import World
from local.story import LATE_TABLE, RESTATED_TABLE, TABLES, Story

DAY = timedelta(days=1)
PAIRS = [(seed, date(2026, 11, 29) + DAY * (seed * 37 % 731)) for seed in range(200)]


class Loader:
    """An independent reading of Apple's rule: for each Date the newest processing date has all rows."""

    def __init__(self, story: Story) -> None:
        self.world = story.world
        self.seen: set[str] = set()
        self.standing: dict[tuple[str, str, date], Instance] = {}

    def load(self) -> int:
        """Load all instances that Apple lists and that are new. Returns their number."""
        new = [one for one in self.listed() if one.id not in self.seen]
        self.seen.update(one.id for one in new)
        for instance in new:
            for day in instance.dates:
                key = (instance.series.report_name, instance.series.app_id, day)
                older = self.standing.get(key, instance)
                self.standing[key] = max(older, instance, key=lambda one: one.processing_date)
        return len(new)

    def listed(self) -> Iterator[Instance]:
        for app_id in self.world.apps:
            for request in self.world.requests_of(app_id):
                for table in TABLES:
                    listed = self.world.listed_instances(request, table.report)
                    yield from (one for one in listed if one.series.granularity is Granularity.DAILY)

    def of_table(self, table: CuratedTable, app_id: str) -> dict[date, Instance]:
        wanted = (table.report.name, app_id)
        return {day: one for (report, app, day), one in self.standing.items() if (report, app) == wanted}

    def rows(self, table: CuratedTable, app_id: str) -> dict[date, int]:
        """The number of rows of each Date, counted in the segments of the instance that has it."""
        position = [column.name for column in table.report.columns].index(table.report.date_column)
        counts = {}
        for day, instance in self.of_table(table, app_id).items():
            segments = (self.world.segment_rows(instance, index) for index in range(instance.segments))
            counts[day] = sum(row[position] == day.isoformat() for rows in segments for row in rows)
        return counts

    def restated_rows(self, story: Story) -> dict[date, int]:
        rows = self.rows(RESTATED_TABLE, story.restated_series.app_id)
        return {day: rows[day] for day in story.restated_dates}


def play(story: Story) -> tuple[Loader, dict[date, tuple[int, int]]]:
    """Three days with every expectation of the demo, checked against the loader."""
    loader = Loader(story)
    for app_id in story.world.apps:
        story.world.create_request(app_id, AccessType.ONGOING)
    assert loader.load() == 0
    expected = story.begin_day_two()
    assert loader.load() == expected
    before = loader.restated_rows(story)
    expected = story.begin_day_three()
    assert loader.load() == expected
    after = loader.restated_rows(story)
    assert loader.load() == 0
    return loader, {day: (before[day], after[day]) for day in story.restated_dates}


@pytest.mark.parametrize("number", range(0, 200, 10))
def test_every_expectation_holds_for_every_seed_and_day(number: int) -> None:
    for seed, today in PAIRS[number : number + 10]:
        apps = 1 + seed % 5
        story = Story(World(WorldSettings(today=today - 2 * DAY, seed=seed, apps=apps)), today)
        loader, restated = play(story)
        assert {day: after for day, (_, after) in restated.items()} == story.restated_rows(), (seed, today)
        assert story.rows_vanished(restated), (seed, today)
        late = loader.of_table(LATE_TABLE, story.late_series.app_id)
        assert {day: one.processing_date for day, one in late.items()} == story.late_processing_dates(), (seed, today)


@pytest.mark.parametrize(("seed", "apps"), [(8, 2), (3, 5)])
def test_a_date_that_was_not_complete_may_have_as_many_rows_after_its_restatement(seed: int, apps: int) -> None:
    today = date(2026, 11, 29)
    story = Story(World(WorldSettings(today=today - 2 * DAY, seed=seed, apps=apps)), today)
    _, restated = play(story)
    before, after = restated[story.restated_dates[1]]
    assert after >= before
    assert story.rows_vanished(restated)


def test_a_whole_right_lake_is_what_the_story_says_table_by_table() -> None:
    today = date(2026, 11, 29)
    story = Story(World(WorldSettings(today=today - 2 * DAY, seed=8, apps=2)), today)
    loader, _ = play(story)
    for table in TABLES:
        held = {
            (int(app_id), day): rows for app_id in story.world.apps for day, rows in loader.rows(table, app_id).items()
        }
        assert held == story.rows_of(table)


def test_a_pipeline_that_misses_the_restatement_is_found_out() -> None:
    today = date(2026, 11, 29)
    story = Story(World(WorldSettings(today=today - 2 * DAY, seed=1, apps=2)), today)
    _, restated = play(story)
    stale = {day: (before, before) for day, (before, _) in restated.items()}
    assert not story.rows_vanished(stale)
    assert {day: after for day, (_, after) in stale.items()} != story.restated_rows()

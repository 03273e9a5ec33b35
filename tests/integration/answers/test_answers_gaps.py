from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from unittest.mock import patch

from asking import backfill, day, days, gaps

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.schema_modes import SchemaModes
from appstore_analytics.rules.due import renewable_on
from appstore_analytics.rules.repairs import Repair
from appstore_analytics.steps.check_freshness import check_freshness
from local.apple import FaultKind
from local.apple.model import Series
from tests.integration.pipeline_in_process import APP, CRASHES, DOWNLOADS, Pipeline
from tests.integration.steps.athena_in_process import AthenaInProcess

DAY = timedelta(days=1)
FIRST = date(2025, 6, 2)  # the request's day, a Monday
FRIDAY = date(2025, 6, 13)  # when the week of that day is published


def test_nothing_is_missing_until_days_go_by_without_a_run(pipeline: Pipeline) -> None:
    day(pipeline)
    assert gaps(pipeline).sentence == "Apple has sent nothing yet."
    days(pipeline, 4)
    found = gaps(pipeline)
    assert found.is_good
    (table,) = found.tables
    assert (table.table_name, table.apps, table.dates_missing) == ("downloads", 1, 0)
    assert table.complete_until == pipeline.world.today - 3 * DAY  # complete after two days, and a run has fetched it
    assert table.dates_present > 0

    pipeline.world.advance(6)
    preliminary, gap = gaps(pipeline).gaps
    assert (preliminary.dates, preliminary.last) == (1, gap.first - DAY)
    assert preliminary.cause == "no run has listed instances since; an older vintage is in the tables"
    assert (gap.repair, gap.repair_from) == (Repair.NEXT_RUN, pipeline.world.today)
    assert gap.cause == "no run has listed instances since"
    assert gap.last == pipeline.world.today - 3 * DAY
    assert gap.dates == (gap.last - gap.first).days + 1
    assert gap.days_left == 35 - (pipeline.world.today - (gap.first + 2 * DAY)).days
    day(pipeline)
    assert gaps(pipeline).is_good


def weekly(start: Callable[..., Pipeline]) -> Pipeline:
    """Weekly reports of one app: few instances in a long time."""
    return start(reports=("App Crashes",), granularities=(Granularity.WEEKLY,))


def test_what_apple_has_deleted_only_a_snapshot_repairs(start: Callable[..., Pipeline]) -> None:
    pipeline = weekly(start)
    day(pipeline)
    days(pipeline, 4)
    pipeline.world.advance(84)
    unasked = gaps(pipeline).gaps
    assert {(gap.cause, gap.repair) for gap in unasked if not gap.days_left} == {
        ("no run has listed instances since", Repair.BACKFILL)
    }
    day(pipeline)
    found = gaps(pipeline)
    assert not found.is_good
    assert {(gap.repair, gap.repair_from, gap.days_left) for gap in found.gaps} == {
        (Repair.BACKFILL, pipeline.world.today, 0)
    }
    assert "Apple listed no instance" in {gap.cause for gap in found.gaps}
    assert {gap.first.weekday() for gap in found.gaps} == {0}
    assert gaps(pipeline, since=found.gaps[-1].last + DAY).is_good
    assert found.tables[0].complete_until == found.gaps[0].first - 7 * DAY


def test_a_snapshot_that_was_made_too_early_has_to_be_waited_for(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"dates_per_instance": 1}, reports=("App Crashes",), granularities=(Granularity.WEEKLY,))
    pipeline.world.delay_instance(Series(APP, "App Crashes", Granularity.WEEKLY), FRIDAY, FRIDAY + 90 * DAY)
    day(pipeline)
    backfill(pipeline, FIRST - 30 * DAY, FIRST)
    pipeline.world.move_to(FRIDAY + 8 * DAY)
    day(pipeline)
    (gap,) = [gap for gap in gaps(pipeline).gaps if gap.first == FIRST]
    assert (gap.cause, gap.repair) == ("Apple listed no instance", Repair.BACKFILL)
    assert gap.repair_from == renewable_on(FIRST) > pipeline.world.today
    assert gap.days_left == 27


def test_dates_that_a_backfill_waits_for_are_for_the_next_runs(pipeline: Pipeline) -> None:
    day(pipeline)
    days(pipeline, 1)
    backfill(pipeline, date(2025, 5, 26), date(2025, 5, 29))  # the snapshot is not ready
    (gap,) = gaps(pipeline).gaps
    assert (gap.first, gap.dates, gap.days_left) == (date(2025, 5, 26), 4, 0)
    assert (gap.cause, gap.repair) == ("a backfill waits for its snapshot", Repair.NEXT_RUN)
    days(pipeline, 1)
    found = gaps(pipeline)
    assert found.is_good
    assert found.tables[0].dates_present >= 4


def test_a_date_of_which_apple_sends_no_rows_is_not_missing(pipeline: Pipeline) -> None:
    series = Series(APP, DOWNLOADS, Granularity.DAILY)
    pipeline.world.skip_date(series, FIRST + DAY)
    day(pipeline)
    days(pipeline, 4)
    found = gaps(pipeline)
    assert found.is_good
    assert found.tables[0].dates_without_rows >= 1


def test_a_date_whose_instances_are_all_quarantined_is_for_reprocessing(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"dates_per_instance": 2})
    day(pipeline)
    days(pipeline, 1)
    pipeline.fault(FaultKind.SHORT_ROW, "GET /v1/analyticsReportInstances/.*/segments", times=None)
    days(pipeline, 2)
    pipeline.world.faults.clear()
    days(pipeline, 2)
    preliminary, gap = gaps(pipeline).gaps
    assert (preliminary.first, preliminary.dates, preliminary.repair) == (FIRST, 1, Repair.REPROCESS)
    assert (gap.first, gap.dates) == (FIRST + DAY, 1)  # both instances of the two days in which it settled
    assert (gap.repair, gap.repair_from) == (Repair.REPROCESS, pipeline.world.today)
    assert "quarantined" in gap.cause


def test_dates_for_which_a_snapshot_was_quarantined_are_for_reprocessing(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"history_start": date(2025, 5, 1), "rows_per_date": 1})
    backfill(pipeline, date(2025, 5, 26), date(2025, 5, 27))
    pipeline.world.advance(1)
    pipeline.fault(FaultKind.HEADER_ADDED, "/segments$")
    backfill(pipeline, date(2025, 5, 26), date(2025, 5, 27))
    pipeline.schema_modes = SchemaModes(exceptions=("downloads",))
    backfill(pipeline, date(2025, 5, 28), date(2025, 5, 29))
    day(pipeline)
    (gap,) = gaps(pipeline).gaps
    assert (gap.first, gap.dates) == (date(2025, 5, 28), 2)
    assert (gap.repair, gap.repair_from) == (Repair.REPROCESS, pipeline.world.today)
    assert "quarantined" in gap.cause


def test_an_app_that_never_had_a_report_has_no_gaps_of_it(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"missing_share": 1.0})
    day(pipeline)
    days(pipeline, 6)
    assert gaps(pipeline).is_good
    assert gaps(pipeline).tables == ()


def test_weeks_are_expected_after_their_friday(start: Callable[..., Pipeline]) -> None:
    pipeline = start(reports=("App Crashes",), granularities=(Granularity.WEEKLY,))
    day(pipeline)
    pipeline.world.advance(12)
    days(pipeline, 1)
    found = gaps(pipeline)
    assert found.is_good
    (table,) = found.tables
    assert table.table_name == "crashes_weekly"
    assert table.complete_until is not None
    assert table.complete_until.weekday() == 0


def test_of_a_week_that_a_late_instance_has_no_row_of_gaps_says_what_freshness_says(
    start: Callable[..., Pipeline],
) -> None:
    pipeline = weekly(start)
    week, saturday = FIRST + 7 * DAY, FRIDAY + 8 * DAY
    series = Series(APP, CRASHES, Granularity.WEEKLY)
    pipeline.daily()
    pipeline.world.move_to(FRIDAY)
    pipeline.daily()
    pipeline.world.delay_instance(series, FRIDAY + 7 * DAY, FRIDAY + 90 * DAY)
    pipeline.world.move_to(saturday)
    pipeline.daily()
    assert [gap.first for gap in gaps(pipeline).gaps] == [week]
    assert freshness(pipeline) == {"late": 1}
    with patch("local.apple.world.is_publication_day", return_value=True):
        pipeline.world.add_late_instance(series, saturday, (FIRST,))
    pipeline.daily()
    assert gaps(pipeline).is_good
    assert freshness(pipeline) == {"zero": 1}


def freshness(pipeline: Pipeline) -> dict[str, int]:
    athena: Any = AthenaInProcess(pipeline.lake)
    at = datetime.combine(pipeline.world.today, time(14, tzinfo=UTC))
    return check_freshness(at, timedelta(hours=26), pipeline.lake, athena, pipeline.metrics.__setitem__)

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from athena_in_process import AthenaInProcess

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.errors import QueryInterrupted
from appstore_analytics.contract.metrics import Metric
from appstore_analytics.contract.tables import APPSTORE_TABLES
from appstore_analytics.steps.check_freshness import check_freshness
from local.apple import FaultKind
from local.apple.model import Series
from tests.integration.pipeline_in_process import APP, CRASHES, DOWNLOADS, Pipeline

DAY = timedelta(days=1)
TOLERANCE = timedelta(hours=26)
NOON = time(14, tzinfo=UTC)
MONDAY = date(2025, 6, 2)  # when the requests are created
NEXT_MONDAY = MONDAY + DAY * 7
LIST_SEGMENTS = r"/segments$"


def check(pipeline: Pipeline, at: datetime | None = None) -> dict[str, int]:
    at = at or datetime.combine(pipeline.world.today, NOON)
    athena: Any = AthenaInProcess(pipeline.lake)
    return check_freshness(at, TOLERANCE, pipeline.lake, athena, pipeline.metrics.__setitem__)


def rows(pipeline: Pipeline) -> list[dict[str, Any]]:
    *_, newest = pipeline.lake.list("appstore/freshness/")
    return [json.loads(line) for line in (pipeline.lake.read(newest.key) or b"").splitlines()]


def run_until(pipeline: Pipeline, day: date) -> None:
    """One daily run on this day, which fetches the new data."""
    pipeline.world.move_to(day)
    pipeline.daily()


@pytest.fixture
def week(start: Callable[..., Pipeline]) -> Pipeline:
    """Two apps, one report, four days of data until Monday."""
    pipeline = start({"apps": 2, "dates_per_instance": 3, "today": NEXT_MONDAY - DAY * 4})
    pipeline.daily()
    run_until(pipeline, NEXT_MONDAY)
    return pipeline


def test_before_the_first_run_there_is_nothing_to_judge(pipeline: Pipeline) -> None:
    assert check(pipeline) == {}
    assert list(pipeline.lake.list("appstore/")) == []
    assert pipeline.metrics == {Metric.FEEDS_FRESH: 0, Metric.FEEDS_STALE: 0}


def test_after_the_first_run_nothing_is_ready_yet(pipeline: Pipeline) -> None:
    pipeline.daily()
    assert check(pipeline) == {"not ready": 1}


def test_a_week_of_good_runs_is_fresh(week: Pipeline) -> None:
    assert check(week) == {"fresh": 2}
    assert (week.metrics[Metric.FEEDS_FRESH], week.metrics[Metric.FEEDS_STALE]) == (2, 0)
    first, _ = rows(week)
    arrived_at = first.pop("arrived_at")
    assert datetime.fromisoformat(arrived_at).date() == NEXT_MONDAY
    assert first == {
        "checked_at": "2025-06-09T14:00:00+00:00",
        "app_id": int(APP),
        "table_name": "downloads",
        "verdict": "fresh",
        "reason": "",
        "newest_due_date": "2025-06-06",
        "missing_dates": [],
        "newest_processing_date": "2025-06-09",
    }


def test_the_rows_have_the_columns_of_the_table_and_are_replaced_by_the_next_check(week: Pipeline) -> None:
    check(week)
    check(week, datetime.combine(NEXT_MONDAY, NOON) + timedelta(hours=1))
    (stored,) = week.lake.list("appstore/freshness/")
    assert stored.key == "appstore/freshness/dt=2025-06-09/last-check.jsonl"
    (table,) = [table for table in APPSTORE_TABLES if table.name == "freshness"]
    assert [list(row) for row in rows(week)] == [[name for name, _ in table.columns]] * 2
    assert {row["checked_at"] for row in rows(week)} == {"2025-06-09T15:00:00+00:00"}


def test_an_app_that_falls_silent_is_late_when_its_next_date_is_due_and_not_before(week: Pipeline) -> None:
    week.world.stop_request(APP)
    run_until(week, NEXT_MONDAY + DAY * 2)
    # Sunday, for which an older instance exists, is complete on Tuesday by 10:00, and must be present 26 hours later
    wednesday_noon = datetime.combine(NEXT_MONDAY + DAY * 2, time(12, tzinfo=UTC))
    assert check(week, wednesday_noon - timedelta(minutes=1)) == {"fresh": 2}
    assert check(week, wednesday_noon) == {"fresh": 1, "late": 1}
    assert (week.metrics[Metric.FEEDS_FRESH], week.metrics[Metric.FEEDS_STALE]) == (1, 1)
    late, _ = rows(week)
    sunday = NEXT_MONDAY - DAY
    assert (late["app_id"], late["missing_dates"]) == (int(APP), [sunday.isoformat()])
    check(week, wednesday_noon + DAY)
    assert rows(week)[0]["missing_dates"] == [sunday.isoformat(), NEXT_MONDAY.isoformat()]


def test_a_request_that_was_stopped_and_made_anew_says_so(week: Pipeline) -> None:
    week.world.stop_request(APP)
    run_until(week, NEXT_MONDAY + DAY * 5)
    assert [request.created_on for request in week.world.requests_of(APP)] == [NEXT_MONDAY + DAY * 5]
    check(week)
    stopped, living = rows(week)
    assert (stopped["verdict"], living["verdict"]) == ("stopped", "fresh")
    assert stopped["missing_dates"]
    assert "replaced on 2025-06-14" in stopped["reason"]


def test_a_date_without_rows_in_an_instance_that_could_hold_it_is_zero(week: Pipeline) -> None:
    day = NEXT_MONDAY + DAY * 2
    week.world.skip_date(Series(APP, DOWNLOADS, Granularity.DAILY), day)
    run_until(week, day + DAY * 3)
    assert check(week) == {"fresh": 1, "zero": 1}


@pytest.mark.parametrize(("status", "verdict"), [(403, "forbidden"), (401, "key expired")])
def test_a_key_that_does_not_open_is_named_once_data_is_missing(week: Pipeline, status: int, verdict: str) -> None:
    week.fault(FaultKind.STATUS, "/v1/", status=status, times=None)
    run_until(week, NEXT_MONDAY + DAY)
    assert check(week) == {"fresh": 2}
    run_until(week, NEXT_MONDAY + DAY * 4)
    assert check(week) == {verdict: 2}


def test_a_quarantined_file_stands_until_a_newer_one_is_converted(week: Pipeline) -> None:
    week.world.advance(1)
    week.fault(FaultKind.SHORT_ROW, "/segments$")
    week.daily()
    assert check(week) == {"fresh": 1, "quarantined": 1}
    run_until(week, NEXT_MONDAY + DAY * 2)
    assert check(week) == {"fresh": 2}


def test_a_report_that_apple_never_builds_for_an_app_is_below_its_threshold(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"dates_per_instance": 3}, reports=(DOWNLOADS, CRASHES))
    pipeline.daily()
    for number in range(1, 12):
        day = MONDAY + DAY * number
        pipeline.world.delay_instance(Series(APP, CRASHES, Granularity.DAILY), day, day + DAY * 60)
    run_until(pipeline, MONDAY + DAY * 10)
    assert check(pipeline) == {"below threshold": 1, "fresh": 1}


def test_a_date_that_was_rolled_back_is_late_until_it_is_converted_again(week: Pipeline) -> None:
    week.world.move_to(NEXT_MONDAY + DAY * 2)
    plan = week.whole()
    week.rollback(plan)
    thursday = datetime.combine(NEXT_MONDAY + DAY * 3, NOON)
    assert check(week, thursday) == {"late": 2}
    late, _ = rows(week)
    assert late["missing_dates"] == [str(NEXT_MONDAY - DAY), str(NEXT_MONDAY)]  # Sunday only in Monday's version
    assert (late["newest_processing_date"], late["reason"]) == (
        str(NEXT_MONDAY),
        f"The run {plan.run_id} was rolled back: a reprocess brings it back.",
    )
    week.whole(operation="reprocess", run_id=plan.run_id)
    assert check(week, thursday) == {"fresh": 2}


def test_an_instance_that_stood_before_the_run_that_was_rolled_back_still_speaks(week: Pipeline) -> None:
    day = NEXT_MONDAY + DAY * 2
    week.world.skip_date(Series(APP, DOWNLOADS, Granularity.DAILY), day)
    run_until(week, day + DAY * 3)
    with patch("appstore_analytics.lake.conversion.WRITER_VERSION", "another"):
        again = week.whole(operation="reprocess")
    assert week.report()["parts_replaced"] > 0
    week.rollback(again)
    assert check(week) == {"fresh": 1, "zero": 1}


def test_a_query_that_met_a_replaced_object_is_asked_once_more(week: Pipeline) -> None:
    class Interrupted(AthenaInProcess):
        def rows(self, sql: str, database: str) -> Iterator[tuple[str | None, ...]]:
            if sql not in self.queries:
                self.queries.append(sql)
                raise QueryInterrupted("An object was replaced.")
            return super().rows(sql, database)

    athena: Any = Interrupted(week.lake)
    at = datetime.combine(week.world.today, NOON)
    assert check_freshness(at, TOLERANCE, week.lake, athena, week.metrics.__setitem__) == {"fresh": 2}

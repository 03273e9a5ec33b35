"""17 January with a sufficient quota per rolling hour, and the day after with a quota that is too small."""

import math
from collections.abc import Iterator
from datetime import timedelta

import pytest

from appstore_analytics.contract.operations import Operation
from appstore_analytics.rules.call_budget import ceiling
from tests.aws_in_process import aws_in_process
from tests.integration.january.scenario import (
    ADMIN_SENTENCE,
    APP_IDS,
    APPS,
    CALLS_PER_HOUR,
    EXISTING,
    FORBIDDEN,
    FOUND,
    NEW,
    RACED,
    REPORTS,
    Day,
    show,
    start,
)
from tests.integration.pipeline_in_process import (
    CREATE,
    LIST_INSTANCES,
    LIST_REPORTS,
    LIST_REQUESTS,
    LIST_SEGMENTS,
)

SLOW_CALLS_PER_HOUR = CALLS_PER_HOUR // 6
FIRST, GRANTED, READY, STEADY = (
    "first day",
    "the same day, with the role",
    "second day",
    "third day, a sixth of the quota",
)


@pytest.fixture(scope="module")
def days() -> Iterator[dict[str, Day]]:
    with aws_in_process():
        pipeline = start()
        found = [pipeline.day(FIRST)]
        pipeline.grant_the_role()
        found.append(pipeline.day(GRANTED))
        pipeline.world.advance(1)
        found.append(pipeline.day(READY))
        pipeline.world.advance(1)
        pipeline.calls_per_hour = pipeline.world.calls.limit = SLOW_CALLS_PER_HOUR
        found.append(pipeline.day(STEADY))
        show(found)
        yield {day.name: day for day in found}


def test_the_first_day_ends_with_exactly_the_forbidden_reported_and_the_role_they_need(
    days: dict[str, Day],
) -> None:
    report = days[FIRST].report
    assert report["status"] == "FAILED"
    assert report["apps_by_verdict"]["forbidden"] == [*FORBIDDEN]
    assert report["cause"].startswith(f"{len(FORBIDDEN)} of {APPS} apps failed: ")
    assert all(f"{app_id} (" in report["cause"] for app_id in FORBIDDEN)
    assert [(error["item"], error["reason"]) for error in report["errors"]] == [
        (f"REGISTER#{app_id}", ADMIN_SENTENCE.format(app_id)) for app_id in FORBIDDEN
    ]


def test_the_forbidden_apps_stop_no_other(days: dict[str, Day]) -> None:
    report = days[FIRST].report
    assert report["apps_by_verdict"] == {
        "forbidden": [*FORBIDDEN],
        "verified": [*FOUND],
        "not ready": [*RACED, *NEW],
    }
    assert (report["requests_created"], report["duplicates_prevented"]) == (len(NEW), len(EXISTING))


def test_the_first_day_makes_no_call_that_could_not_help(days: dict[str, Day]) -> None:
    first = days[FIRST]
    assert first.routes[LIST_REQUESTS] == {"200": APPS + len(RACED)}  # check once; once more after a 409
    assert first.routes[CREATE] == {"201": len(NEW), "409": len(RACED), "403": len(FORBIDDEN)}
    assert first.routes[LIST_REPORTS] == {"200": len(EXISTING)}
    assert first.routes[LIST_INSTANCES] == {"200": len(EXISTING) * REPORTS}  # today's requests have no data
    assert first.routes[LIST_SEGMENTS] == {"200": len(FOUND) * REPORTS}


def test_with_the_role_only_the_forbidden_are_registered(days: dict[str, Day]) -> None:
    granted = days[GRANTED]
    assert granted.report["status"] == "SUCCEEDED"
    assert granted.report["requests_created"] == len(FORBIDDEN)
    assert granted.routes[LIST_REQUESTS] == {"200": len(FORBIDDEN)}
    assert granted.routes[CREATE] == {"201": len(FORBIDDEN)}
    assert granted.routes[LIST_INSTANCES] == {"200": len(EXISTING) * REPORTS}
    assert LIST_SEGMENTS not in granted.routes


@pytest.mark.parametrize("name", [READY, STEADY])
def test_every_app_ends_verified(days: dict[str, Day], name: str) -> None:
    assert days[name].report["status"] == "SUCCEEDED"
    assert days[name].report["apps_by_verdict"] == {"verified": [*APP_IDS]}
    assert days[name].report["instances"] == APPS * REPORTS


def test_a_day_takes_one_list_of_instances_per_report_and_one_of_segments_per_instance(days: dict[str, Day]) -> None:
    steady = days[STEADY]
    assert steady.routes[LIST_INSTANCES] == steady.routes[LIST_SEGMENTS] == {"200": APPS * REPORTS}
    assert steady.calls == 2 * APPS * REPORTS
    asked_for_its_reports = APPS - len(EXISTING)
    assert days[READY].calls == steady.calls + asked_for_its_reports


def test_apple_never_has_to_throttle(days: dict[str, Day]) -> None:
    assert [day.answers(429) for day in days.values()] == [0, 0, 0, 0]


def test_a_day_within_the_quota_waits_for_nothing(days: dict[str, Day]) -> None:
    for name in (FIRST, GRANTED, READY):
        assert days[name].waited == timedelta()


def test_a_day_beyond_the_quota_is_late_and_complete(days: dict[str, Day]) -> None:
    steady = days[STEADY]
    hours = math.ceil(steady.calls / ceiling(SLOW_CALLS_PER_HOUR, Operation.DAILY)) - 1
    assert hours == 3
    assert timedelta(hours=hours) <= steady.took
    assert timedelta(hours=hours) * 0.9 < steady.waited <= hours * timedelta(minutes=61, seconds=10)


def test_the_run_report_counts_the_calls_as_apple_does(days: dict[str, Day]) -> None:
    assert [day.report["apple_calls"] for day in days.values()] == [day.calls for day in days.values()]

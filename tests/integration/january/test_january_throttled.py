"""17 January with a key that Apple throttles for a minute after 30 calls (of 92 apps), whatever its hourly quota."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.aws_in_process import aws_in_process
from tests.integration.january.scenario import (
    APP_IDS,
    APPS,
    EXISTING,
    FOUND,
    RACED,
    REPORTS,
    Day,
    of_the_whole,
    show,
    start,
)
from tests.integration.pipeline_in_process import CREATE, LIST_INSTANCES, LIST_REQUESTS, LIST_SEGMENTS

CALLS_BEFORE_REST = of_the_whole(30)
LONGEST_REST = timedelta(seconds=60 + 5 + 2)  # the minute, the jitter of waiting children, whole seconds
FIRST, READY = (f"{name} day, {CALLS_BEFORE_REST} calls a minute" for name in ("first", "second"))


@pytest.fixture(scope="module")
def days() -> Iterator[dict[str, Day]]:
    with aws_in_process():
        pipeline = start(forbidden=(), calls_before_rest=CALLS_BEFORE_REST)
        found = [pipeline.day(FIRST)]
        pipeline.world.advance(1)
        found.append(pipeline.day(READY))
        show(found)
        yield {day.name: day for day in found}


def test_a_429_is_nobodys_failure_and_every_app_ends_verified(days: dict[str, Day]) -> None:
    assert days[FIRST].report["apps_by_verdict"] == {
        "verified": [*FOUND],
        "not ready": [app_id for app_id in APP_IDS if app_id not in FOUND],
    }
    assert days[READY].report["apps_by_verdict"] == {"verified": [*APP_IDS]}
    assert [day.report["errors"] for day in days.values()] == [[], []]


def test_every_request_is_made_once(days: dict[str, Day]) -> None:
    made = days[FIRST].report["requests_created"]
    assert made == days[FIRST].routes[CREATE]["201"] == APPS - len(EXISTING)
    assert CREATE not in days[READY].routes


def test_apple_refuses_one_call_per_minute_of_rest_and_no_retry_more(days: dict[str, Day]) -> None:
    answered = sum(day.calls - day.answers(429) for day in days.values())
    assert sum(day.answers(429) for day in days.values()) == (answered - 1) // CALLS_BEFORE_REST > 10


def test_only_a_look_is_repeated_where_the_creation_after_it_was_throttled(days: dict[str, Day]) -> None:
    first = days[FIRST]
    looked = first.answers(200, LIST_REQUESTS)
    assert APPS + len(RACED) - 1 <= looked <= APPS + len(RACED) + first.answers(429, CREATE)
    assert first.answers(200, LIST_INSTANCES) == len(EXISTING) * REPORTS
    ready = days[READY]
    assert ready.answers(200, LIST_INSTANCES) == ready.answers(200, LIST_SEGMENTS) == APPS * REPORTS


def test_every_rest_lasts_its_minute_and_none_doubles(days: dict[str, Day]) -> None:
    for day in days.values():
        assert day.answers(429) * timedelta(seconds=60) <= day.waited <= day.answers(429) * LONGEST_REST


def test_one_wait_is_everybodys(days: dict[str, Day]) -> None:
    for day in days.values():
        assert day.waits <= day.answers(429) + 1

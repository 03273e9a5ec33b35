from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from appstore_analytics.contract.catalogue import CORE_REPORT_NAMES
from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.errors import ConfigurationRefused
from appstore_analytics.contract.operations import Operation
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.rules.call_budget import (
    available_at,
    calls_needed,
    calls_per_day,
    ceiling,
    closure_seconds,
    is_given_back,
    minute_of,
    refuse_beyond_the_quota,
)

NOW = datetime(2025, 6, 2, 10, 0, 30, tzinfo=UTC)
BOOKED = st.dictionaries(st.integers(minute_of(NOW) - 60, minute_of(NOW)), st.integers(0, 100), max_size=12)


def fits(booked: dict[int, int], wanted: int, most: int, now: datetime) -> bool:
    return sum(calls for minute, calls in booked.items() if not is_given_back(minute, now)) + wanted <= most


def test_three_percent_of_the_quota_are_spared_and_a_backfill_takes_half_of_the_rest() -> None:
    assert ceiling(3500, Operation.DAILY) == 3395
    assert ceiling(3500, Operation.BACKFILL) == 1697
    assert calls_per_day(3500) == 81480


@given(st.integers(1, 100_000))
def test_no_operation_ever_sees_the_whole_quota_used(quota: int) -> None:
    assert 2 * ceiling(quota, Operation.BACKFILL) <= ceiling(quota, Operation.DAILY) < quota
    assert calls_per_day(quota) < 24 * quota


def test_a_day_takes_two_calls_for_every_report_of_every_app() -> None:
    assert calls_needed(apps=150, reports=26) == 7800


def plan_of(apps: int, calls_per_hour: int, operation: Operation = Operation.DAILY) -> RunPlan:
    return RunPlan(
        run_id="20250602T100030000Z",
        operation=operation,
        as_of=NOW.date(),
        started_at=NOW,
        accounts=(Account("main", tuple(map(str, range(1, apps + 1)))),),
        reports=CORE_REPORT_NAMES,
        granularities=(Granularity.DAILY,),
        calls_per_hour=calls_per_hour,
    )


def test_a_plan_that_needs_more_calls_than_a_day_has_is_refused() -> None:
    refuse_beyond_the_quota(plan_of(apps=1, calls_per_hour=3500), releases=True)
    with pytest.raises(ConfigurationRefused, match=r"10,000 apps × \d+ reports .* need [\d,]+ calls a day"):
        refuse_beyond_the_quota(plan_of(apps=10_000, calls_per_hour=3500), releases=False)


def test_a_plan_whose_steps_take_more_calls_than_its_share_of_an_hour_is_refused() -> None:
    refuse_beyond_the_quota(plan_of(apps=1, calls_per_hour=40), releases=False)
    with pytest.raises(ConfigurationRefused, match=r"One app takes up to .* the operation backfill can use 19"):
        refuse_beyond_the_quota(plan_of(1, 40, Operation.BACKFILL), releases=False)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)), st.integers(-90, 90))  # noqa: DTZ001
def test_a_minute_is_given_back_only_when_all_of_it_is_an_hour_old(instant: datetime, minutes: int) -> None:
    now = instant + timedelta(hours=1, minutes=minutes)
    minute = minute_of(instant)
    end_of_minute = datetime.fromtimestamp((minute + 1) * 60, UTC)
    assert is_given_back(minute, now) is (now - end_of_minute >= timedelta(hours=1))


@given(BOOKED, st.integers(1, 200), st.integers(200, 900))
def test_at_the_answered_instant_the_calls_fit_and_a_moment_earlier_they_do_not(
    booked: dict[int, int], wanted: int, most: int
) -> None:
    assume(not fits(booked, wanted, most, NOW))
    answer = available_at(booked, wanted, most, NOW)
    assert fits(booked, wanted, most, answer)
    assert not fits(booked, wanted, most, answer - timedelta(microseconds=1))
    assert NOW < answer <= NOW + timedelta(minutes=61)


def test_calls_that_never_fit_are_asked_again_in_an_hour() -> None:
    assert available_at({minute_of(NOW): 5}, 11, 10, NOW) == NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("refusals", "seconds"), [(0, 60), (1, 60), (2, 120), (3, 240), (6, 1920), (7, 3600), (500, 3600)]
)
def test_a_key_rests_twice_as_long_after_every_refusal_and_at_most_an_hour(refusals: int, seconds: int) -> None:
    assert closure_seconds(refusals) == seconds


@pytest.mark.parametrize(("asked", "seconds"), [(0, 1), (30, 30), (3600, 3600), (999_999_999, 3600)])
def test_a_key_rests_as_long_as_apple_asks_but_no_longer_than_its_quotas_hour(asked: int, seconds: int) -> None:
    assert closure_seconds(5, asked) == seconds

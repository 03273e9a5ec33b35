from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.rules.due import (
    INSTANCE_LIFE_DAYS,
    is_due,
    may_have_instances,
    must_look,
    snapshot_is_due,
    snapshot_is_outdated,
)

TODAY = date(2025, 6, 2)


def days_ago(days: int) -> date:
    return TODAY - timedelta(days=days)


@pytest.mark.parametrize("granularity", Granularity)
def test_everything_is_due_while_nothing_has_been_listed(granularity: Granularity) -> None:
    assert is_due(granularity, TODAY, None)


def test_a_request_of_today_has_brought_nothing_yet_and_one_of_unknown_age_may_have() -> None:
    assert not may_have_instances(TODAY, TODAY)
    assert may_have_instances(days_ago(1), TODAY)
    assert may_have_instances(None, TODAY)


def test_daily_instances_are_due_even_when_todays_is_there() -> None:
    assert is_due(Granularity.DAILY, TODAY, TODAY)


@pytest.mark.parametrize(
    ("as_of", "newest", "due"),
    [
        (date(2025, 6, 6), date(2025, 5, 30), True),  # Friday
        (date(2025, 6, 6), date(2025, 6, 6), False),
        (date(2025, 6, 12), date(2025, 6, 6), False),  # Thursday
        (date(2025, 6, 13), date(2025, 6, 6), True),
    ],
)
def test_weekly_instances_are_due_from_friday_on(as_of: date, newest: date, due: bool) -> None:
    assert is_due(Granularity.WEEKLY, as_of, newest) is due


@pytest.mark.parametrize(
    ("as_of", "newest", "due"),
    [
        (date(2025, 6, 4), date(2025, 5, 5), False),
        (date(2025, 6, 5), date(2025, 5, 5), True),
        (date(2025, 6, 30), date(2025, 6, 5), False),
        (date(2025, 1, 4), date(2024, 12, 5), False),
        (date(2025, 1, 4), date(2024, 12, 4), True),
    ],
)
def test_monthly_instances_are_due_from_the_fifth_on(as_of: date, newest: date, due: bool) -> None:
    assert is_due(Granularity.MONTHLY, as_of, newest) is due


@given(st.dates(date(2023, 12, 1), date(2025, 6, 2)), st.integers(0, 70))
def test_no_day_of_publication_is_ever_skipped(newest: date, later: int) -> None:
    since = [newest + timedelta(days=number) for number in range(1, later + 1)]
    as_of = newest + timedelta(days=later)
    assert is_due(Granularity.WEEKLY, as_of, newest) is any(day.weekday() == 4 for day in since)
    assert is_due(Granularity.MONTHLY, as_of, newest) is any(day.day == 5 for day in since)


@pytest.mark.parametrize(
    ("looked_on", "newest", "look"),
    [
        (None, TODAY, True),
        (days_ago(7), TODAY, True),
        (days_ago(6), TODAY, False),
        (days_ago(1), days_ago(3), False),
        (days_ago(1), days_ago(4), True),
        (TODAY, days_ago(30), False),
        (days_ago(6), None, False),
    ],
)
def test_a_known_request_is_looked_at_weekly_and_daily_while_it_is_silent(
    looked_on: date | None, newest: date | None, look: bool
) -> None:
    assert must_look(looked_on, newest, TODAY) is look


def test_a_snapshot_of_our_own_is_outdated_after_33_days() -> None:
    assert not snapshot_is_outdated(days_ago(32), days_ago(32), None, TODAY)
    assert snapshot_is_outdated(days_ago(33), days_ago(33), TODAY, TODAY)


def test_an_adopted_snapshot_is_at_least_as_old_as_our_knowledge_of_it() -> None:
    assert not snapshot_is_outdated(None, days_ago(32), days_ago(40), TODAY)
    assert snapshot_is_outdated(None, days_ago(33), days_ago(40), TODAY)


def test_an_adopted_snapshot_without_instances_has_outlived_them() -> None:
    assert not snapshot_is_outdated(None, days_ago(3), None, TODAY)
    assert snapshot_is_outdated(None, days_ago(4), None, TODAY)
    assert not snapshot_is_outdated(days_ago(4), days_ago(4), None, TODAY)  # ours: Apple may still be building it


def test_a_snapshot_that_nobody_knows_is_not_outdated() -> None:
    assert not snapshot_is_outdated(None, None, None, TODAY)


def test_a_snapshot_is_renewed_before_its_instances_expire() -> None:
    asked = days_ago(INSTANCE_LIFE_DAYS - 1)
    assert snapshot_is_outdated(asked, asked, TODAY, TODAY)


@pytest.mark.parametrize(("has_instances", "last_day"), [(False, INSTANCE_LIFE_DAYS), (True, 7)])
def test_a_daily_run_looks_for_a_snapshot_until_it_has_settled(has_instances: bool, last_day: int) -> None:
    assert snapshot_is_due(TODAY, has_instances, TODAY)
    assert snapshot_is_due(days_ago(last_day), has_instances, TODAY)
    assert not snapshot_is_due(days_ago(last_day + 1), has_instances, TODAY)

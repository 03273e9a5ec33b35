from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.model.instances import InstanceStatus, LedgerInstance
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.model.requests import Asked, KnownRequest
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.rules.due import (
    INSTANCE_LIFE_DAYS,
    due_tables,
    is_awaited,
    is_convertible,
    is_due,
    is_silent,
    is_to_land,
    listing_verdict,
    may_have_instances,
    must_look,
    offer_is_old,
    outdated,
    run_that_answers_for,
    verdict_as_it_stands,
)

TODAY = date(2025, 6, 2)
ENGAGEMENT, WEEKLY = tables_by_name()["engagement"], tables_by_name()["engagement_weekly"]
ONGOING = KnownRequest("1000000001", AccessType.ONGOING, request_id="a")
SNAPSHOT = KnownRequest("1000000001", AccessType.ONE_TIME_SNAPSHOT, request_id="b")


def days_ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def plan_of(operation: Operation) -> RunPlan:
    return RunPlan(
        run_id="20250602T100000000Z-x",
        operation=operation,
        as_of=TODAY,
        started_at=datetime(2025, 6, 2, 10, tzinfo=UTC),
        accounts=(),
        reports=(ENGAGEMENT.report.name,),
        granularities=(Granularity.DAILY, Granularity.WEEKLY),
        calls_per_hour=3600,
    )


DAILY, BACKFILL = plan_of(Operation.DAILY), plan_of(Operation.BACKFILL)


def instance_of(access_type: AccessType = AccessType.ONGOING, **known: object) -> LedgerInstance:
    instance = LedgerInstance("1000000001", "engagement", Granularity.DAILY, Vintage(days_ago(1), access_type, "i"))
    return replace(instance, **known)  # type: ignore[arg-type]


@pytest.mark.parametrize("granularity", Granularity)
def test_everything_is_due_while_nothing_has_been_listed(granularity: Granularity) -> None:
    assert is_due(granularity, TODAY, None)


def test_a_request_of_today_has_brought_nothing_yet_and_one_of_unknown_age_may_have() -> None:
    assert not may_have_instances(replace(ONGOING, requested_on=TODAY), TODAY)
    assert may_have_instances(replace(ONGOING, requested_on=days_ago(1)), TODAY)
    assert may_have_instances(ONGOING, TODAY)


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
    known = replace(ONGOING, looked_on=looked_on, newest_instance=newest)
    assert must_look(known, TODAY) is look
    assert not is_silent(replace(known, newest_instance=None), TODAY)


def test_the_reports_of_a_request_are_listed_again_after_a_week() -> None:
    assert offer_is_old(ONGOING, TODAY)
    assert offer_is_old(replace(ONGOING, offer_read_on=days_ago(7)), TODAY)
    assert not offer_is_old(replace(ONGOING, offer_read_on=days_ago(6)), TODAY)


# When a snapshot is requested again


def ours(age: int) -> KnownRequest:
    return replace(SNAPSHOT, requested_on=days_ago(age), known_since=days_ago(age))


def adopted(age: int) -> KnownRequest:
    return replace(SNAPSHOT, known_since=days_ago(age))


def test_a_snapshot_of_our_own_is_outdated_after_33_days() -> None:
    assert not outdated(ours(32), TODAY)
    assert outdated(replace(ours(33), newest_instance=TODAY), TODAY)


def test_an_adopted_snapshot_is_at_least_as_old_as_our_knowledge_of_it() -> None:
    assert not outdated(replace(adopted(32), newest_instance=days_ago(40)), TODAY)
    assert outdated(replace(adopted(33), newest_instance=days_ago(40)), TODAY)


def test_an_adopted_snapshot_without_instances_has_outlived_them() -> None:
    assert not outdated(adopted(3), TODAY)
    assert outdated(adopted(4), TODAY)
    assert not outdated(ours(4), TODAY)  # Apple may still be building it


def test_a_snapshot_that_is_not_known_is_not_outdated() -> None:
    assert not outdated(SNAPSHOT, TODAY)


def test_a_snapshot_is_renewed_before_its_instances_expire() -> None:
    assert outdated(replace(ours(INSTANCE_LIFE_DAYS - 1), newest_instance=TODAY), TODAY)


# What is listed


def asked_on(day: date) -> Asked:
    return Asked(ENGAGEMENT.report.name, days_ago(90), days_ago(60), day)


@pytest.mark.parametrize(("has_instances", "last_day"), [(False, INSTANCE_LIFE_DAYS), (True, 7)])
def test_a_daily_run_looks_for_a_snapshot_until_it_has_settled(has_instances: bool, last_day: int) -> None:
    assert is_awaited(asked_on(TODAY), has_instances, TODAY)
    assert is_awaited(asked_on(days_ago(last_day)), has_instances, TODAY)
    assert not is_awaited(asked_on(days_ago(last_day + 1)), has_instances, TODAY)


def test_a_weekly_table_is_not_listed_again_before_the_next_friday() -> None:
    weekly = replace(instance_of(), table=WEEKLY.name, vintage=Vintage(date(2025, 5, 30), AccessType.ONGOING, "w"))
    assert due_tables(DAILY, ONGOING, []) == [ENGAGEMENT, WEEKLY]
    assert due_tables(DAILY, ONGOING, [instance_of(), weekly]) == [ENGAGEMENT]
    assert due_tables(DAILY, replace(ONGOING, requested_on=TODAY), []) == []


def test_a_snapshot_is_listed_only_for_reports_that_a_backfill_asked_for() -> None:
    late = replace(SNAPSHOT, asked=(asked_on(days_ago(40)),))
    assert due_tables(BACKFILL, late, []) == [ENGAGEMENT, WEEKLY]
    assert due_tables(DAILY, late, []) == []
    assert due_tables(DAILY, replace(SNAPSHOT, asked=(asked_on(TODAY),)), []) == [ENGAGEMENT, WEEKLY]
    assert due_tables(BACKFILL, SNAPSHOT, []) == []


@pytest.mark.parametrize(
    ("plan", "has_refused", "has_gaps", "ledger", "due", "verdict"),
    [
        (DAILY, True, False, [instance_of()], [instance_of()], Verdict.FAILED),
        (BACKFILL, False, True, [instance_of()], [instance_of()], Verdict.NOT_READY),
        (DAILY, False, True, [instance_of()], [instance_of()], Verdict.READY),
        (DAILY, False, False, [instance_of()], [], Verdict.UNCHANGED),
        (DAILY, False, False, [], [], Verdict.NOT_READY),
    ],
)
def test_a_listing_ends_by_what_is_to_land(
    plan: RunPlan,
    has_refused: bool,
    has_gaps: bool,
    ledger: list[LedgerInstance],
    due: list[LedgerInstance],
    verdict: Verdict,
) -> None:
    assert listing_verdict(plan, has_refused=has_refused, has_gaps=has_gaps, ledger=ledger, due=due) is verdict


# What is landed and converted


@pytest.mark.parametrize("status", InstanceStatus)
def test_a_daily_instance_is_landed_until_it_is_converted_or_given_up(status: InstanceStatus) -> None:
    is_open = status in (InstanceStatus.LISTED, InstanceStatus.LANDED)
    assert is_to_land(instance_of(status=status), ONGOING, DAILY) is is_open
    assert not is_to_land(instance_of(status=status, table="sessions"), ONGOING, DAILY)


def test_a_converted_snapshot_is_landed_again_for_ranges_that_it_has_not_been_tried_for() -> None:
    asked = replace(SNAPSHOT, asked=(asked_on(TODAY),))
    dates = frozenset({asked_on(TODAY).dates})
    snapshot = instance_of(AccessType.ONE_TIME_SNAPSHOT, status=InstanceStatus.CONVERTED)
    assert is_to_land(snapshot, asked, DAILY)
    assert not is_to_land(replace(snapshot, converted_dates=dates), asked, DAILY)
    assert not is_to_land(replace(snapshot, quarantined_dates=dates), asked, DAILY)
    assert not is_to_land(replace(snapshot, raw_has_expired=True), asked, DAILY)


@pytest.mark.parametrize("status", InstanceStatus)
def test_what_is_not_converted_ends_with_a_verdict_and_a_reason(status: InstanceStatus) -> None:
    instance = instance_of(status=status)
    if not is_convertible(instance):
        verdict, reason = verdict_as_it_stands(instance)
        assert verdict in (Verdict.QUARANTINED, Verdict.EXPIRED, Verdict.NOT_READY, Verdict.UNCHANGED)
        assert reason.endswith(".")


def test_what_the_ledger_says_of_an_instance_is_the_reason() -> None:
    broken = instance_of(status=InstanceStatus.QUARANTINED, reason="Its header is broken.")
    assert verdict_as_it_stands(broken) == (Verdict.QUARANTINED, "Its header is broken.")
    assert verdict_as_it_stands(None)[0] is Verdict.FAILED


def test_the_run_that_converted_an_instance_answers_for_it_after_another_runs_rollback() -> None:
    assert run_that_answers_for(instance_of(status=InstanceStatus.LANDED), "new") == "new"
    assert run_that_answers_for(instance_of(status=InstanceStatus.LANDED, converted_by="old"), "new") == "old"
    assert run_that_answers_for(instance_of(status=InstanceStatus.CONVERTED, converted_by="old"), "new") == "new"

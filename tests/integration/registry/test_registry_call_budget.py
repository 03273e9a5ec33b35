import contextlib
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from appstore_analytics.apple.rate_limit import RateLimit
from appstore_analytics.contract.errors import CallsUnavailable
from appstore_analytics.contract.operations import Operation
from appstore_analytics.registry import Registry
from appstore_analytics.registry.call_budget import CallBudget
from appstore_analytics.registry.reservation import Reservation
from appstore_analytics.rules.call_budget import ceiling, minute_of
from tests.aws_in_process import in_threads
from tests.clock import Clock
from tests.integration.registry.budget_samples import MINUTE, NOW, reservation

HOUR = timedelta(hours=1)


SPREAD = timedelta(seconds=6)


def test_calls_are_booked_up_to_the_most_and_not_one_more(budget: CallBudget) -> None:
    budget.reserve(6, 10, NOW)
    budget.reserve(4, 10, NOW)
    with pytest.raises(CallsUnavailable, match="'main'"):
        budget.reserve(1, 10, NOW)
    assert budget.balance().used == 10


def test_accounts_have_budgets_of_their_own(registry: Registry, budget: CallBudget) -> None:
    budget.reserve(10, 10, NOW)
    registry.call_budget("second").reserve(10, 10, NOW)


def test_fifty_threads_get_no_more_calls_than_there_are(budget: CallBudget) -> None:
    results = in_threads(lambda _: budget.reserve(3, 100, NOW), 50)
    assert sum(not isinstance(result, CallsUnavailable) for result in results) == 33
    assert budget.balance().used == 99


def test_the_first_minute_is_given_back_when_all_of_it_is_an_hour_old(budget: CallBudget) -> None:
    budget.reserve(10, 10, NOW)
    with pytest.raises(CallsUnavailable) as early:
        budget.reserve(1, 10, NOW + HOUR)
    free_at = (NOW + HOUR + MINUTE).replace(second=0)
    assert free_at <= early.value.available_at <= free_at + SPREAD
    assert budget.reserve(1, 10, free_at).used == 1


def test_fifty_threads_give_an_old_minute_back_once(budget: CallBudget) -> None:
    budget.reserve(60, 100, NOW)
    budget.reserve(40, 100, NOW + 2 * MINUTE)
    later = NOW + HOUR + MINUTE
    results = in_threads(lambda _: budget.reserve(2, 100, later), 50)
    assert sum(not isinstance(result, CallsUnavailable) for result in results) == 30
    assert budget.balance().used == 100
    assert sum(budget.balance().calls_by_minute.values()) == 100


def test_available_at_is_when_enough_of_the_hour_has_passed_not_only_the_first_minute(budget: CallBudget) -> None:
    budget.reserve(2, 10, NOW)
    budget.reserve(8, 10, NOW + 10 * MINUTE)
    with pytest.raises(CallsUnavailable) as early:
        budget.reserve(5, 10, NOW + 20 * MINUTE)
    second_minute_is_over = (NOW + 10 * MINUTE + HOUR + MINUTE).replace(second=0)
    assert second_minute_is_over <= early.value.available_at <= second_minute_is_over + SPREAD
    budget.reserve(5, 10, early.value.available_at)


def test_what_is_not_used_is_given_back_but_never_twice(budget: CallBudget) -> None:
    budget.reserve(10, 10, NOW)
    budget.give_back(4, minute_of(NOW))
    assert budget.balance().used == 6
    budget.reserve(1, 10, NOW + HOUR + MINUTE)
    budget.reserve(9, 10, NOW + HOUR + MINUTE)
    budget.give_back(4, minute_of(NOW))  # all calls of its minute have been returned
    assert budget.balance().used == 10


def test_a_429_closes_the_key_for_everybody_until_the_time_apple_names(budget: CallBudget) -> None:
    refused = budget.close(90, NOW)
    until = NOW + timedelta(seconds=90)
    assert until <= refused.available_at <= until + SPREAD
    with pytest.raises(CallsUnavailable) as closed:
        budget.reserve(1, 10, NOW + timedelta(seconds=89))
    assert until <= closed.value.available_at <= until + SPREAD
    budget.reserve(1, 10, until)


def test_calls_that_were_on_their_way_together_are_refused_as_one(budget: CallBudget) -> None:
    in_threads(lambda _: budget.close(None, NOW), 20)
    assert budget.balance().refusals == 1
    assert budget.balance().closed_until == NOW + MINUTE
    later = NOW + MINUTE
    in_threads(lambda _: budget.close(None, later), 20)
    assert budget.balance().closed_until == later + 2 * MINUTE


def test_a_rest_is_not_a_moment_shorter_than_apple_wants_it(budget: CallBudget) -> None:
    refused_at = NOW + timedelta(seconds=0.75)
    budget.close(60, refused_at)
    with pytest.raises(CallsUnavailable):
        budget.reserve(1, 10, refused_at + timedelta(seconds=59.9))
    budget.reserve(1, 10, refused_at + timedelta(seconds=61))


def test_without_retry_after_the_rest_doubles_with_every_refusal_up_to_an_hour(budget: CallBudget) -> None:
    rests, now = [], NOW
    for _ in range(8):
        budget.close(None, now)
        closed_until = budget.balance().closed_until
        assert closed_until is not None
        rests.append(int((closed_until - now).total_seconds()))
        now = closed_until
    assert rests == [60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_a_shorter_rest_does_not_open_a_key_that_rests_longer(budget: CallBudget) -> None:
    budget.close(600, NOW)
    assert budget.close(1, NOW).available_at >= NOW + timedelta(seconds=600)
    assert budget.balance().closed_until == NOW + timedelta(seconds=600)


def test_retry_after_zero_still_closes_the_key_for_a_moment(budget: CallBudget) -> None:
    assert budget.close(0, NOW).available_at > NOW


def test_apples_numbers_may_raise_what_is_used_and_never_lower_it(budget: CallBudget) -> None:
    budget.reserve(5, 100, NOW)
    budget.raise_used(40, NOW)
    assert budget.balance().used == 40
    budget.raise_used(10, NOW)
    assert budget.balance().used == 40
    with pytest.raises(CallsUnavailable):
        budget.reserve(61, 100, NOW)


def test_a_step_books_its_worst_case_once_and_returns_what_is_left(budget: CallBudget, clock: Clock) -> None:
    with reservation(budget, clock, expected=5) as calls:
        calls.take()
        calls.take()
        assert budget.balance().used == 5
        assert calls.made == 2
    assert budget.balance().used == 2


def test_a_step_without_a_call_books_nothing(budget: CallBudget, clock: Clock) -> None:
    with reservation(budget, clock, expected=5):
        pass
    assert budget.balance().used == 0


def test_a_step_that_fails_returns_its_rest_as_well(budget: CallBudget, clock: Clock) -> None:
    with contextlib.suppress(ValueError), reservation(budget, clock, expected=5) as calls:
        calls.take()
        raise ValueError("anything")
    assert budget.balance().used == 1


def test_a_step_that_needs_more_than_it_expected_books_more(budget: CallBudget, clock: Clock) -> None:
    with reservation(budget, clock, expected=2) as calls:
        for _ in range(3):
            calls.take()
        assert budget.balance().used == 4
    assert budget.balance().used == 3


def test_a_crash_costs_its_reservation_for_an_hour_and_not_longer(budget: CallBudget, clock: Clock) -> None:
    crashed = reservation(budget, clock, expected=90)
    crashed.take()  # and never ends
    with pytest.raises(CallsUnavailable), reservation(budget, clock, expected=90) as calls:
        calls.take()
    clock.now += HOUR + MINUTE
    with reservation(budget, clock, expected=90) as calls:
        calls.take()
    assert budget.balance().used == 1


def test_a_backfill_leaves_the_rest_of_the_hour_to_the_daily_run(budget: CallBudget, clock: Clock) -> None:
    most = ceiling(100, Operation.BACKFILL)
    backfill = Reservation(budget, 100, Operation.BACKFILL, most, clock)
    backfill.take()
    with pytest.raises(CallsUnavailable):
        Reservation(budget, 100, Operation.BACKFILL, 1, clock).take()
    reservation(budget, clock, expected=100 - most - 10).take()


def test_calls_of_a_foreign_user_of_the_key_are_learned_from_the_answers(budget: CallBudget, clock: Clock) -> None:
    with reservation(budget, clock, expected=3) as calls:
        for remaining in (80, 30, 50):
            calls.take()
            calls.answered(RateLimit(hour_remaining=remaining))
    assert budget.balance().used == 70


def test_a_generous_answer_gives_no_calls(budget: CallBudget, clock: Clock) -> None:
    with reservation(budget, clock, expected=3) as calls:
        for _ in range(3):
            calls.take()
            calls.answered(RateLimit(hour_remaining=3600))
    assert budget.balance().used == 3


@dataclass(frozen=True)
class Work:
    """A step that makes `calls`, each taking a while, and ends or crashes."""

    expected: int
    calls: int
    seconds_per_call: int
    crashes: bool


CALLS_PER_HOUR = 12


WORK = st.builds(Work, st.integers(1, 5), st.integers(0, 8), st.sampled_from([0, 0, 1, 20, 90]), st.booleans())


WAIT = st.one_of(st.integers(1, 4000), st.integers(3400, 3700))  # seconds


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(steps=[Work(8, 8, 90, False), 2940, Work(8, 8, 0, False)], operation=Operation.DAILY)  # slow, then again
@given(steps=st.lists(st.one_of(WORK, WAIT), max_size=25), operation=st.sampled_from(Operation))
def test_whatever_happens_no_rolling_hour_holds_more_calls_than_the_ceiling(
    registry: Registry, steps: list[Work | int], operation: Operation
) -> None:
    budget, clock, calls_at = registry.call_budget(uuid4().hex), Clock(NOW), deque[datetime]()
    most = ceiling(CALLS_PER_HOUR, operation)
    for step in steps:
        if isinstance(step, int):
            clock.now += timedelta(seconds=step)
            continue
        calls = Reservation(budget, CALLS_PER_HOUR, operation, step.expected, clock)
        try:
            for _ in range(step.calls):
                calls.take()
                calls_at.append(clock.now)
                while calls_at[0] <= clock.now - HOUR:
                    calls_at.popleft()
                assert len(calls_at) <= most
                clock.now += timedelta(seconds=step.seconds_per_call)
        except CallsUnavailable as unavailable:
            assert clock.now < unavailable.available_at <= clock.now + HOUR + MINUTE + SPREAD
        if not step.crashes:
            calls.__exit__()
    balance = budget.balance()
    assert balance.used == sum(balance.calls_by_minute.values())
    assert balance.used >= sum(call > clock.now - HOUR for call in calls_at)


def test_a_call_counts_in_the_minute_in_which_it_is_made(budget: CallBudget, clock: Clock) -> None:
    with reservation(budget, clock, expected=5) as calls:
        calls.take()
        clock.now += 2 * MINUTE
        calls.take()
        calls.take()
        assert budget.balance().calls_by_minute == {minute_of(NOW): 1, minute_of(clock.now): 4}
    assert budget.balance().calls_by_minute == {minute_of(NOW): 1, minute_of(clock.now): 2}
    assert budget.balance().used == 3


def test_a_reservation_that_outlives_its_hour_is_made_anew(budget: CallBudget, clock: Clock) -> None:
    with reservation(budget, clock, expected=5) as calls:
        calls.take()
        clock.now += HOUR + MINUTE
        budget.reserve(92, 96, clock.now)  # returns the old minute
        calls.take()
        assert budget.balance().used == 97
    assert budget.balance().used == 93

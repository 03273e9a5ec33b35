import contextlib
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from appstore_analytics.apple.rate_limit import RateLimit
from appstore_analytics.contract.errors import CallsUnavailable, KeyDoubted, KeyRejected
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.waits import WaitFor
from appstore_analytics.registry import Registry
from appstore_analytics.registry.call_budget import CallBudget
from appstore_analytics.registry.reservation import Reservation
from appstore_analytics.rules.call_budget import ceiling, minute_of
from tests.aws_in_process import in_threads
from tests.clock import Clock

NOW = datetime(2025, 6, 2, 10, 0, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SPREAD = timedelta(seconds=6)
NOTHING = RateLimit()


@pytest.fixture
def budget(registry: Registry) -> CallBudget:
    return registry.call_budget("main")


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


def reservation(budget: CallBudget, clock: Clock, expected: int = 1, calls_per_hour: int = 100) -> Reservation:
    return Reservation(budget, calls_per_hour, Operation.DAILY, expected, clock)


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


def answered_by(limit: int, budget: CallBudget, clock: Clock, expected: int, calls: int, configured: int = 3500) -> int:
    """How many of `calls` a step gets from a key whose rolling hour has `limit`, as Apple reports with each answer."""
    with contextlib.suppress(CallsUnavailable), reservation(budget, clock, expected, configured) as step:
        for _ in range(calls):
            step.take()
            step.answered(RateLimit(hour_remaining=limit - step.made, hour_limit=limit))
    return step.made


@pytest.mark.parametrize("limit", [6, 20, 105, 300, 3499])
def test_the_hours_limit_is_learnt_from_the_first_answer_and_used_up_but_for_the_spared_part(
    budget: CallBudget, clock: Clock, limit: int
) -> None:
    most = ceiling(limit, Operation.DAILY)
    assert 0.9 * most <= answered_by(limit, budget, clock, expected=150, calls=4000) <= most
    assert budget.balance().hour_limit == limit
    assert 0.9 * most <= budget.balance().used <= most
    with pytest.raises(CallsUnavailable, match="no calls left in Apple's hour") as early:
        reservation(budget, clock, 150, 3500).take()
    assert early.value.waits_for is WaitFor.APPLES_HOUR
    clock.now = early.value.available_at
    assert 0.9 * most <= answered_by(limit, budget, clock, expected=150, calls=4000) <= most


def test_a_limit_above_the_configured_one_is_not_used(budget: CallBudget, clock: Clock) -> None:
    assert 90 <= answered_by(3600, budget, clock, expected=10, calls=200, configured=100) <= 97
    assert budget.balance().hour_limit is None


def test_a_limit_that_apple_raises_again_is_learnt_as_well(budget: CallBudget, clock: Clock) -> None:
    answered_by(10, budget, clock, expected=5, calls=2)
    assert answered_by(1000, budget, clock, expected=5, calls=500) == 500
    assert budget.balance().hour_limit == 1000


def test_a_refusal_tells_the_limit_too(budget: CallBudget, clock: Clock) -> None:
    with pytest.raises(CallsUnavailable) as throttled, reservation(budget, clock, 5, 3500) as step:
        step.take()
        step.refused(RateLimit(hour_remaining=0, hour_limit=300, retry_after_seconds=30))
    assert throttled.value.waits_for is WaitFor.APPLES_THROTTLING
    assert (budget.balance().hour_limit, budget.balance().used) == (300, 1)


def test_steps_that_run_at_once_share_the_limit_that_one_of_them_learns(budget: CallBudget, clock: Clock) -> None:
    early = [reservation(budget, clock, 50, 3500) for _ in range(4)]
    for step in early:
        step.take()
    for step in early:
        step.answered(RateLimit(hour_limit=105))
        step.__exit__()
    with pytest.raises(CallsUnavailable):
        for _ in range(200):
            late = reservation(budget, clock, 1, 3500)
            late.take()
            late.__exit__()
    assert budget.balance().used == ceiling(105, Operation.DAILY)


def test_a_401_now_and_then_is_doubt_and_only_a_minute_of_nothing_else_a_rejection(
    budget: CallBudget, clock: Clock
) -> None:
    def refusal(error: type[Exception]) -> str:
        with pytest.raises(error) as raised, reservation(budget, clock) as step:
            step.take()
            step.rejected("NOT_AUTHORIZED")
        return str(raised.value)

    assert "(NOT_AUTHORIZED). If this persists, put a valid key into its secret" in refusal(KeyDoubted)
    clock.pass_by(seconds=59)
    refusal(KeyDoubted)
    with reservation(budget, clock) as step:
        step.take()
        step.answered(NOTHING)
    clock.pass_by(seconds=59)
    refusal(KeyDoubted)  # since the answer
    clock.pass_by(seconds=60)
    sentence = refusal(KeyRejected)
    assert sentence.startswith("App Store Connect does not accept the API key 'main' (NOT_AUTHORIZED), since 10:02 UTC")
    assert sentence.endswith("put a valid key into its secret.")
    clock.pass_by(hours=8)
    refusal(KeyDoubted)  # yesterday's doubt does not count today


def test_a_refusal_says_when_to_come_back_and_closes_the_key_for_the_next_step(
    budget: CallBudget, clock: Clock
) -> None:
    with pytest.raises(CallsUnavailable), reservation(budget, clock) as calls:
        calls.take()
        calls.refused(RateLimit(retry_after_seconds=30))
    with pytest.raises(CallsUnavailable) as closed, reservation(budget, clock) as calls:
        calls.take()
    assert closed.value.available_at >= NOW + timedelta(seconds=30)
    assert calls.made == 0


def test_a_step_knows_a_refusal_from_an_hour_that_is_used_up(budget: CallBudget, clock: Clock) -> None:
    with pytest.raises(CallsUnavailable), reservation(budget, clock) as refused:
        refused.take()
        refused.refused(NOTHING)
    with pytest.raises(CallsUnavailable), reservation(budget, clock) as resting:
        resting.take()
    assert (refused.refusals, refused.is_exhausted) == (1, False)
    assert (resting.refusals, resting.is_exhausted) == (0, False)
    clock.now += MINUTE * 3
    budget.reserve(96, 97, clock.now)
    with pytest.raises(CallsUnavailable), reservation(budget, clock, expected=2) as exhausted:
        exhausted.take()
    assert (exhausted.refusals, exhausted.is_exhausted) == (0, True)


@pytest.mark.parametrize("answer", [RateLimit(hour_remaining=90), NOTHING])
def test_an_answer_ends_the_row_of_refusals(budget: CallBudget, clock: Clock, answer: RateLimit) -> None:
    for _ in range(3):
        clock.now = max(clock.now, budget.close(None, clock.now).available_at)
    with reservation(budget, clock) as calls:
        calls.take()
        calls.answered(answer)
    assert budget.balance().refusals == 0


def test_a_minute_that_is_used_up_rests_the_key_but_keeps_the_answer(budget: CallBudget, clock: Clock) -> None:
    with reservation(budget, clock, expected=5) as calls:
        calls.take()
        calls.answered(RateLimit(minute_remaining=0))
        with pytest.raises(CallsUnavailable) as closed:
            calls.take()
    assert closed.value.available_at >= NOW + MINUTE
    assert (calls.made, budget.balance().used, budget.balance().refusals) == (1, 1, 0)
    with pytest.raises(CallsUnavailable), reservation(budget, clock) as calls:
        calls.take()


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

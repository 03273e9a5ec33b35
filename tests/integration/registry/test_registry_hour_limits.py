"""The hour's limit as Apple tells it, and refusals of a key."""

import contextlib
from datetime import timedelta

import pytest

from appstore_analytics.apple.rate_limit import RateLimit
from appstore_analytics.contract.errors import CallsUnavailable, KeyDoubted, KeyRejected
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.waits import WaitFor
from appstore_analytics.registry.call_budget import CallBudget
from appstore_analytics.rules.call_budget import ceiling
from tests.clock import Clock
from tests.integration.registry.budget_samples import MINUTE, NOW, reservation

NOTHING = RateLimit()


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

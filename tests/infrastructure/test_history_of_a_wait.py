"""A backfill that waits for its snapshot fills the history of its execution, which ends when it is full."""

from collections.abc import Iterator
from typing import Any

import pytest
from synthesis import Synthesis

from appstore_analytics.steps.plan_run import SNAPSHOT_PATIENCE
from infra.context_values import EVENTS_OF_A_LOOK, LEAST_POLL_SECONDS, MOST_EVENTS

EVENTS = {"Task": 5, "Map": 6, "Choice": 2, "Pass": 2, "Wait": 2}
"""How many events a state makes that succeeds at once: entered and exited; a task is scheduled, started and succeeds
as well; a Map and its run start and succeed.
"""

States = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def states(synthesis: Synthesis) -> States:
    found: States = synthesis.definition()["States"]
    return found


def followers(state: dict[str, Any]) -> Iterator[str]:
    yield from (choice["Next"] for choice in state.get("Choices", ()))
    yield from (state[key] for key in ("Next", "Default") if key in state)


def longest(states: States, name: str, aim: str, before: frozenset[str] = frozenset()) -> int | None:
    """The most events from this state to `aim`, on a way that meets no state twice; None when there is no way."""
    ways = [
        events
        for follower in followers(states[name])
        if follower not in before
        if (events := 0 if follower == aim else longest(states, follower, aim, before | {follower})) is not None
    ]
    return EVENTS[states[name]["Type"]] + max(ways) if ways else None


def test_the_longest_look_for_a_snapshot_makes_as_many_events_as_the_refusal_counts_with(states: States) -> None:
    exceptions = frozenset({"SummarizeRun", *(name for name in states if name.endswith("Patiently"))})
    events = longest(states, "WaitForSnapshot", "WaitForSnapshot", exceptions)
    assert events is not None
    assert 2 * len(states) > events > EVENTS_OF_A_LOOK * 0.8
    assert events <= EVENTS_OF_A_LOOK


def test_the_shortest_interval_that_is_allowed_does_not_fill_a_history(states: States) -> None:
    looks = SNAPSHOT_PATIENCE.total_seconds() / LEAST_POLL_SECONDS
    assert looks * EVENTS_OF_A_LOOK < MOST_EVENTS
    a_quarter_less = looks / 0.75
    assert a_quarter_less * EVENTS_OF_A_LOOK > MOST_EVENTS  # so that nobody is refused for nothing

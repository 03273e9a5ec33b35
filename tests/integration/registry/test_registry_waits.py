from datetime import UTC, datetime, timedelta

import pytest

from appstore_analytics.contract.waits import WaitFor
from appstore_analytics.model.waits import Wait, by_cause, longest
from appstore_analytics.registry import Registry

NOW = datetime(2025, 6, 2, 10, 0, tzinfo=UTC)
ELEVEN = NOW + timedelta(hours=1)


def test_waits_that_end_together_are_one_and_are_told_while_they_last_and_afterwards(registry: Registry) -> None:
    for second in range(3):
        registry.waits.note("run", WaitFor.APPLES_HOUR, ELEVEN + timedelta(seconds=second), NOW)
    registry.waits.note("run", WaitFor.SNAPSHOT, NOW + timedelta(days=3), NOW)
    registry.waits.note("another", WaitFor.SNAPSHOT, ELEVEN, NOW)
    hour, snapshot = registry.waits.of_run("run")
    assert hour == Wait(WaitFor.APPLES_HOUR, NOW, ELEVEN + timedelta(seconds=2), 3)
    assert hour.now == "waits for Apple's hour until 2025-06-02 11:00 UTC"
    assert hour.past == "It waited for Apple's hour 3 times, from 2025-06-02 10:00 UTC until 2025-06-02 11:00 UTC."
    assert snapshot.now == "waits for Apple to build the snapshot until 2025-06-05 10:00 UTC"


def test_a_wait_that_is_over_sooner_says_until_when_it_was(registry: Registry) -> None:
    give_up = NOW + timedelta(days=3)
    registry.waits.end("run", WaitFor.SNAPSHOT, give_up, NOW)
    assert list(registry.waits.of_run("run")) == []
    registry.waits.note("run", WaitFor.SNAPSHOT, give_up, NOW)
    registry.waits.end("run", WaitFor.SNAPSHOT, give_up, ELEVEN)
    assert list(registry.waits.of_run("run")) == [Wait(WaitFor.SNAPSHOT, NOW, ELEVEN)]
    registry.waits.note("run", WaitFor.SNAPSHOT, give_up, ELEVEN)
    assert list(registry.waits.of_run("run")) == [Wait(WaitFor.SNAPSHOT, NOW, give_up, 2)]


def test_a_run_waits_for_what_ends_last_and_for_nothing_when_all_is_over() -> None:
    waits = [Wait(WaitFor.APPLES_HOUR, NOW, ELEVEN), Wait(WaitFor.APPLES_THROTTLING, NOW, NOW + timedelta(minutes=1))]
    assert longest(waits, NOW) == waits[0]
    assert longest(waits, ELEVEN) is None


@pytest.mark.parametrize("count", [1, 500])
def test_the_waits_of_a_run_are_one_line_for_each_cause_however_many_there_were(count: int) -> None:
    waits = [
        Wait(WaitFor.APPLES_HOUR, NOW + timedelta(hours=each), ELEVEN + timedelta(hours=each)) for each in range(count)
    ]
    (whole,) = by_cause(waits)
    assert whole == Wait(WaitFor.APPLES_HOUR, NOW, ELEVEN + timedelta(hours=count - 1), count)

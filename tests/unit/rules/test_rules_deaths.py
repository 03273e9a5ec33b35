"""The number of deaths after which an instance is not tried again."""

from datetime import UTC, datetime, timedelta

import pytest

from appstore_analytics.model.instances import Attempt
from appstore_analytics.rules.deaths import died_too_often

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("attempts", "blamed"),
    [
        ([], False),
        ([("mine", 1)], False),
        ([("mine", 1), ("mine", 2)], True),  # a run retries only after the previous attempt has ended
        ([("mine", 1), ("yesterdays", 1440)], True),
        ([("yesterdays", 1440), ("the day before", 2880)], True),
        ([("another", 5), ("a third", 14)], False),  # they may still be running
        ([("mine", 1), ("another", 5)], False),
        ([("mine", 1), ("another", 16)], True),  # no function runs that long
    ],
)
def test_two_deaths_are_the_files_doing(attempts: list[tuple[str, int]], blamed: bool) -> None:
    begun = {Attempt(NOW - minutes * MINUTE, run_id) for run_id, minutes in attempts}
    assert died_too_often(begun, "mine", NOW) is blamed


def test_an_attempt_is_read_back_from_its_text() -> None:
    attempt = Attempt(NOW, "20261123T060000000Z-a")
    assert Attempt.from_text(str(attempt)) == attempt

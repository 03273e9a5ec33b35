"""The verdict on one Date: one word, the worst of several, and whether it needs action."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.model.instances import InstanceStatus
from appstore_analytics.rules.date_verdicts import DateVerdict, of_freshness, of_missing, rank, worst
from appstore_analytics.rules.freshness import Freshness


@pytest.mark.parametrize("verdict", Freshness)
def test_every_verdict_of_a_check_has_a_word(verdict: Freshness) -> None:
    assert of_freshness(verdict) in DateVerdict


@given(st.lists(st.sampled_from(DateVerdict), min_size=1))
def test_the_worst_of_several_is_one_of_them_and_none_is_worse(verdicts: list[DateVerdict]) -> None:
    found = worst(verdicts)
    assert found in verdicts
    assert all(rank(found) <= rank(each) for each in verdicts)


def test_zero_is_told_only_where_all_are_and_nothing_is_none() -> None:
    assert worst([DateVerdict.ZERO, DateVerdict.FRESH]) is DateVerdict.FRESH
    assert worst([DateVerdict.ZERO, DateVerdict.NONE]) is DateVerdict.ZERO
    assert worst([]) is DateVerdict.NONE


def test_what_needs_people_comes_before_what_does_not() -> None:
    needs = [rank(verdict) for verdict in DateVerdict if verdict.needs_action]
    rest = [rank(verdict) for verdict in DateVerdict if not verdict.needs_action]
    assert max(needs) < min(rest)


@pytest.mark.parametrize(
    ("status", "checked", "verdict"),
    [
        (None, None, DateVerdict.LATE),
        (None, DateVerdict.STOPPED, DateVerdict.STOPPED),
        (InstanceStatus.QUARANTINED, DateVerdict.LATE, DateVerdict.QUARANTINED),
        (InstanceStatus.EXPIRED, None, DateVerdict.EXPIRED),
    ],
)
def test_why_a_due_date_is_missing(
    status: InstanceStatus | None, checked: DateVerdict | None, verdict: DateVerdict
) -> None:
    assert of_missing(status, checked) is verdict

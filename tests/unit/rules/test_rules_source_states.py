from datetime import date, timedelta

import pytest

from appstore_analytics.contract.kpis.stored import STATE_MEANINGS, SourceState
from appstore_analytics.rules.date_verdicts import DateVerdict
from appstore_analytics.rules.source_states import JUDGED_DAYS, judged_dates, says_something, state_of

TODAY = date(2025, 6, 2)


def test_what_is_due_and_not_there_is_missing_or_quarantined_whatever_the_cause() -> None:
    states = {verdict: state_of(verdict) for verdict in DateVerdict}
    assert states[DateVerdict.QUARANTINED] is SourceState.QUARANTINED
    for verdict in DateVerdict:
        if verdict.needs_action and verdict is not DateVerdict.QUARANTINED:
            assert states[verdict] is SourceState.MISSING, verdict
        if verdict.is_complete:
            assert states[verdict] in (SourceState.FINAL, SourceState.ZERO)
    assert states[DateVerdict.NOT_READY] is states[DateVerdict.NONE] is SourceState.NOT_DUE


def test_every_state_is_explained() -> None:
    assert list(STATE_MEANINGS) == list(SourceState)


def test_a_run_judges_the_newest_dates_those_it_was_asked_for_and_those_it_published() -> None:
    newest = [TODAY - timedelta(days=age) for age in reversed(range(JUDGED_DAYS))]
    assert list(judged_dates(TODAY, None, None, set())) == newest
    old, start, end = date(2024, 1, 5), date(2024, 3, 1), date(2024, 3, 3)
    asked = [date(2024, 3, 1), date(2024, 3, 2), date(2024, 3, 3)]
    assert list(judged_dates(TODAY, start, end, {old, newest[0]})) == [old, *asked, *newest]


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ({}, False),
        ({"downloads": SourceState.NOT_DUE, "sessions": SourceState.NOT_DEPLOYED}, False),
        ({"downloads": SourceState.NOT_DUE, "sessions": SourceState.MISSING}, True),
        ({"downloads": SourceState.ZERO}, True),
    ],
)
def test_an_app_of_which_nothing_is_due_has_nothing_to_say(states: dict[str, SourceState], expected: bool) -> None:
    assert says_something(states) is expected

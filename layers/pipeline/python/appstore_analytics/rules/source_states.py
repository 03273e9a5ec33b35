"""What the KPIs of a Date and source are worth, by the verdict of the gap rule: what `marts.states` stores."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from appstore_analytics.contract.kpis.stored import SourceState
from appstore_analytics.rules.date_verdicts import DateVerdict
from appstore_analytics.rules.due import INSTANCE_LIFE_DAYS

JUDGED_DAYS = INSTANCE_LIFE_DAYS + 10
"""A run judges the Dates of this many days again, because Apple still has instances that can change them."""

LEDGER_BEFORE = timedelta(days=40)
"""The oldest instance that can cover a Date is a month and a window older than it."""

_OF_VERDICT: Mapping[DateVerdict, SourceState] = {
    DateVerdict.FRESH: SourceState.FINAL,
    DateVerdict.PRELIMINARY: SourceState.PRELIMINARY,
    DateVerdict.ZERO: SourceState.ZERO,
    DateVerdict.QUARANTINED: SourceState.QUARANTINED,
    DateVerdict.NOT_READY: SourceState.NOT_DUE,
    DateVerdict.NONE: SourceState.NOT_DUE,
}

_NOTHING_DUE = frozenset({SourceState.NOT_DUE, SourceState.NOT_DEPLOYED})


def state_of(verdict: DateVerdict) -> SourceState:
    """The state of a source; whatever else keeps a due Date away, it is missing."""
    return _OF_VERDICT.get(verdict, SourceState.MISSING)


def says_something(states: Mapping[str, SourceState]) -> bool:
    """Whether any source has, or owes, something for the Date: otherwise the app has no row."""
    return not _NOTHING_DUE.issuperset(states.values())


def judged_dates(as_of: date, start: date | None, end: date | None, published: set[date]) -> Iterator[date]:
    """The Dates that a run judges, oldest first: the newest, those it was asked for, and those that it published."""
    newest = {as_of - timedelta(days=age) for age in range(JUDGED_DAYS)}
    asked = {start + timedelta(days=number) for number in range((end - start).days + 1)} if start and end else set()
    yield from sorted(newest | asked | published)

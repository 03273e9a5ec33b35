"""Apple's days, weeks and months: the Dates that exist, when each is complete, and when Apple publishes it.

A Date is the first day of its period. A week begins on Monday. Weekly instances are published on the Friday after
their week, monthly ones on the 5th (Apple, "Analytics Reports").
"""

from collections.abc import Collection, Iterator
from datetime import date, timedelta
from itertools import pairwise

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.tables import CuratedTable

_DAY, _WEEK = timedelta(days=1), timedelta(days=7)
_FRIDAY = 4
_DAY_OF_THE_MONTH = 5
"""The day on which monthly instances are published."""


def following(day: date, granularity: Granularity) -> date:
    """The Date after this one."""
    if granularity is Granularity.DAILY:
        return day + _DAY
    if granularity is Granularity.WEEKLY:
        return day + _WEEK
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def preceding(day: date, granularity: Granularity) -> date:
    """The Date before this one."""
    if granularity is Granularity.DAILY:
        return day - _DAY
    return day - _WEEK if granularity is Granularity.WEEKLY else (day - _DAY).replace(day=1)


def last_day(day: date, granularity: Granularity) -> date:
    """The last day of the period that begins on a Date."""
    return following(day, granularity) - _DAY


def newest_begun(today: date, granularity: Granularity) -> date:
    """The Date of the period that `today` is in."""
    if granularity is Granularity.DAILY:
        return today
    return today - timedelta(days=today.weekday()) if granularity is Granularity.WEEKLY else today.replace(day=1)


def first_begun(since: date, granularity: Granularity) -> date:
    """The first Date on `since` or after it."""
    begun = newest_begun(since, granularity)
    return begun if begun == since else following(begun, granularity)


def dates_between(start: date, end: date, granularity: Granularity) -> list[date]:
    """The Dates of this granularity from `start` to `end`."""
    days = []
    day = first_begun(start, granularity)
    while day <= end:
        days.append(day)
        day = following(day, granularity)
    return days


def complete_on(day: date, table: CuratedTable) -> date:
    """The first day on which Apple's files have all rows of a Date: its period's end plus the days that Apple states.

    At least one day. Where Apple states how late telemetry can arrive, that number is used instead.
    """
    report = table.report
    settles_days = report.late_arrival_days if report.completeness_days is None else report.completeness_days
    return last_day(day, table.granularity) + timedelta(days=max(settles_days or 0, 1))


def published_on(day: date, table: CuratedTable) -> date:
    """The processing date by which Apple has published all of a Date."""
    if table.granularity is Granularity.DAILY:
        return complete_on(day, table)
    after = following(day, table.granularity)
    if table.granularity is Granularity.WEEKLY:
        return after + timedelta(days=_FRIDAY)
    return after.replace(day=_DAY_OF_THE_MONTH)


def last_publication(granularity: Granularity, as_of: date) -> date:
    """The newest day up to `as_of` on which Apple publishes instances of this granularity."""
    if granularity is Granularity.DAILY:
        return as_of
    if granularity is Granularity.WEEKLY:
        return as_of - timedelta(days=(as_of.weekday() - _FRIDAY) % 7)
    month = as_of if as_of.day >= _DAY_OF_THE_MONTH else preceding(as_of.replace(day=1), granularity)
    return month.replace(day=_DAY_OF_THE_MONTH)


def speaks_for(processing_date: date, day: date, table: CuratedTable) -> bool:
    """Whether an instance with this processing date covers the Date, even without a row of it.

    It does so from the end of the Date's period until the next Date's instance takes over.
    """
    after = following(day, table.granularity)
    return after <= processing_date < published_on(after, table)


def speaking_days(day: date, table: CuratedTable) -> Iterator[date]:
    """The processing dates that cover the Date (`speaks_for`), newest first."""
    after = following(day, table.granularity)
    built = published_on(after, table) - _DAY
    while built >= after:
        yield built
        built -= _DAY


def expected_dates(table: CuratedTable, first: date, as_of: date) -> Iterator[date]:
    """The Dates since `first` that a daily run before `as_of` must have published, oldest first.

    There are none before Apple's history begins.
    """
    first = max(first, table.first_date)
    if first >= as_of:
        return
    day = first_begun(first, table.granularity)
    while published_on(day, table) < as_of:
        yield day
        day = following(day, table.granularity)


def periods(days: Collection[date], granularity: Granularity) -> list[list[date]]:
    """Groups of consecutive Dates."""
    runs: list[list[date]] = []
    for day in sorted(days):
        if runs and following(runs[-1][-1], granularity) == day:
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs


def skipped_dates(days: Collection[date], granularity: Granularity) -> tuple[date, ...]:
    """The Dates between the first and the last of `days` that are not among them, oldest first."""
    skipped: list[date] = []
    for before, after in pairwise(periods(days, granularity)):
        day = following(before[-1], granularity)
        while day < after[0]:
            skipped.append(day)
            day = following(day, granularity)
    return tuple(skipped)

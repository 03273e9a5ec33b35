"""Which Dates a table should have by now, and what still brings a missing one back.

Where an instance that speaks for a Date (rules/freshness.py:speaks_for) was converted and the Date has no rows, Apple
sent none; where none was, the Date is missing.
"""

from collections.abc import Collection, Iterator
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.rules.due import INSTANCE_LIFE_DAYS
from appstore_analytics.rules.freshness import following, published_on
from appstore_analytics.rules.vintage import complete_on


class Repair(StrEnum):
    """What brings a missing Date back."""

    NEXT_RUN = "the next daily run"
    REPROCESS = "reprocess"
    BACKFILL = "backfill"


def expected_dates(table: CuratedTable, first: date, as_of: date) -> Iterator[date]:
    """The Dates from `first` on that a daily run before `as_of` must have brought, oldest first.

    There are none before Apple's history begins.
    """
    first = max(first, table.first_date)
    if first >= as_of:
        return
    day = _first_date(table.granularity, first)
    while published_on(day, table) < as_of:
        yield day
        day = following(day, table.granularity)


def skipped_dates(days: Collection[date], granularity: Granularity) -> tuple[date, ...]:
    """The Dates between the first and the last of `days` that are none of them, oldest first."""
    skipped: list[date] = []
    for before, after in pairwise(periods(days, granularity)):
        day = following(before[-1], granularity)
        while day < after[0]:
            skipped.append(day)
            day = following(day, granularity)
    return tuple(skipped)


def days_left(day: date, table: CuratedTable, as_of: date) -> int:
    """For how many days Apple still has the last instance that holds the Date; 0 when it is gone."""
    return max((published_on(day, table) + timedelta(days=INSTANCE_LIFE_DAYS) - as_of).days, 0)


def snapshot_holds(day: date, table: CuratedTable, requested_on: date | None) -> bool:
    """Whether a snapshot of this request day speaks for the Date; unknown days are taken for too early."""
    return requested_on is not None and complete_on(day, table) <= requested_on


def periods(days: Collection[date], granularity: Granularity) -> list[list[date]]:
    """Dates that follow each other without a gap, together."""
    runs: list[list[date]] = []
    for day in sorted(days):
        if runs and following(runs[-1][-1], granularity) == day:
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs


def _first_date(granularity: Granularity, day: date) -> date:
    """The Date of the period that begins on `day` or next after it."""
    if granularity is Granularity.WEEKLY:
        return day + timedelta(days=-day.weekday() % 7)
    if granularity is Granularity.MONTHLY and day.day != 1:
        return following(day.replace(day=1), granularity)
    return day

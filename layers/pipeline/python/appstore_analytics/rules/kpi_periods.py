"""The Dates of a KPI question: its points, the final ones among them, and their counterparts in the period before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.kpis.definition import Kpi
from appstore_analytics.rules.calendar import dates_between, last_day, newest_begun, preceding

_WEEKS_OF_A_YEAR = 52


class Step(StrEnum):
    """The length of a point."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Compare(StrEnum):
    """The period to compare with: as many Dates before, or the Dates 52 weeks before, on the same weekdays."""

    PREVIOUS = "previous"
    YEAR = "year"


GRANULARITY = {Step.DAY: Granularity.DAILY, Step.WEEK: Granularity.WEEKLY, Step.MONTH: Granularity.MONTHLY}


@dataclass(frozen=True, slots=True)
class Point:
    """The Dates of one point and of its counterpart in the period before; `is_whole`: no Date is still to come."""

    day: date
    dates: tuple[date, ...]
    before: tuple[date, ...]
    is_whole: bool


def points_of(kpi: Kpi, step: Step, start: date, end: date, compare: Compare | None) -> list[Point]:
    """The points from `start`, which is moved back to the beginning of its week or month, to `end`."""
    granularity = GRANULARITY[step]
    if kpi.granularity is not Granularity.DAILY or step is Step.DAY:
        return list(_of_dates(dates_between(start, end, kpi.granularity), kpi.granularity, compare))
    begins = dates_between(newest_begun(start, granularity), end, granularity)
    back = _places(len(begins), granularity, compare)
    return [_of_period(day, _back(day, granularity, back), granularity, end) for day in begins]


def moved(point: Point, closed: Sequence[Point]) -> Point:
    """A point that follows these, with a counterpart as many days earlier as theirs."""
    if not closed:
        return point
    back = closed[-1].dates[0] - closed[-1].before[0]
    return replace(point, before=tuple(day - back for day in point.dates))


def _of_period(day: date, before: date, granularity: Granularity, end: date) -> Point:
    """A week or month. If it is not over, its counterpart has the same number of days."""
    last = last_day(day, granularity)
    if last <= end:
        return Point(day, _days(day, last), _days(before, last_day(before, granularity)), is_whole=True)
    passed = before + (end - day)
    return Point(day, _days(day, end), _days(before, min(passed, last_day(before, granularity))), is_whole=False)


def _of_dates(days: Sequence[date], granularity: Granularity, compare: Compare | None) -> Iterator[Point]:
    back = _places(len(days), granularity, compare)
    for day in days:
        yield Point(day, (day,), (_back(day, granularity, back),), is_whole=True)


def _places(count: int, granularity: Granularity, compare: Compare | None) -> int:
    """The number of Dates between a Date and its counterpart."""
    if compare is not Compare.YEAR:
        return count
    return {Granularity.DAILY: 7 * _WEEKS_OF_A_YEAR, Granularity.WEEKLY: _WEEKS_OF_A_YEAR, Granularity.MONTHLY: 12}[
        granularity
    ]


def _back(day: date, granularity: Granularity, places: int) -> date:
    if granularity is Granularity.DAILY:
        return day - timedelta(days=places)
    if granularity is Granularity.WEEKLY:
        return day - timedelta(days=7 * places)
    for _ in range(places):
        day = preceding(day, granularity)
    return day


def _days(first: date, last: date) -> tuple[date, ...]:
    return tuple(first + timedelta(days=number) for number in range((last - first).days + 1))

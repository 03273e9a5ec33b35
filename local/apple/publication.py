"""The days on which Apple publishes each Date. Pure date arithmetic; facts from Apple's page on data completeness."""

from collections.abc import Iterator
from datetime import date, timedelta

from appstore_analytics.contract.catalogue.definition import Granularity, ReportDefinition

DAY = timedelta(days=1)
FRIDAY = 4
DAYS_FROM_MONDAY_TO_PUBLICATION = 11
DAY_OF_MONTHLY_PUBLICATION = 5


def days(first: date, last: date) -> Iterator[date]:
    """Every day from `first` to `last`, both included."""
    return (first + DAY * offset for offset in range((last - first).days + 1))


def is_publication_day(granularity: Granularity, day: date) -> bool:
    """Daily instances come every day, weekly ones on Friday, monthly ones on the 5th."""
    if granularity is Granularity.WEEKLY:
        return day.weekday() == FRIDAY
    return granularity is Granularity.DAILY or day.day == DAY_OF_MONTHLY_PUBLICATION


def publication_days(granularity: Granularity, first: date, last: date) -> Iterator[date]:
    """The processing dates of a granularity from `first` to `last`, both included."""
    return (day for day in days(first, last) if is_publication_day(granularity, day))


def previous_publication_day(granularity: Granularity, processing_date: date) -> date:
    """The processing date before this one."""
    day = processing_date - DAY
    while not is_publication_day(granularity, day):
        day -= DAY
    return day


def dates_of_instance(granularity: Granularity, processing_date: date, window_days: int) -> tuple[date, ...]:
    """The Dates in the instance of a publication day, oldest first: a window, one week or one month."""
    if granularity is Granularity.DAILY:
        return tuple(days(processing_date - DAY * window_days, processing_date - DAY))
    if granularity is Granularity.WEEKLY:
        return (processing_date - DAY * DAYS_FROM_MONDAY_TO_PUBLICATION,)
    return ((processing_date.replace(day=1) - DAY).replace(day=1),)


def dates_of_snapshot(granularity: Granularity, history_start: date, request_day: date) -> tuple[date, ...]:
    """All Dates of a snapshot, oldest first: every day up to the request day; weeks and months published by then."""
    if granularity is Granularity.DAILY:
        return tuple(days(history_start, request_day))
    published = publication_days(granularity, history_start, request_day)
    dates = (dates_of_instance(granularity, day, 1)[0] for day in published)
    return tuple(day for day in dates if day >= history_start)


def completeness_days(report: ReportDefinition) -> int:
    """The number of days after which a Date of the report no longer grows; 0 if Apple documents nothing."""
    if report.completeness_days is not None:
        return report.completeness_days
    return report.late_arrival_days or 0


def window_days(report: ReportDefinition, dates_per_instance: int | None) -> int:
    """The number of Dates in a daily instance of the report."""
    return dates_per_instance or max(1, completeness_days(report))


def maturity(report: ReportDefinition, granularity: Granularity, age_days: int, window: int) -> float:
    """The share of its final counts that a Date shows at this age; 1.0 from the completeness day on.

    A Date that leaves the window is final, so that the simulated feed always ends with complete counts.
    """
    complete_after = min(completeness_days(report), window)
    if granularity is not Granularity.DAILY or age_days >= complete_after:
        return 1.0
    return 0.25 if age_days <= 0 else 0.5 + 0.5 * age_days / complete_after

"""Which instance speaks for a Date: the rule that a newer file silently replaces all rows of earlier Dates.

Source: Apple, "Analytics Reports": for each Date, the instance with the newest processing date that contains it holds
all its rows. Not a delta, not a merge; rows may vanish.
"""

from collections.abc import Collection
from datetime import date

from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.rules.calendar import complete_on


def complete_dates(days: Collection[date], table: CuratedTable, requested_on: date | None) -> set[date]:
    """The Dates of a snapshot that were complete on the day it was requested; only for those does it speak.

    A snapshot holds nothing after its request day, so where that day is unknown (an adopted request) its newest Date
    stands in for it, which can only be earlier.
    """
    if not days:
        return set()
    request_day = requested_on or max(days)
    return {day for day in days if complete_on(day, table) <= request_day}


def is_final(day: date, table: CuratedTable, processing_date: date) -> bool | None:
    """Whether the Date was complete when Apple built the instance; None where Apple states no completeness.

    Corrections may still come: final means complete, not frozen.
    """
    return None if table.report.completeness_days is None else processing_date >= complete_on(day, table)

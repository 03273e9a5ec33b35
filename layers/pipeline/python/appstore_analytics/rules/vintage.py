"""The Dates that an instance covers: the rule that a newer file silently replaces all rows of earlier Dates.

Source: Apple, "Analytics Reports": for each Date, the instance with the newest processing date that contains it holds
all its rows. It is not a delta and not a merge; rows can disappear.
"""

from collections.abc import Collection
from datetime import date

from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.model.instances import LedgerInstance
from appstore_analytics.model.requests import KnownRequest
from appstore_analytics.rules.calendar import complete_on, speaks_for


def kept_dates(
    instance: LedgerInstance, table: CuratedTable, request: KnownRequest, days: Collection[date]
) -> Collection[date]:
    """The Dates of an instance to keep: all Dates of a daily one; for a snapshot, the requested Dates that it has
    completely."""
    if instance.vintage.access_type is AccessType.ONGOING:
        return days
    asked = request.asked_of(table.report.name)
    complete = complete_dates(days, table, request.requested_on)
    return {day for day in complete if any(wish.covers(day) for wish in asked)}


def skipped_of(
    instance: LedgerInstance, table: CuratedTable, request: KnownRequest, skipped: Collection[date]
) -> tuple[date, ...]:
    """The Dates among `skipped`, between those with rows, that an instance should have covered.

    The rows of an older instance for them are kept, because the newer one says nothing about them. A daily instance may
    also correct a Date long before its window: the Dates in between are not affected.
    """
    if instance.vintage.access_type is AccessType.ONGOING:
        built = instance.vintage.processing_date
        return tuple(sorted(day for day in skipped if speaks_for(built, day, table)))
    return tuple(sorted(kept_dates(instance, table, request, skipped)))


def complete_dates(days: Collection[date], table: CuratedTable, requested_on: date | None) -> set[date]:
    """The Dates of a snapshot that were complete on its request day, which are the only ones that it covers.

    A snapshot holds no Dates after its request day. If that day is unknown (an adopted request), its newest Date is
    used instead, which can only be earlier.
    """
    if not days:
        return set()
    request_day = requested_on or max(days)
    return {day for day in days if complete_on(day, table) <= request_day}


def is_final(day: date, table: CuratedTable, processing_date: date) -> bool | None:
    """Whether the Date was complete when Apple built the instance; None if Apple states no completeness.

    Corrections can still come: final means complete, not frozen.
    """
    return None if table.report.completeness_days is None else processing_date >= complete_on(day, table)

"""Whether the newest data of a table is as new as it can be."""

from datetime import date, timedelta
from enum import StrEnum

from appstore_analytics.contract.catalogue.definition import Granularity

_LONGEST_PAUSE = {
    Granularity.DAILY: timedelta(days=1),  # 26 hours, counted in processing days
    Granularity.WEEKLY: timedelta(days=7),
    Granularity.MONTHLY: timedelta(days=31),
}


class Freshness(StrEnum):
    """How new the newest converted instance is."""

    FRESH = "fresh"
    LATE = "late"
    NOT_READY = "not ready"


def freshness(granularity: Granularity, newest_processing_date: date | None, as_of: date) -> Freshness:
    """The verdict on one table of one app: Apple builds an instance every day, Friday, or 5th of the month."""
    if newest_processing_date is None:
        return Freshness.NOT_READY
    if as_of - newest_processing_date <= _LONGEST_PAUSE[granularity]:
        return Freshness.FRESH
    return Freshness.LATE

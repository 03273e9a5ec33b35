"""The repair that brings a missing instance into the tables, by the cause.

other code      quarantined, rolled back        reprocess: its raw bytes are there
other bytes     broken, or expired in S3        refetch, as long as Apple has the instance
other files     deleted by Apple                backfill, from a new snapshot
"""

from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum

from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.model.instances import InstanceStatus, LedgerInstance
from appstore_analytics.rules.due import INSTANCE_LIFE_DAYS

BROKEN_BYTES = "the bytes of its file are broken (quarantined)"
_QUARANTINED = "its file breaks the report's contract (quarantined)"
_ROLLED_BACK = "a rollback removed it from the tables"
_LANDED = "landed, not converted yet"
_LISTED = "listed, not landed yet"
_RAW_EXPIRED = "its raw file expired before it was converted"
_EXPIRED = "Apple deleted it before it had landed (expired)"


class Repair(StrEnum):
    """The repair of a Date."""

    NEXT_RUN = "the next daily run"
    REPROCESS = "reprocess"
    REFETCH = "refetch"
    BACKFILL = "backfill"


def cause_of(instance: LedgerInstance, as_of: date) -> tuple[str, Repair | None]:
    """The reason why an instance is not in the tables, and the repair; None if only a snapshot has its Dates."""
    is_listed = as_of <= listed_until(instance)
    refetch = Repair.REFETCH if is_listed else None
    reprocess = Repair.REPROCESS if instance.has_landed else refetch
    if instance.status is InstanceStatus.QUARANTINED or instance.quarantined_dates:
        return (BROKEN_BYTES, refetch) if instance.bytes_are_broken else (_QUARANTINED, reprocess)
    if instance.status is InstanceStatus.EXPIRED:
        return (_RAW_EXPIRED, refetch) if instance.raw_has_expired else (_EXPIRED, None)
    if instance.status is InstanceStatus.ROLLED_BACK:
        return _ROLLED_BACK, reprocess
    if instance.status is InstanceStatus.LISTED:
        return _LISTED, Repair.NEXT_RUN if is_listed else None
    return _LANDED, Repair.NEXT_RUN


def listed_until(instance: LedgerInstance) -> date:
    """The last day on which Apple lists it."""
    return instance.vintage.processing_date + timedelta(days=INSTANCE_LIFE_DAYS)


def command(repair: Repair, app_id: str, table: CuratedTable, days: Iterable[date]) -> str:
    """The command of manage.py that repairs a table of an app: `days` are processing dates or, for a backfill,
    Dates."""
    named = sorted(days)
    return f"./manage.py {repair} --apps {app_id} --reports {table.report.table} --from {named[0]} --to {named[-1]}"

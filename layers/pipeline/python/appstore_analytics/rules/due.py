"""Instances that Apple may have built, and those still to be fetched: nothing impossible, and nothing twice."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import TypeGuard

from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.contract.tables import CuratedTable, curated_tables, tables_by_name
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.model.instances import InstanceStatus, LedgerInstance
from appstore_analytics.model.plan import RunPlan, VanishedApp
from appstore_analytics.model.requests import Asked, KnownRequest
from appstore_analytics.rules.calendar import last_publication

INSTANCE_LIFE_DAYS = 35
"""Apple deletes an instance this many days after its processing date."""

LOOK_AGAIN_DAYS = 7
"""A known request is looked up at Apple again after this many days."""

_SILENCE_DAYS = 3
_SNAPSHOT_SETTLES_DAYS = 7
_SNAPSHOT_BUILT_WITHIN_DAYS = 3  # 24 to 48 hours, says Apple
_SNAPSHOT_RENEWED_AFTER_DAYS = 33
"""Two days more than the reported quota, because deleting too early would leave the app without a snapshot."""

_LEDGER_DAYS = INSTANCE_LIFE_DAYS + 7
"""The ledger is compared with Apple's list for this many days, a little longer than Apple lists anything."""


# The request of an app


def must_look(request: KnownRequest, as_of: date) -> bool:
    """Whether to check with Apple that a known report request is live (not stopped for inactivity, not deleted).

    Once a week, and daily after three days without an instance.
    """
    looked_on = request.looked_on
    if looked_on is None or _was_a_week_ago(looked_on, as_of):
        return True
    return is_silent(request, as_of) and looked_on < as_of


def is_silent(request: KnownRequest, as_of: date) -> bool:
    """Whether a request that had instances has had no new one for three days, like a stopped one."""
    newest = request.newest_instance
    return newest is not None and as_of - newest > timedelta(days=_SILENCE_DAYS)


def offer_is_old(request: KnownRequest, as_of: date) -> bool:
    """Whether to list the reports of a request again: once a week, in case Apple has added some."""
    return request.offer_read_on is None or _was_a_week_ago(request.offer_read_on, as_of)


def _was_a_week_ago(day: date, as_of: date) -> bool:
    return as_of - day >= timedelta(days=LOOK_AGAIN_DAYS)


def outdated(request: KnownRequest, as_of: date) -> bool:
    """Whether a backfill needs a newer snapshot than this, and can get one: Apple grants one in about 31 days.

    By then the instances of the old one are about to expire, and newer Dates are missing in it. Apple does not report
    the age of an adopted snapshot (`requested_on` None): it is at least as old as the registry's record of it, and if
    it has shown no instance for longer than Apple takes to build one, its instances have expired.
    """
    if request.since is None:
        return False
    is_empty = request.requested_on is None and request.newest_instance is None
    if is_empty and as_of - request.since > timedelta(days=_SNAPSHOT_BUILT_WITHIN_DAYS):
        return True
    return as_of >= renewable_on(request.since)


def renewable_on(since: date) -> date:
    """The first day on which a snapshot that was requested (or found) on `since` is replaced by a new one."""
    return since + timedelta(days=_SNAPSHOT_RENEWED_AFTER_DAYS)


def is_remembered(vanished: VanishedApp, as_of: date) -> bool:
    """Whether runs still report an app that Apple no longer lists: as long as one of its instances can exist."""
    return as_of - vanished.last_listed <= timedelta(days=INSTANCE_LIFE_DAYS)


# What to list


def due_tables(plan: RunPlan, request: KnownRequest, ledger: Iterable[LedgerInstance]) -> list[CuratedTable]:
    """The plan's tables for which Apple may have new data; `ledger` has the request's instances."""
    tables = curated_tables(plan.reports, plan.granularities)
    newest: dict[str, date] = {}
    for instance in ledger:
        newest[instance.table] = max(instance.vintage.processing_date, newest.get(instance.table, date.min))
    if request.access_type is AccessType.ONE_TIME_SNAPSHOT:
        return [table for table in tables if _is_looked_for(table, request, table.name in newest, plan)]
    if not may_have_instances(request, plan.as_of):
        return []
    return [table for table in tables if is_due(table.granularity, plan.as_of, newest.get(table.name))]


def _is_looked_for(table: CuratedTable, snapshot: KnownRequest, has_instances: bool, plan: RunPlan) -> bool:
    asked = snapshot.asked_of(table.report.name)
    return any(plan.operation.traits.waits_for_snapshot or is_awaited(one, has_instances, plan.as_of) for one in asked)


def may_have_instances(request: KnownRequest, as_of: date) -> bool:
    """Whether an ongoing request can have instances: not on the day it was made.

    Apple builds the first reports 24 to 48 hours later ("Downloading Analytics Reports"), so listing them on that day
    would cost a call for every report of every app. If another client made the request, its day is unknown.
    """
    return request.requested_on != as_of


def is_due(granularity: Granularity, as_of: date, newest: date | None) -> bool:
    """Whether Apple can list a new instance on `as_of`, if `newest` is the newest processing date already listed.

    Daily instances come every day, and late ones out of order. After the last weekly or monthly one, no new one can
    come before the next publication.
    """
    if granularity is Granularity.DAILY or newest is None:
        return True
    return newest < last_publication(granularity, as_of)


def is_awaited(asked: Asked, has_instances: bool, as_of: date) -> bool:
    """Whether a daily run still looks for instances of a snapshot that a backfill asked for.

    Until the first arrives, at most for an instance's life; then for a week, in case Apple delivers it in pieces.
    """
    patience = _SNAPSHOT_SETTLES_DAYS if has_instances else INSTANCE_LIFE_DAYS
    return as_of - asked.asked_on <= timedelta(days=patience)


def latest_processing_date(as_of: date, today: date) -> date:
    """The last possible processing date: tomorrow, because the day begins earlier in other time zones.

    A later one would remain the newest vintage forever. `as_of` counts if it is ahead of the machine's UTC day.
    """
    return max(as_of, today) + timedelta(days=1)


def oldest_processing_date(request: KnownRequest, as_of: date) -> date:
    """The earliest processing date that matters in the ledger. A snapshot's instances matter as long as they are
    wanted."""
    return as_of - timedelta(days=_LEDGER_DAYS) if request.access_type is AccessType.ONGOING else date.min


def listing_verdict(
    plan: RunPlan, *, has_refused: bool, has_gaps: bool, ledger: Sequence[LedgerInstance], due: Sequence[LedgerInstance]
) -> Verdict:
    """The verdict of an app's listing: refused instances do not keep the others from landing.

    `has_gaps`: a table that was asked for has no instance. `due` are the instances of the `ledger` that are to land.
    """
    if has_refused:
        return Verdict.FAILED
    if plan.operation.traits.waits_for_snapshot and has_gaps:
        return Verdict.NOT_READY
    if due:
        return Verdict.READY
    return Verdict.UNCHANGED if ledger else Verdict.NOT_READY


# The instances to land and convert


def is_to_land(instance: LedgerInstance, request: KnownRequest, plan: RunPlan) -> bool:
    """Whether an instance still has Dates to give: it was never converted, or it is a snapshot of which not all
    requested Dates were.

    Dates that it was asked for and could not give are not tried every day.
    """
    if instance.table not in {table.name for table in curated_tables(plan.reports, plan.granularities)}:
        return False
    if instance.status in (InstanceStatus.LISTED, InstanceStatus.LANDED):
        return True
    if instance.status is not InstanceStatus.CONVERTED or request.access_type is AccessType.ONGOING:
        return False
    asked = request.ranges_of(tables_by_name()[instance.table].report.name)
    return not (instance.raw_has_expired or asked <= instance.converted_dates | instance.quarantined_dates)


def is_convertible(instance: LedgerInstance | None) -> TypeGuard[LedgerInstance]:
    """Whether the ledger has raw bytes of this instance, so that it can be converted (again)."""
    return instance is not None and instance.status in (InstanceStatus.LANDED, InstanceStatus.CONVERTED)


def verdict_as_it_stands(instance: LedgerInstance | None) -> tuple[Verdict, str]:
    """The verdict and the reason of an instance that is not convertible, for example because of another execution."""
    if instance is None:
        return (
            Verdict.FAILED,
            "The ledger no longer has this instance. If Apple still lists it, the next run finds it again.",
        )
    if instance.status is InstanceStatus.ROLLED_BACK:
        return Verdict.UNCHANGED, "It was rolled back: only a reprocess that names it converts it."
    return _AS_IT_STANDS[instance.status], instance.reason or _STANDS.format(instance.status)


_STANDS = "The instance is {}. The next run continues with it while Apple has it."
_AS_IT_STANDS: Mapping[InstanceStatus, Verdict] = {
    InstanceStatus.QUARANTINED: Verdict.QUARANTINED,
    InstanceStatus.EXPIRED: Verdict.EXPIRED,
    InstanceStatus.LISTED: Verdict.NOT_READY,
}


def run_that_answers_for(instance: LedgerInstance, run_id: str) -> str:
    """The run on whose behalf parts are written: `run_id`, which converts the instance.

    The run that downloaded the instance again; if a rollback only made room for it, the run that had converted it
    before.
    """
    reopened = instance.status is InstanceStatus.LANDED and instance.converted_by
    return instance.landed_again_by or (instance.converted_by if reopened else "") or run_id

"""list_instances: what Apple has built for one app, and what of it is due."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from time import monotonic
from typing import Any, Self

from appstore_analytics.apple.client import AppStoreConnect
from appstore_analytics.apple.entries import Instance
from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.errors import NotFound, PipelineError, TimeUsedUp
from appstore_analytics.contract.maps import Outcome, step_result
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.tables import CuratedTable, curated_tables, tables_by_name
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.model.instances import InstanceStatus, LedgerInstance
from appstore_analytics.model.items import LandItem, RegisterItem
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.model.requests import Asked, KnownRequest
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.registry import Registry
from appstore_analytics.registry.instances import instance_key
from appstore_analytics.registry.reservation import Reservation
from appstore_analytics.rules.due import (
    INSTANCE_LIFE_DAYS,
    is_due,
    latest_processing_date,
    may_have_instances,
    snapshot_is_due,
)
from appstore_analytics.steps.waiting import waits_when_not_ready

WORST_CASE_CALLS_OF_A_TABLE = 3
"""The request's reports, the instances, and one of them again with a fresh token: more only beyond 200 of either."""
LISTS_FOR_SECONDS = 240
"""Then no further table is begun. What is left of the function's time is more than one table takes."""
_LEDGER_DAYS = INSTANCE_LIFE_DAYS + 7
"""How far back the ledger is compared with Apple's list: a little longer than Apple lists anything."""


@dataclass
class _Listing:
    """What one app's listing has found so far: a retry goes on where it stopped."""

    done: set[str] = field(default_factory=set)
    without_instances: set[str] = field(default_factory=set)
    ends_at: float = field(default_factory=lambda: monotonic() + LISTS_FOR_SECONDS)

    def begin_table(self) -> None:
        """TimeUsedUp when it is too late for another one; an attempt always has time for its first."""
        if monotonic() > self.ends_at:
            raise TimeUsedUp(
                f"Apple answered {len(self.done)} tables in time; the others come next.", datetime.now(UTC)
            )

    def facts(self) -> dict[str, Any]:
        """The listing as facts of a record."""
        return {"listed": sorted(self.done), "empty": sorted(self.without_instances)}

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Self:
        """The listing that `facts` wrote."""
        return cls(set(facts.get("listed", ())), set(facts.get("empty", ())))


@waits_when_not_ready
def list_instances(
    item: RegisterItem, plan: RunPlan, registry: Registry, apple: AppStoreConnect, calls: Reservation
) -> dict[str, str]:
    """List the instances of every due report of the app, note new ones in the ledger and plan to land what is due.

    Due is what the ledger does not hold as converted, whoever listed it: so a run heals what an earlier one left. A
    second run lists again and plans the same. Where Apple answers slowly it ends itself in time, notes the tables that
    are listed and is called again. The app ends as *not ready* while Apple has no instance at all.
    """
    record = registry.runs.get(item)
    listing = _Listing.of(record.facts if record else {})
    ledger: list[LedgerInstance] = []
    due: list[LedgerInstance] = []
    with registry.runs.calls_of_a_failure(item, calls):
        try:
            for known in _requests(item.app_id, plan, registry):
                ledger += (found := _list_request(item.app_id, plan, known, registry, apple, listing))
                due += [instance for instance in found if _is_to_land(instance, known, plan)]
        except PipelineError:
            registry.runs.note(item, **listing.facts())
            raise
        _plan_to_land(item, due, registry)
    verdict = _verdict(plan, listing, ledger, due)
    registry.runs.finish(item, verdict, calls=calls.made, listed=[], empty=[], **_table_facts(plan, ledger))
    return step_result(Outcome.DONE)


def expected_calls(plan: RunPlan) -> int:
    """What a listing takes in the steady state: one call per table."""
    return len(curated_tables(plan.reports, plan.granularities))


def _requests(app_id: str, plan: RunPlan, registry: Registry) -> list[KnownRequest]:
    """The request this run stands on; a daily run also looks after a snapshot that a backfill did not see ready."""
    known = registry.report_requests.get(app_id, plan.access_type)
    if plan.operation is Operation.BACKFILL:
        return [known]
    snapshot = registry.report_requests.get(app_id, AccessType.ONE_TIME_SNAPSHOT)
    return [known, snapshot] if snapshot.request_id and snapshot.asked else [known]


def _list_request(
    app_id: str,
    plan: RunPlan,
    known: KnownRequest,
    registry: Registry,
    apple: AppStoreConnect,
    listing: _Listing,
) -> list[LedgerInstance]:
    """The ledger of one request after listing every due table; what Apple lists anew is added to it."""
    ledger = registry.instances.since(app_id, known.access_type, _oldest(known, plan))
    due = [table for table in _due_tables(plan, known, ledger) if _mark(known, table) not in listing.done]
    try:
        latest = latest_processing_date(plan.as_of, datetime.now(UTC).date())
        _list_tables(due, known, ledger, registry, apple, listing, latest)
    except NotFound:
        registry.report_requests.forget(known)  # deleted or made anew behind our back: the next run looks
        raise
    _remember_newest(known, ledger, registry)
    return ledger


def _list_tables(
    due: Sequence[CuratedTable],
    known: KnownRequest,
    ledger: list[LedgerInstance],
    registry: Registry,
    apple: AppStoreConnect,
    listing: _Listing,
    latest: date,
) -> None:
    noted = {instance_key(instance.vintage) for instance in ledger}
    report_ids = _report_ids(known, {table.report.name for table in due}, registry, apple)
    for table in due:
        listing.begin_table()
        listed = _instances(report_ids.get(table.report.name), table, latest, apple)
        for instance in (_ledger_instance(known.app_id, table, known.access_type, one) for one in listed):
            if instance_key(instance.vintage) not in noted:
                registry.instances.add(instance)
                ledger.append(instance)
        listing.done.add(_mark(known, table))
        if table.name not in {instance.table for instance in ledger}:
            listing.without_instances.add(table.name)


def _instances(report_id: str | None, table: CuratedTable, latest: date, apple: AppStoreConnect) -> Sequence[Instance]:
    """The instances of one table; none where Apple does not offer the report to this app (yet)."""
    return () if report_id is None else apple.instances(report_id, table.granularity, latest).listed


def _report_ids(known: KnownRequest, wanted: set[str], registry: Registry, apple: AppStoreConnect) -> dict[str, str]:
    """Apple's report ids by name: cached per request, asked for again while a wanted one is missing."""
    if known.request_id is None or wanted <= known.report_ids.keys():
        return known.report_ids
    offered = {report.name: report.id for report in apple.reports(known.request_id)}
    report_ids = known.report_ids | {name: offered[name] for name in sorted(wanted & offered.keys())}
    if report_ids != known.report_ids:
        registry.report_requests.remember_report_ids(known, report_ids)
    return report_ids


def _oldest(known: KnownRequest, plan: RunPlan) -> date:
    """From which processing date on the ledger matters. A snapshot's instances matter as long as they are wanted."""
    return plan.as_of - timedelta(days=_LEDGER_DAYS) if known.access_type is AccessType.ONGOING else date.min


def _due_tables(plan: RunPlan, known: KnownRequest, ledger: Iterable[LedgerInstance]) -> list[CuratedTable]:
    tables = curated_tables(plan.reports, plan.granularities)
    newest: dict[str, date] = {}
    for instance in ledger:
        newest[instance.table] = max(instance.vintage.processing_date, newest.get(instance.table, date.min))
    if known.access_type is AccessType.ONGOING:
        if not may_have_instances(known.requested_on, plan.as_of):
            return []
        return [table for table in tables if is_due(table.granularity, plan.as_of, newest.get(table.name))]
    return [
        table for table in tables if any(_is_awaited(asked, table, table.name in newest, plan) for asked in known.asked)
    ]


def _is_awaited(asked: Asked, table: CuratedTable, has_instances: bool, plan: RunPlan) -> bool:
    if asked.report != table.report.name:
        return False
    return plan.operation is Operation.BACKFILL or snapshot_is_due(asked.asked_on, has_instances, plan.as_of)


def _mark(known: KnownRequest, table: CuratedTable) -> str:
    return f"{known.access_type}/{table.name}"


def _ledger_instance(app_id: str, table: CuratedTable, access_type: AccessType, instance: Instance) -> LedgerInstance:
    vintage = Vintage(instance.processing_date, access_type, instance.id)
    return LedgerInstance(app_id, table.name, table.granularity, vintage)


def _remember_newest(known: KnownRequest, ledger: Iterable[LedgerInstance], registry: Registry) -> None:
    """A request that falls silent is looked at: so remember how far it has come."""
    newest = max((instance.vintage.processing_date for instance in ledger), default=None)
    if newest is not None and newest != known.newest_instance:
        registry.report_requests.remember_newest_instance(known, newest)


def _is_to_land(instance: LedgerInstance, known: KnownRequest, plan: RunPlan) -> bool:
    """Whether an instance still has something to give: never converted, or a snapshot not for all Dates asked for.

    What it was asked for and could not give is not asked every day.
    """
    if instance.table not in {table.name for table in curated_tables(plan.reports, plan.granularities)}:
        return False
    if instance.status in (InstanceStatus.LISTED, InstanceStatus.LANDED):
        return True
    if instance.status is not InstanceStatus.CONVERTED or known.access_type is AccessType.ONGOING:
        return False
    report = tables_by_name()[instance.table].report.name
    asked = {asked.dates for asked in known.asked if asked.report == report}
    return not (instance.raw_has_expired or asked <= instance.converted_dates | instance.quarantined_dates)


def _plan_to_land(item: RegisterItem, due: Iterable[LedgerInstance], registry: Registry) -> None:
    for instance in due:
        registry.runs.plan(
            LandItem(item.run_id, item.account, item.app_id, instance_key(instance.vintage)),
            table=instance.table,
            processing_date=instance.vintage.processing_date.isoformat(),
        )


def _verdict(
    plan: RunPlan, listing: _Listing, ledger: Sequence[LedgerInstance], due: Sequence[LedgerInstance]
) -> Verdict:
    if plan.operation is Operation.BACKFILL and listing.without_instances:
        return Verdict.NOT_READY
    if due:
        return Verdict.READY
    return Verdict.UNCHANGED if ledger else Verdict.NOT_READY


def _table_facts(plan: RunPlan, ledger: Iterable[LedgerInstance]) -> dict[str, Any]:
    """The tables of a daily run, and those that held anything before it landed anything: for the run's page."""
    if plan.operation is not Operation.DAILY:
        return {}
    converted = {
        instance.table
        for instance in ledger
        if instance.status is InstanceStatus.CONVERTED and instance.vintage.access_type is AccessType.ONGOING
    }
    tables = curated_tables(plan.reports, plan.granularities)
    return {"tables": [table.name for table in tables], "converted": sorted(converted)}

"""list_instances: what Apple has built for one app, and what of it is due."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from time import monotonic
from typing import Any, Self

from appstore_analytics.apple.client import AppStoreConnect
from appstore_analytics.apple.entries import Instance, Instances
from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.errors import AppleRefused, NotFound, PipelineError, TimeUsedUp
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
from appstore_analytics.registry.reservation import Reservation
from appstore_analytics.rules.due import (
    INSTANCE_LIFE_DAYS,
    is_due,
    latest_processing_date,
    may_have_instances,
    offer_is_old,
    snapshot_is_due,
)
from appstore_analytics.rules.offered_reports import read_offer
from appstore_analytics.steps.waiting import waits_when_not_ready

WORST_CASE_CALLS_OF_A_TABLE = 3
"""The request's reports, the instances, and one of them again with a fresh token: more only beyond 200 of either."""
LISTS_FOR_SECONDS = 240
"""Then no further table is begun. What is left of the function's time is more than one table takes."""
_REFUSED_OF_A_TABLE, _REFUSED_OF_AN_APP = 20, 200
"""Entries refused by name; the record of an app's listing is one item of DynamoDB, so it cannot name any number."""
_REFUSAL_CHARACTERS = 500
_FURTHER = "further", f"Only {_REFUSED_OF_AN_APP} of the refused entries of this app are named: Apple listed more."
_REASON_CHARACTERS = 2000
_CONTRADICTION = "Apple listed it for {} and for {} as well."
_MENDED = "Once Apple has mended its list, the next run goes on with it."
_GONE = (
    "Apple no longer knows the report request of app {} or one of its reports ({}) The next run looks for the request, "
    "and makes a new one if there is none."
)
_LEDGER_DAYS = INSTANCE_LIFE_DAYS + 7
"""How far back the ledger is compared with Apple's list: a little longer than Apple lists anything."""


@dataclass
class _Listing:
    """What one app's listing has found so far: a retry goes on where it stopped.

    `refused` is why a list of Apple's, or an entry of one, could not be used in this run, by table and name; `known` of
    them an earlier run has failed for already. `missing` are the reports that Apple does not offer, `unknown` its names
    that the catalogue lacks.
    """

    done: set[str] = field(default_factory=set)
    without_instances: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    ends_at: float = field(default_factory=lambda: monotonic() + LISTS_FOR_SECONDS)

    def begin_table(self) -> None:
        """TimeUsedUp when it is too late for another one; an attempt always has time for its first."""
        if monotonic() > self.ends_at:
            raise TimeUsedUp(
                f"Apple answered {len(self.done)} tables in time; the others come next.", datetime.now(UTC)
            )

    @property
    def new_refusals(self) -> list[str]:
        """What this run is the first to meet."""
        return [reason for name, reason in sorted(self.refused.items()) if name not in self.known]

    def progress(self) -> dict[str, Any]:
        """The listing as facts of a record that has not ended."""
        return {
            "listed": sorted(self.done),
            "empty": sorted(self.without_instances),
            "known_refusals": sorted(self.known),
            **self.facts(),
        }

    def facts(self) -> dict[str, Any]:
        """What the run report tells of the listing."""
        return {
            "refused": dict(sorted(self.refused.items())),
            "missing_reports": sorted(self.missing),
            "unknown_reports": sorted(self.unknown),
        }

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Self:
        """The listing that `progress` wrote."""
        return cls(
            set(facts.get("listed", ())),
            set(facts.get("empty", ())),
            dict(facts.get("refused", {})),
            set(facts.get("known_refusals", ())),
            set(facts.get("missing_reports", ())),
            set(facts.get("unknown_reports", ())),
        )


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
            registry.runs.note(item, **listing.progress())
            raise
        _plan_to_land(item, due, registry)
    verdict, reason = _verdict(plan, listing, ledger, due)
    facts = {"listed": [], "empty": [], "known_refusals": [], **listing.facts(), **_table_facts(plan, ledger)}
    registry.runs.finish(item, verdict, reason, calls.made, **facts)
    return step_result(Outcome.DONE)


def expected_calls(plan: RunPlan) -> int:
    """What a listing takes in the steady state: one call per table."""
    return len(curated_tables(plan.reports, plan.granularities))


def _requests(app_id: str, plan: RunPlan, registry: Registry) -> list[KnownRequest]:
    """The request this run stands on; a daily run also looks after a snapshot that a backfill did not see ready."""
    known = registry.report_requests.get(app_id, plan.access_type)
    if plan.operation.traits.waits_for_snapshot:
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
    latest = latest_processing_date(plan.as_of, datetime.now(UTC).date())
    known_instances = registry.instances.since(app_id, known.access_type, _oldest(known, plan))
    ledger = [instance for instance in known_instances if instance.vintage.processing_date <= latest]
    due = [table for table in _due_tables(plan, known, ledger) if _mark(known, table) not in listing.done]
    try:
        known = _with_offer(known, due, plan, registry, apple, listing)
        _list_tables(due, known, latest, ledger, registry, apple, listing)
    except NotFound as gone:
        registry.report_requests.forget(known)  # deleted or made anew behind our back: the next run looks
        raise NotFound(_GONE.format(app_id, gone)) from None
    _remember_newest(known, ledger, registry)
    return ledger


def _list_tables(
    due: Sequence[CuratedTable],
    known: KnownRequest,
    latest: date,
    ledger: list[LedgerInstance],
    registry: Registry,
    apple: AppStoreConnect,
    listing: _Listing,
) -> None:
    """What Apple lists of each table; a list that cannot be used is refused by name, and the others go on."""
    for table in due:
        if (report_id := known.report_ids.get(table.report.name)) is not None:
            listing.begin_table()
            try:
                found = apple.instances(report_id, table.granularity, latest)
            except AppleRefused as refused:
                listing.refused[table.name] = f"The instances of {table.name} were not listed: {refused} {_MENDED}"
                continue
            _note_listed(found, table, known, ledger, registry, listing)
        listing.done.add(_mark(known, table))
        if table.name not in {instance.table for instance in ledger}:
            listing.without_instances.add(table.name)


def _note_listed(
    found: Instances,
    table: CuratedTable,
    known: KnownRequest,
    ledger: list[LedgerInstance],
    registry: Registry,
    listing: _Listing,
) -> None:
    """New instances into the ledger; an id that it has for something else contradicts it, and is refused."""
    for name, reason in sorted(found.refused.items())[:_REFUSED_OF_A_TABLE]:
        _refuse(known.app_id, table, name, reason, registry, listing)
    noted = {instance.vintage.instance_id: instance for instance in ledger}
    for listed in found.listed:
        instance = _ledger_instance(known.app_id, table, known.access_type, listed)
        other = noted.get(listed.id)
        if other is None:
            registry.instances.add(instance)
            ledger.append(instance)
        elif (other.table, other.vintage) != (instance.table, instance.vintage):
            reason = _CONTRADICTION.format(_when(other), _when(instance))
            _refuse(known.app_id, table, listed.id, reason, registry, listing)


def _when(instance: LedgerInstance) -> str:
    return f"{instance.table} ({instance.vintage.processing_date})"


def _refuse(app_id: str, table: CuratedTable, name: str, reason: str, registry: Registry, listing: _Listing) -> None:
    """Refuse one entry by name. The run that meets it first fails for it; later ones only tell of it."""
    key, sentence = (
        f"{table.name}/{name}",
        f"{f'Instance {name} of {table.name} is refused: {reason}'[:_REFUSAL_CHARACTERS]} {_MENDED}",
    )
    if len(listing.refused) >= _REFUSED_OF_AN_APP:
        key, sentence = _FURTHER
    if key not in listing.refused and not registry.refusals.add(app_id, table.name, name, reason):
        listing.known.add(key)
    listing.refused[key] = sentence


def _with_offer(
    known: KnownRequest,
    due: Sequence[CuratedTable],
    plan: RunPlan,
    registry: Registry,
    apple: AppStoreConnect,
    listing: _Listing,
) -> KnownRequest:
    """The request with Apple's report ids by the catalogue's names.

    They are asked for again while a wanted one is missing, and once a week because Apple may offer new ones.
    """
    wanted = {table.report.name for table in due}
    if known.request_id is None or not wanted:
        return known
    if not wanted <= known.report_ids.keys() or offer_is_old(known.offer_read_on, plan.as_of):
        try:
            offer = read_offer((report.name, report.id) for report in apple.reports(known.request_id))
        except AppleRefused as refused:
            listing.refused["reports"] = f"The reports of app {known.app_id} were not listed: {refused} {_MENDED}"
            return known
        for name in wanted & set(offer.ambiguous):
            listing.refused[name] = (
                f"Apple offers two reports named '{name}' to app {known.app_id}: neither is fetched. {_MENDED}"
            )
        if offer.report_ids or offer.unknown:
            of_wanted = {name: offer.report_ids[name] for name in sorted(wanted & offer.report_ids.keys())}
            report_ids = known.report_ids | of_wanted
            known = registry.report_requests.remember_offer(known, report_ids, offer.unknown, plan.as_of)
    if known.report_ids or known.unknown_reports:
        listing.missing |= wanted - known.report_ids.keys() - listing.refused.keys()
        listing.unknown |= set(known.unknown_reports)
    return known


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
    return plan.operation.traits.waits_for_snapshot or snapshot_is_due(asked.asked_on, has_instances, plan.as_of)


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
            LandItem(item.run_id, item.account, item.app_id, instance.vintage),
            table=instance.table,
            processing_date=instance.vintage.processing_date.isoformat(),
        )


def _verdict(
    plan: RunPlan, listing: _Listing, ledger: Sequence[LedgerInstance], due: Sequence[LedgerInstance]
) -> tuple[Verdict, str]:
    """How the listing ended, and why if it failed: what was refused does not keep the rest from landing."""
    if listing.new_refusals:
        return Verdict.FAILED, " ".join(listing.new_refusals)[:_REASON_CHARACTERS]
    if plan.operation.traits.waits_for_snapshot and listing.without_instances:
        return Verdict.NOT_READY, ""
    if due:
        return Verdict.READY, ""
    return (Verdict.UNCHANGED if ledger else Verdict.NOT_READY), ""


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

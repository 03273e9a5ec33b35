"""list_instances: lists the instances that Apple has built for one app and plans the due ones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from time import monotonic
from typing import Self

from appstore_analytics.apple.client import AppStoreConnect
from appstore_analytics.apple.entries import Instance, Instances
from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.errors import AppleRefused, NotFound, PipelineError, TimeUsedUp
from appstore_analytics.contract.facts import ListFacts, PlannedFacts
from appstore_analytics.contract.maps import Outcome, step_result
from appstore_analytics.contract.tables import CuratedTable, curated_tables
from appstore_analytics.model.instances import InstanceStatus, LedgerInstance
from appstore_analytics.model.items import LandItem, RegisterItem
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.model.requests import KnownRequest
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.registry import Registry
from appstore_analytics.registry.reservation import Reservation
from appstore_analytics.rules.due import (
    due_tables,
    is_to_land,
    latest_processing_date,
    listing_verdict,
    offer_is_old,
    oldest_processing_date,
)
from appstore_analytics.rules.offered_reports import read_offer
from appstore_analytics.steps.waiting import waits_when_not_ready

LISTS_FOR_SECONDS = 240
"""The time after which no further table is started: the rest of the function's time suffices for one table."""
_REFUSED_OF_A_TABLE, _REFUSED_OF_AN_APP = 20, 200
"""Entries refused by name; the record of an app's listing is one item of DynamoDB, so it cannot name any number."""
_REFUSAL_CHARACTERS = 500
_FURTHER = "further", f"Only {_REFUSED_OF_AN_APP} of the refused entries of this app are named: Apple listed more."
_REASON_CHARACTERS = 2000
_CONTRADICTION = "Apple listed it both for {} and for {}."
_MENDED = "Once Apple has corrected its list, the next run continues with it."
_GONE = (
    "Apple no longer knows the report request of app {} or one of its reports ({}) The next run looks for the request, "
    "and makes a new one if there is none."
)


@waits_when_not_ready
def list_instances(
    item: RegisterItem, plan: RunPlan, registry: Registry, apple: AppStoreConnect, calls: Reservation
) -> dict[str, str]:
    """List the instances of every due report of the app, add new ones to the ledger and plan to land the due ones.

    An instance is due if the ledger does not have it as converted, whichever run listed it, so a run completes the work
    that an earlier run left. A second run lists again and plans the same. If Apple answers slowly, the step stops in
    time, records the tables that it has listed and is called again. The app's verdict is *not ready* while Apple has no
    instance at all.
    """
    record = registry.runs.get(item)
    results = _Results.of(ListFacts.of(record.facts if record else {}))
    listing = _Listing(item.app_id, plan, registry, apple, results)
    ledger: list[LedgerInstance] = []
    due: list[LedgerInstance] = []
    with registry.runs.calls_of_a_failure(item, calls):
        try:
            for known in listing.requests():
                ledger += (found := listing.of_request(known))
                due += [instance for instance in found if is_to_land(instance, known, plan)]
        except PipelineError:
            registry.runs.note(item, **results.progress().to_record())
            raise
        _plan_to_land(item, due, registry)
    reason = " ".join(results.new_refusals)[:_REASON_CHARACTERS]
    has_refused, has_gaps = bool(results.new_refusals), bool(results.without_instances)
    verdict = listing_verdict(plan, has_refused=has_refused, has_gaps=has_gaps, ledger=ledger, due=due)
    tables, converted = _tables(plan, ledger)
    facts = replace(results.facts(), tables=tables, converted=converted)
    registry.runs.finish(item, verdict, reason, calls.made, **facts.to_record())
    return step_result(Outcome.DONE)


@dataclass
class _Results:
    """The results of one app's listing so far: a retry continues where the last attempt stopped.

    `refused` has, by table and name, why a list from Apple, or an entry of one, could not be used in this run; for
    `known` ones an earlier run has already failed. `missing` are the reports that Apple does not offer, `unknown` its
    names that are not in the catalogue.
    """

    done: set[str] = field(default_factory=set)
    without_instances: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)

    @property
    def new_refusals(self) -> list[str]:
        """The refusals that no earlier run has met."""
        return [reason for name, reason in sorted(self.refused.items()) if name not in self.known]

    def facts(self) -> ListFacts:
        """The facts of the listing for the run report."""
        return ListFacts(
            refused=dict(sorted(self.refused.items())),
            missing_reports=tuple(sorted(self.missing)),
            unknown_reports=tuple(sorted(self.unknown)),
        )

    def progress(self) -> ListFacts:
        """The facts of a listing that has not ended, with the state for the next attempt."""
        return replace(
            self.facts(),
            listed=tuple(sorted(self.done)),
            empty=tuple(sorted(self.without_instances)),
            known_refusals=tuple(sorted(self.known)),
        )

    @classmethod
    def of(cls, facts: ListFacts) -> Self:
        """The results that `progress` noted."""
        return cls(
            done=set(facts.listed),
            without_instances=set(facts.empty),
            refused=facts.refused,
            known=set(facts.known_refusals),
            missing=set(facts.missing_reports),
            unknown=set(facts.unknown_reports),
        )


@dataclass(frozen=True, slots=True)
class _Listing:
    """One attempt to list one app."""

    app_id: str
    plan: RunPlan
    registry: Registry
    apple: AppStoreConnect
    results: _Results
    ends_at: float = field(default_factory=lambda: monotonic() + LISTS_FOR_SECONDS)

    def requests(self) -> list[KnownRequest]:
        """The requests to list; a daily run also includes a snapshot that a backfill did not see ready."""
        known = self.registry.report_requests.get(self.app_id, self.plan.access_type)
        if self.plan.operation.traits.waits_for_snapshot:
            return [known]
        snapshot = self.registry.report_requests.get(self.app_id, AccessType.ONE_TIME_SNAPSHOT)
        return [known, snapshot] if snapshot.request_id and snapshot.asked else [known]

    def of_request(self, known: KnownRequest) -> list[LedgerInstance]:
        """The ledger of one request after listing every due table and adding new instances."""
        latest = latest_processing_date(self.plan.as_of, self.registry.clock().date())
        known_instances = self.registry.instances.since(
            self.app_id, known.access_type, oldest_processing_date(known, self.plan.as_of)
        )
        ledger = [instance for instance in known_instances if instance.vintage.processing_date <= latest]
        due = [table for table in due_tables(self.plan, known, ledger) if _mark(known, table) not in self.results.done]
        try:
            known = self._with_offer(known, due)
            self._list_tables(due, known, latest, ledger)
        except NotFound as gone:
            self.registry.report_requests.forget(known)  # deleted or created again by someone else: the next run checks
            raise NotFound(_GONE.format(self.app_id, gone)) from None
        self._remember_newest(known, ledger)
        return ledger

    def _list_tables(
        self, due: Sequence[CuratedTable], known: KnownRequest, latest: date, ledger: list[LedgerInstance]
    ) -> None:
        """The instances that Apple lists per table; a list that cannot be used is refused by name, and the others
        continue."""
        for table in due:
            if (report_id := known.report_ids.get(table.report.name)) is not None:
                self._begin_table()
                try:
                    found = self.apple.instances(report_id, table.granularity, latest)
                except AppleRefused as refused:
                    self.results.refused[table.name] = (
                        f"The instances of {table.name} were not listed: {refused} {_MENDED}"
                    )
                    continue
                self._note_listed(found, table, known, ledger)
            self.results.done.add(_mark(known, table))
            if table.name not in {instance.table for instance in ledger}:
                self.results.without_instances.add(table.name)

    def _begin_table(self) -> None:
        """TimeUsedUp if it is too late for another table; an attempt always has time for its first one."""
        if monotonic() > self.ends_at:
            listed = len(self.results.done)
            raise TimeUsedUp(f"Apple answered {listed} tables in time; the others come next.", self.registry.clock())

    def _note_listed(
        self, found: Instances, table: CuratedTable, known: KnownRequest, ledger: list[LedgerInstance]
    ) -> None:
        """Adds new instances to the ledger. An id that it already has for another instance is refused."""
        for name, reason in sorted(found.refused.items())[:_REFUSED_OF_A_TABLE]:
            self._refuse(table, name, reason)
        noted = {instance.vintage.instance_id: instance for instance in ledger}
        for listed in found.listed:
            instance = _ledger_instance(self.app_id, table, known.access_type, listed)
            other = noted.get(listed.id)
            if other is None:
                self.registry.instances.add(instance)
                ledger.append(instance)
            elif (other.table, other.vintage) != (instance.table, instance.vintage):
                reason = _CONTRADICTION.format(_when(other), _when(instance))
                self._refuse(table, listed.id, reason)

    def _refuse(self, table: CuratedTable, name: str, reason: str) -> None:
        """Refuse one entry by name. The first run that meets it fails; later ones only report it."""
        key, sentence = (
            f"{table.name}/{name}",
            f"{f'Instance {name} of {table.name} is refused: {reason}'[:_REFUSAL_CHARACTERS]} {_MENDED}",
        )
        if len(self.results.refused) >= _REFUSED_OF_AN_APP:
            key, sentence = _FURTHER
        if key not in self.results.refused and not self.registry.refusals.add(self.app_id, table.name, name, reason):
            self.results.known.add(key)
        self.results.refused[key] = sentence

    def _with_offer(self, known: KnownRequest, due: Sequence[CuratedTable]) -> KnownRequest:
        """The request with Apple's report ids by the catalogue's names.

        They are listed again while a configured one is missing, and once a week in case Apple offers new ones.
        """
        wanted = {table.report.name for table in due}
        if known.request_id is None or not wanted:
            return known
        if not wanted <= known.report_ids.keys() or offer_is_old(known, self.plan.as_of):
            try:
                offer = read_offer((report.name, report.id) for report in self.apple.reports(known.request_id))
            except AppleRefused as refused:
                self.results.refused["reports"] = (
                    f"The reports of app {self.app_id} were not listed: {refused} {_MENDED}"
                )
                return known
            for name in wanted & set(offer.ambiguous):
                self.results.refused[name] = (
                    f"Apple offers two reports named '{name}' to app {self.app_id}: neither is fetched. {_MENDED}"
                )
            if offer.report_ids or offer.unknown:
                of_wanted = {name: offer.report_ids[name] for name in sorted(wanted & offer.report_ids.keys())}
                report_ids = known.report_ids | of_wanted
                known = self.registry.report_requests.remember_offer(known, report_ids, offer.unknown, self.plan.as_of)
        if known.report_ids or known.unknown_reports:
            self.results.missing |= wanted - known.report_ids.keys() - self.results.refused.keys()
            self.results.unknown |= set(known.unknown_reports)
        return known

    def _remember_newest(self, known: KnownRequest, ledger: Iterable[LedgerInstance]) -> None:
        """Records the newest instance, so that a request without new ones is noticed."""
        newest = max((instance.vintage.processing_date for instance in ledger), default=None)
        if newest is not None and newest != known.newest_instance:
            self.registry.report_requests.remember_newest_instance(known, newest)


def _when(instance: LedgerInstance) -> str:
    return f"{instance.table} ({instance.vintage.processing_date})"


def _mark(known: KnownRequest, table: CuratedTable) -> str:
    return f"{known.access_type}/{table.name}"


def _ledger_instance(app_id: str, table: CuratedTable, access_type: AccessType, instance: Instance) -> LedgerInstance:
    vintage = Vintage(instance.processing_date, access_type, instance.id)
    return LedgerInstance(app_id, table.name, table.granularity, vintage)


def _plan_to_land(item: RegisterItem, due: Iterable[LedgerInstance], registry: Registry) -> None:
    for instance in due:
        facts = PlannedFacts(instance.table, instance.vintage.processing_date.isoformat())
        land = LandItem(item.run_id, item.account, item.app_id, instance.vintage)
        registry.runs.plan(land, **facts.to_record())


def _tables(plan: RunPlan, ledger: Iterable[LedgerInstance]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """For the page of a run that covers every table: the tables, and those that had rows before the run."""
    if not plan.operation.traits.covers_every_app:
        return (), ()
    converted = {
        instance.table
        for instance in ledger
        if instance.status is InstanceStatus.CONVERTED and instance.vintage.access_type is AccessType.ONGOING
    }
    tables = curated_tables(plan.reports, plan.granularities)
    return tuple(table.name for table in tables), tuple(sorted(converted))

"""plan_items: writes the manifest of the next Map from the records of the earlier steps."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from heapq import nlargest
from itertools import chain, groupby, islice
from typing import Any

from appstore_analytics.contract.facts import PlannedFacts
from appstore_analytics.contract.maps import FROM_THE_BEGINNING, MOST_ITEMS_OF_A_PASS, MapName, utc_text
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.tables import curated_tables
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.contract.waits import WaitFor
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.run_notes import read_plan, write_manifest
from appstore_analytics.model.instances import LedgerInstance
from appstore_analytics.model.items import Item, LandItem, PublishItem, RegisterItem, RestoreItem, VerifyItem
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.registry import Registry
from appstore_analytics.registry.call_budget import CallBudget
from appstore_analytics.registry.covered_instances import landed_instances, listed_instances
from appstore_analytics.registry.runs import open_items
from appstore_analytics.rules.call_budget import calls_of_an_item
from appstore_analytics.steps.older_kpis import mark_older_kpis

Planned = dict[str, str | int | bool]


def plan_items(
    run_id: str,
    map_name: MapName,
    registry: Registry,
    lake: Bucket,
    now: datetime,
    *,
    after: str = FROM_THE_BEGINNING,
    left: bool = False,
) -> Planned:
    """Write the manifest of one pass of a Map or, with `left`, of what its Express children left without a verdict.

    Returns the manifest's key, its number of `items`, and `after`: where the next pass begins, to be passed to the next
    call; empty if this pass is the last. A second call with the same arguments plans the same.
    """
    plan = read_plan(lake, run_id)
    if after == FROM_THE_BEGINNING and not left:
        _plan_records(plan, map_name, registry, lake)
    events, following = _pass(plan, map_name, registry, after)
    if left:
        return _plan_left(plan, map_name, events, following, registry, lake, now)
    waiting = map_name is MapName.VERIFY and _waits_for_snapshot(plan, registry, now)
    if waiting:
        _note_wait_for_snapshot(plan, registry, now)
    elif map_name is MapName.VERIFY or (map_name is MapName.LAND and events):
        _note_snapshot_has_come(plan, registry, now)
    return {
        "manifest_key": write_manifest(lake, plan.run_id, map_name, events),
        "items": len(events),
        "after": following,
        "waiting": waiting,
    }


def _plan_records(plan: RunPlan, map_name: MapName, registry: Registry, lake: Bucket) -> None:
    """Give every item of the Map a record without a verdict.

    list_instances and restore_parts plan LAND's items as they find them; those of a reprocess and a refetch are planned
    here. A daily run also publishes Dates whose KPIs have older definitions.
    """
    if map_name is MapName.PUBLISH and plan.operation is Operation.DAILY:
        mark_older_kpis(curated_tables(plan.reports, plan.granularities), registry, lake)
    for item in _items(plan, map_name, registry):
        registry.runs.plan_again(item)
    for instance_item, facts in _instance_items(plan, map_name, registry):
        registry.runs.plan(instance_item, **facts.to_record())


def _plan_left(
    plan: RunPlan,
    map_name: MapName,
    events: list[dict[str, Any]],
    following: str,
    registry: Registry,
    lake: Bucket,
    now: datetime,
) -> Planned:
    """Write a separate manifest for the items that are left; no new items are planned.

    If the quota can be the reason, the answer also has `available_at`: the time when the key has calls for all items
    that are left, or for as many as fit into an hour, and then the manifest has only these. So the run waits once for
    all items instead of each child for itself.
    """
    waits: dict[str, str] = {}
    if (
        plan.operation.traits.calls_apple
        and (instant := _calls_available_at(plan, map_name, events, registry, now)) > now
    ):
        waits["available_at"] = utc_text(instant)
        registry.waits.note(plan.run_id, _waits_for(plan, registry, now), instant, now)
        events = _of_an_hour(plan, map_name, events, registry)  # the other items would find no calls left
        following = FROM_THE_BEGINNING  # after the wait, all items that are still open are planned again
    manifest_key = write_manifest(lake, plan.run_id, map_name, events, left=True)
    return {"manifest_key": manifest_key, "items": len(events), "after": following, **waits}


def _pass(plan: RunPlan, map_name: MapName, registry: Registry, after: str) -> tuple[list[dict[str, Any]], str]:
    """The open items after this place, as many as one pass takes, and the place where the next pass begins.

    Only the items of the pass are held in memory.
    """
    events = open_items(registry.runs.of_map(plan.run_id, map_name))
    ahead = (event for event in events if after == FROM_THE_BEGINNING or _place(event) < after)
    found = nlargest(MOST_ITEMS_OF_A_PASS + 1, ahead, key=_place)
    handed_out = found[:MOST_ITEMS_OF_A_PASS]
    return handed_out, _place(handed_out[-1]) if len(found) > MOST_ITEMS_OF_A_PASS else FROM_THE_BEGINNING


def _place(event: Mapping[str, Any]) -> str:
    """The sort key of an item in its Map, greatest first: new instances, so that older ones find a newer vintage."""
    return f"{event.get('vintage', '')} {event['record']}"


def _calls_available_at(
    plan: RunPlan, map_name: MapName, events: Sequence[Mapping[str, str]], registry: Registry, now: datetime
) -> datetime:
    """The time at which every key has the calls for the items that are left; `now` if it already has."""
    calls: Counter[str] = Counter()
    for name, items in Counter(event["account"] for event in events).items():
        account = plan.account(name)
        calls[account.reader_key_name] += items * calls_of_an_item(plan, map_name)
        calls[account.admin_key_name] += items if map_name is MapName.REGISTER else 0
    waits = (_available_at(registry.call_budget(name), wanted, plan, now) for name, wanted in (+calls).items())
    return max(waits, default=now)


def _waits_for(plan: RunPlan, registry: Registry, now: datetime) -> WaitFor:
    """The reason for the wait: Apple's throttling if any key of the plan is paused, otherwise the hourly quota."""
    names = {name for account in plan.accounts for name in (account.admin_key_name, account.reader_key_name)}
    closed = (registry.call_budget(name).balance().closed_until for name in names)
    is_throttled = any(until is not None and until > now for until in closed)
    return WaitFor.APPLES_THROTTLING if is_throttled else WaitFor.APPLES_HOUR


def _available_at(budget: CallBudget, wanted: int, plan: RunPlan, now: datetime) -> datetime:
    most = budget.most(plan.calls_per_hour, plan.operation)
    return budget.available_at(min(wanted, most), most, now)


def _of_an_hour(
    plan: RunPlan, map_name: MapName, events: Sequence[dict[str, Any]], registry: Registry
) -> list[dict[str, Any]]:
    """The first items of each account, as many as a whole hour of its key allows; at least one."""
    fitting: list[dict[str, Any]] = []
    for name, of_account in groupby(sorted(events, key=_account_of), key=_account_of):
        most = registry.call_budget(plan.account(name).reader_key_name).most(plan.calls_per_hour, plan.operation)
        fitting += islice(of_account, max(most // calls_of_an_item(plan, map_name), 1))
    return fitting


def _account_of(event: Mapping[str, str]) -> str:
    return event["account"]


def _items(plan: RunPlan, map_name: MapName, registry: Registry) -> Iterator[Item]:
    if map_name is MapName.REGISTER:
        yield from _unready_apps(plan, registry)
    elif map_name is MapName.LAND and plan.operation.traits.waits_for_snapshot:
        yield from _unready_instances(plan, registry)
    elif map_name is MapName.PUBLISH:
        yield from _dirty_dates(plan, registry)
    elif map_name is MapName.VERIFY:
        yield from _touched_tables(plan, registry)


def _unready_apps(plan: RunPlan, registry: Registry) -> Iterator[RegisterItem]:
    """All apps in the first pass; in the next ones of a backfill those whose snapshot was not ready."""
    records = registry.runs.of_map(plan.run_id, MapName.REGISTER)
    verdicts = {record.event["app_id"]: record.verdict for record in records}
    for account in plan.accounts:
        for app_id in account.app_ids:
            if verdicts.get(app_id, Verdict.NOT_READY) in (None, Verdict.NOT_READY):
                yield RegisterItem(plan.run_id, account.name, app_id)


def _unready_instances(plan: RunPlan, registry: Registry) -> Iterator[LandItem]:
    """Instances that Apple listed without segments in an earlier pass of a backfill."""
    for record in registry.runs.of_map(plan.run_id, MapName.LAND):
        if record.verdict is Verdict.NOT_READY:
            yield LandItem.from_event(record.event)


def _instance_items(
    plan: RunPlan, map_name: MapName, registry: Registry
) -> Iterator[tuple[RestoreItem | LandItem, PlannedFacts]]:
    """The instances that a rollback restores, a reprocess converts or a refetch downloads, each with its facts."""
    if map_name is MapName.RESTORE and plan.of_run is not None:
        for record in registry.runs.of_map(plan.of_run, MapName.LAND):
            item = LandItem.from_event(record.event)
            facts = PlannedFacts.of(record.facts)
            yield RestoreItem(plan.run_id, item.account, item.app_id, item.vintage, plan.of_run), facts
    elif map_name is MapName.LAND is plan.operation.traits.first_map:
        for account, instance in _covered_instances(plan, registry):
            if not plan.operation.traits.downloads_again:
                registry.instances.release(instance)
            facts = PlannedFacts(instance.table, instance.vintage.processing_date.isoformat())
            yield LandItem(plan.run_id, account, instance.app_id, instance.vintage), facts


def _covered_instances(plan: RunPlan, registry: Registry) -> Iterator[tuple[str, LedgerInstance]]:
    """The instances that the plan of a reprocess or a refetch covers, each with its account."""
    accounts = {app_id: account.name for account in plan.accounts for app_id in account.app_ids}
    tables = {table.name for table in curated_tables(plan.reports, plan.granularities)}
    first, last = plan.start_processing_date, plan.end_processing_date
    if plan.operation.traits.downloads_again:
        covered = listed_instances(registry, accounts, tables, first, last)
    else:
        covered = landed_instances(registry, accounts, tables, first, last, plan.of_run)
    for instance in covered:
        yield accounts[instance.app_id], instance


def _dirty_dates(plan: RunPlan, registry: Registry) -> Iterator[PublishItem]:
    """All dirty Dates of the plan's tables, including those that earlier runs left."""
    for table in curated_tables(plan.reports, plan.granularities):
        for dirty in registry.dirty_dates.of_table(table.name):
            yield PublishItem(plan.run_id, table.name, dirty.day.isoformat())


def _touched_tables(plan: RunPlan, registry: Registry) -> Iterator[VerifyItem]:
    tables = {record.event["table"] for record in registry.runs.of_map(plan.run_id, MapName.PUBLISH)}
    for table in sorted(tables):
        yield VerifyItem(plan.run_id, table)


def _note_wait_for_snapshot(plan: RunPlan, registry: Registry, now: datetime) -> None:
    """Until the run gives up, at the latest."""
    if plan.give_up_at is not None:
        registry.waits.note(plan.run_id, WaitFor.SNAPSHOT, plan.give_up_at, now)


def _note_snapshot_has_come(plan: RunPlan, registry: Registry, now: datetime) -> None:
    """From now on the run no longer says that it waits for it."""
    if plan.give_up_at is not None:
        registry.waits.end(plan.run_id, WaitFor.SNAPSHOT, plan.give_up_at, now)


def _waits_for_snapshot(plan: RunPlan, registry: Registry, now: datetime) -> bool:
    """Whether a backfill waits another hour: a snapshot is not ready, or has no segments, and there is time left."""
    if not plan.operation.traits.waits_for_snapshot or plan.give_up_at is None or now >= plan.give_up_at:
        return False
    records = (registry.runs.of_map(plan.run_id, map_name) for map_name in (MapName.REGISTER, MapName.LAND))
    return any(record.verdict is Verdict.NOT_READY for record in chain.from_iterable(records))

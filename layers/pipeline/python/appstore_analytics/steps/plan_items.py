"""plan_items: the manifest of the next Map, from what the steps before it have recorded."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from appstore_analytics.contract.catalogue import REPORTS_BY_NAME
from appstore_analytics.contract.messages import (
    MOST_ITEMS_OF_A_MAP,
    Item,
    LandItem,
    MapName,
    Operation,
    PublishItem,
    RegisterItem,
    RunPlan,
    Verdict,
    VerifyItem,
)
from appstore_analytics.contract.tables import curated_tables
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.run_notes import read_plan, write_manifest
from appstore_analytics.registry import Registry
from appstore_analytics.registry.runs import open_items

_ITEMS: Mapping[MapName, type[Item]] = {
    item.map_name: item for item in (RegisterItem, LandItem, PublishItem, VerifyItem)
}
_TOO_MANY = f"One run takes at most {MOST_ITEMS_OF_A_MAP:,} of them: the next run goes on with it."


def plan_items(run_id: str, map_name: MapName, registry: Registry, lake: Bucket) -> dict[str, str | int | bool]:
    """Plan one Map: every item gets a record without a verdict, the manifest lists the items that have none.

    The answer says where the manifest lies, how many items it has, and whether the run has to wait for a snapshot.
    A second run plans the same. LAND's items are planned by list_instances, as it finds them. What is too much for one
    Map fails by name; it stays due, so that the next run goes on with it.
    """
    plan = read_plan(lake, run_id)
    for item in _items(plan, map_name, registry):
        registry.runs.plan_again(item)
    # newest instances first: older ones then only find that a newer vintage stands
    events = sorted(open_items(registry.runs.of_map(run_id, map_name)), key=_newest_first, reverse=True)
    events, too_many = events[:MOST_ITEMS_OF_A_MAP], events[MOST_ITEMS_OF_A_MAP:]
    for event in too_many:
        registry.runs.finish(_ITEMS[map_name].from_event(event), Verdict.FAILED, _TOO_MANY)
    return {
        "manifest_key": write_manifest(lake, run_id, map_name, events),
        "items": len(events),
        "waiting": map_name is MapName.VERIFY and _waits_for_snapshot(plan, registry),
    }


def _newest_first(event: Mapping[str, str]) -> str:
    return event.get("instance", "")


def _items(plan: RunPlan, map_name: MapName, registry: Registry) -> Iterator[Item]:
    if map_name is MapName.REGISTER:
        yield from _unready_apps(plan, registry)
    elif map_name is MapName.PUBLISH:
        yield from _dirty_dates(plan, registry)
    elif map_name is MapName.VERIFY:
        yield from _touched_tables(plan, registry)


def _unready_apps(plan: RunPlan, registry: Registry) -> Iterator[RegisterItem]:
    """All apps in the first pass; in the next ones of a backfill those whose snapshot was not ready."""
    verdicts = {record.record: record.verdict for record in registry.runs.of_map(plan.run_id, MapName.REGISTER)}
    for account in plan.accounts:
        for app_id in account.app_ids:
            item = RegisterItem(plan.run_id, account.name, app_id)
            if verdicts.get(item.record, Verdict.NOT_READY) in (None, Verdict.NOT_READY):
                yield item


def _dirty_dates(plan: RunPlan, registry: Registry) -> Iterator[PublishItem]:
    """Whatever is dirty in the plan's tables, whoever left it."""
    for table in curated_tables((REPORTS_BY_NAME[name] for name in plan.reports), plan.granularities):
        for dirty in registry.dirty_dates.of_table(table.name):
            yield PublishItem(plan.run_id, table.name, dirty.day.isoformat())


def _touched_tables(plan: RunPlan, registry: Registry) -> Iterator[VerifyItem]:
    tables = {record.event["table"] for record in registry.runs.of_map(plan.run_id, MapName.PUBLISH)}
    for table in sorted(tables):
        yield VerifyItem(plan.run_id, table)


def _waits_for_snapshot(plan: RunPlan, registry: Registry) -> bool:
    """Whether a backfill comes back in an hour: an app's snapshot is not ready, and the patience has not ended."""
    if plan.operation is not Operation.BACKFILL or plan.give_up_at is None or datetime.now(UTC) >= plan.give_up_at:
        return False
    records = registry.runs.of_map(plan.run_id, MapName.REGISTER)
    return any(record.verdict is Verdict.NOT_READY for record in records)

"""What a reprocess covers: plan_items plans it, and manage.py says it beforehand."""

from collections.abc import Collection, Iterable, Iterator
from datetime import date

from appstore_analytics.contract.maps import MapName
from appstore_analytics.model.instances import LedgerInstance
from appstore_analytics.model.items import LandItem
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.registry.registry import Registry


def landed_instances(
    registry: Registry,
    app_ids: Iterable[str],
    tables: Collection[str],
    start: date | None,
    end: date | None,
    of_run: str | None,
) -> Iterator[LedgerInstance]:
    """What has landed of these apps, tables and processing dates (inclusive), app by app; of one run if named."""
    handled = None if of_run is None else set(_handled(registry, of_run))
    for app_id in app_ids:
        for instance in registry.instances.of_app(app_id, start or date.min):
            is_named = handled is None or (app_id, instance.vintage) in handled
            is_built_by_then = instance.vintage.processing_date <= (end or date.max)
            if is_named and is_built_by_then and instance.has_landed and instance.table in tables:
                yield instance


def _handled(registry: Registry, run_id: str) -> Iterator[tuple[str, Vintage]]:
    """The apps and vintages of the instances that a run handled."""
    for record in registry.runs.of_map(run_id, MapName.LAND):
        item = LandItem.from_event(record.event)
        yield item.app_id, item.vintage

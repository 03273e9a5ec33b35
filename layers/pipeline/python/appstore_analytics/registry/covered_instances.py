"""The instances that a reprocess or a refetch covers: plan_items plans them, and manage.py shows them beforehand."""

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
    """The landed instances for these apps, tables and processing dates (inclusive), app by app; only those of a run if
    one is named."""
    handled = None if of_run is None else set(_handled(registry, of_run))
    for instance in listed_instances(registry, app_ids, tables, start, end):
        is_named = handled is None or (instance.app_id, instance.vintage) in handled
        if is_named and instance.has_landed:
            yield instance


def listed_instances(
    registry: Registry, app_ids: Iterable[str], tables: Collection[str], start: date | None, end: date | None
) -> Iterator[LedgerInstance]:
    """The instances that Apple has listed for these apps, tables and processing dates (inclusive), app by app."""
    for app_id in app_ids:
        for instance in registry.instances.of_app(app_id, start or date.min):
            if instance.vintage.processing_date <= (end or date.max) and instance.table in tables:
                yield instance


def _handled(registry: Registry, run_id: str) -> Iterator[tuple[str, Vintage]]:
    """The apps and vintages of the instances that a run handled."""
    for record in registry.runs.of_map(run_id, MapName.LAND):
        item = LandItem.from_event(record.event)
        yield item.app_id, item.vintage

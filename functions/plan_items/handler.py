"""plan_items: takes a run, a Map and where its pass begins (`left`: unfinished items); returns the manifest's key."""

from typing import Any

from appstore_analytics.contract.maps import FROM_THE_BEGINNING, MapName
from appstore_analytics.contract.settings import PlanItemsSettings
from appstore_analytics.steps.plan_items import plan_items
from appstore_analytics.wiring.clock import utc_now
from appstore_analytics.wiring.connections import open_bucket, open_registry
from appstore_analytics.wiring.machine_errors import names_machine_errors
from appstore_analytics.wiring.telemetry import logger

SETTINGS = PlanItemsSettings.from_environment()
REGISTRY = open_registry(SETTINGS)
LAKE = open_bucket(SETTINGS.lake_bucket)


@logger.inject_lambda_context(clear_state=True)
@names_machine_errors("plan_items")
def handler(event: dict[str, Any], _: object) -> dict[str, str | int | bool]:
    """See steps/plan_items.py. A run that began before the stack was updated has no `after`."""
    run_id, map_name, after = event["run_id"], MapName(event["map"]), event.get("after", FROM_THE_BEGINNING)
    logger.append_keys(run_id=run_id, map=map_name)
    return plan_items(run_id, map_name, REGISTRY, LAKE, utc_now(), after=after, left=event.get("left", False))

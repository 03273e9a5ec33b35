"""plan_items: a run and the name of its next Map; out comes where that Map's manifest lies."""

from datetime import UTC, datetime
from typing import Any

from appstore_analytics.connections import open_bucket, open_registry
from appstore_analytics.contract.messages import MapName
from appstore_analytics.contract.settings import PlanItemsSettings
from appstore_analytics.steps.plan_items import plan_items, plan_left_items
from appstore_analytics.telemetry import logger

SETTINGS = PlanItemsSettings.from_environment()
REGISTRY = open_registry(SETTINGS)
LAKE = open_bucket(SETTINGS.lake_bucket)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _: object) -> dict[str, str | int | bool]:
    """See steps/plan_items.py. `left` asks for what the Map has left."""
    run_id, map_name = event["run_id"], MapName(event["map"])
    logger.append_keys(run_id=run_id, map=map_name)
    if event.get("left"):
        return {**plan_left_items(run_id, map_name, REGISTRY, LAKE, datetime.now(UTC))}
    return plan_items(run_id, map_name, REGISTRY, LAKE)

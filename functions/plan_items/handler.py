"""plan_items: a run and the name of its next Map; out comes where that Map's manifest lies."""

from typing import Any

from appstore_analytics.connections import open_bucket, open_registry
from appstore_analytics.contract.messages import MapName
from appstore_analytics.contract.settings import PlanItemsSettings
from appstore_analytics.steps.plan_items import plan_items
from appstore_analytics.telemetry import logger

SETTINGS = PlanItemsSettings.from_environment()
REGISTRY = open_registry(SETTINGS)
LAKE = open_bucket(SETTINGS.lake_bucket)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _: object) -> dict[str, str | int | bool]:
    """See steps/plan_items.py."""
    logger.append_keys(run_id=event["run_id"], map=event["map"])
    return plan_items(event["run_id"], MapName(event["map"]), REGISTRY, LAKE)

"""restore_parts: takes one instance of a run that is rolled back and restores the parts from before the run."""

from typing import Any

from appstore_analytics.contract.settings import RestorePartsSettings
from appstore_analytics.model.items import RestoreItem
from appstore_analytics.steps.restore_parts import restore_parts
from appstore_analytics.wiring.connections import open_bucket, open_registry
from appstore_analytics.wiring.machine_errors import names_machine_errors
from appstore_analytics.wiring.telemetry import logger

SETTINGS = RestorePartsSettings.from_environment()
REGISTRY = open_registry(SETTINGS)
LAKE = open_bucket(SETTINGS.lake_bucket)


@logger.inject_lambda_context(clear_state=True)
@names_machine_errors("restore_parts")
def handler(event: dict[str, Any], _: object) -> dict[str, str]:
    """See steps/restore_parts.py."""
    item = RestoreItem.from_event(event)
    logger.append_keys(**item.to_event())
    return restore_parts(item, REGISTRY, LAKE)

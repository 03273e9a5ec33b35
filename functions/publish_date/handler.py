"""publish_date: takes one dirty Date of one table and rebuilds its object from the parts."""

from typing import Any

from appstore_analytics.contract.settings import PublishDateSettings
from appstore_analytics.model.items import PublishItem
from appstore_analytics.steps.publish_date import publish_date
from appstore_analytics.wiring.connections import open_bucket, open_registry
from appstore_analytics.wiring.machine_errors import names_machine_errors
from appstore_analytics.wiring.telemetry import logger

SETTINGS = PublishDateSettings.from_environment()
REGISTRY = open_registry(SETTINGS)
LAKE = open_bucket(SETTINGS.lake_bucket)


@logger.inject_lambda_context(clear_state=True)
@names_machine_errors("publish_date")
def handler(event: dict[str, Any], _: object) -> dict[str, str]:
    """See steps/publish_date.py."""
    item = PublishItem.from_event(event)
    logger.append_keys(**item.to_event())
    return publish_date(item, REGISTRY, LAKE)

"""register_request: takes one app; returns once the app has a live report request."""

from typing import Any

from appstore_analytics.contract.settings import RegisterRequestSettings
from appstore_analytics.lake.run_notes import plans_read_once
from appstore_analytics.model.items import RegisterItem
from appstore_analytics.rules.call_budget import CALLS_OF_A_REGISTRATION
from appstore_analytics.steps.register_request import register_request
from appstore_analytics.wiring.apple_connections import AppleConnections, reserve_calls
from appstore_analytics.wiring.connections import open_bucket, open_registry
from appstore_analytics.wiring.machine_errors import names_machine_errors
from appstore_analytics.wiring.telemetry import logger

SETTINGS = RegisterRequestSettings.from_environment()
REGISTRY = open_registry(SETTINGS)
PLANS = plans_read_once(open_bucket(SETTINGS.lake_bucket))
APPLE = AppleConnections(SETTINGS)


@logger.inject_lambda_context(clear_state=True)
@names_machine_errors("register_request")
def handler(event: dict[str, Any], _: object) -> dict[str, str]:
    """See steps/register_request.py."""
    item = RegisterItem.from_event(event)
    logger.append_keys(**item.to_event())
    plan = PLANS(item.run_id)
    key_name = plan.account(item.account).admin_key_name
    with reserve_calls(REGISTRY, key_name, plan.calls_per_hour, plan.operation, CALLS_OF_A_REGISTRATION) as calls:
        return register_request(item, plan, REGISTRY, APPLE.open(key_name, calls), calls)

"""list_instances: takes one app and plans its due instances for the next Map."""

from typing import Any

from appstore_analytics.contract.settings import ListInstancesSettings
from appstore_analytics.lake.run_notes import plans_read_once
from appstore_analytics.model.items import RegisterItem
from appstore_analytics.rules.call_budget import calls_of_a_listing
from appstore_analytics.steps.list_instances import list_instances
from appstore_analytics.wiring.apple_connections import AppleConnections, reserve_calls
from appstore_analytics.wiring.connections import open_bucket, open_registry
from appstore_analytics.wiring.machine_errors import names_machine_errors
from appstore_analytics.wiring.telemetry import logger

SETTINGS = ListInstancesSettings.from_environment()
REGISTRY = open_registry(SETTINGS)
PLANS = plans_read_once(open_bucket(SETTINGS.lake_bucket))
APPLE = AppleConnections(SETTINGS)


@logger.inject_lambda_context(clear_state=True)
@names_machine_errors("list_instances")
def handler(event: dict[str, Any], _: object) -> dict[str, str]:
    """See steps/list_instances.py."""
    item = RegisterItem.from_event(event)
    logger.append_keys(**item.to_event())
    plan = PLANS(item.run_id)
    key_name = plan.account(item.account).reader_key_name
    with reserve_calls(REGISTRY, key_name, plan.calls_per_hour, plan.operation, calls_of_a_listing(plan)) as calls:
        return list_instances(item, plan, REGISTRY, APPLE.open(key_name, calls), calls)

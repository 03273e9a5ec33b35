"""check_key: takes one API key and returns whether Apple accepts it. Called by `./manage.py doctor`."""

from contextlib import ExitStack
from typing import Any

from appstore_analytics.apple.client import AppStoreConnect
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.settings import CheckKeySettings
from appstore_analytics.steps.check_key import check_key
from appstore_analytics.wiring.apple_connections import AppleConnections, reserve_calls
from appstore_analytics.wiring.connections import open_registry
from appstore_analytics.wiring.machine_errors import names_machine_errors
from appstore_analytics.wiring.telemetry import logger

SETTINGS = CheckKeySettings.from_environment()
REGISTRY = open_registry(SETTINGS)
APPLE = AppleConnections(SETTINGS)


@logger.inject_lambda_context(clear_state=True)
@names_machine_errors("check_key")
def handler(event: dict[str, Any], _: object) -> dict[str, str]:
    """See steps/check_key.py."""
    key_name, calls_per_hour = event["key"], event["calls_per_hour"]
    with ExitStack() as reservations:

        def connect() -> AppStoreConnect:
            calls = reserve_calls(REGISTRY, key_name, calls_per_hour, Operation.DAILY, expected_calls=1)
            return APPLE.open(key_name, reservations.enter_context(calls))

        return check_key(connect)

"""plan_run: the execution's name, start and input, and the deployed configuration; out comes the run's id."""

from contextlib import ExitStack
from datetime import datetime
from typing import Any

from appstore_analytics.apple.client import AppStoreConnect
from appstore_analytics.contract.configuration import Configuration
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.settings import PlanRunSettings
from appstore_analytics.steps.plan_run import plan_run
from appstore_analytics.wiring.apple_connections import AppleConnections, reserve_calls
from appstore_analytics.wiring.connections import open_bucket, open_registry
from appstore_analytics.wiring.machine_errors import names_machine_errors
from appstore_analytics.wiring.telemetry import logger

SETTINGS = PlanRunSettings.from_environment()
REGISTRY = open_registry(SETTINGS)
LAKE = open_bucket(SETTINGS.lake_bucket)
APPLE = AppleConnections(SETTINGS)


@logger.inject_lambda_context(clear_state=True)
@names_machine_errors("plan_run")
def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
    """See steps/plan_run.py."""
    configuration = Configuration.from_payload(event["configuration"])
    started_at = datetime.fromisoformat(event["started_at"])
    with ExitStack() as reservations:

        def connect(key_name: str) -> AppStoreConnect:
            calls = reserve_calls(REGISTRY, key_name, configuration.calls_per_hour, Operation.DAILY, expected_calls=1)
            return APPLE.open(key_name, reservations.enter_context(calls))

        return plan_run(event["execution_name"], started_at, event["input"], configuration, LAKE, connect)

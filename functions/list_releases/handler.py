"""list_releases: takes a run, and stores which versions of its apps are on sale, with their release dates."""

from contextlib import ExitStack
from functools import partial
from typing import Any

from appstore_analytics.apple.client import AppStoreConnect
from appstore_analytics.athena.query import Athena
from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.metrics import Metric
from appstore_analytics.contract.settings import ListReleasesSettings
from appstore_analytics.lake.run_notes import read_plan
from appstore_analytics.registry.reservation import Reservation
from appstore_analytics.steps.list_releases import list_releases
from appstore_analytics.wiring.apple_connections import AppleConnections, reserve_calls
from appstore_analytics.wiring.connections import open_athena_client, open_bucket, open_registry
from appstore_analytics.wiring.machine_errors import names_machine_errors
from appstore_analytics.wiring.telemetry import emit, logger, seconds_left

SETTINGS = ListReleasesSettings.from_environment()
REGISTRY = open_registry(SETTINGS)
LAKE = open_bucket(SETTINGS.lake_bucket)
APPLE = AppleConnections(SETTINGS)
ATHENA = open_athena_client()
COUNT_BYTES = partial(emit, Metric.ATHENA_BYTES_SCANNED)


@logger.inject_lambda_context(clear_state=True)
@names_machine_errors("list_releases")
def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """See steps/list_releases.py."""
    logger.append_keys(run_id=event["run_id"])
    plan = read_plan(LAKE, event["run_id"])
    athena = Athena(
        ATHENA,
        SETTINGS.workgroup,
        SETTINGS.databases,
        count_bytes=COUNT_BYTES,
        seconds_left=seconds_left(context),
    )
    with ExitStack() as reservations:

        def connect(account: Account, calls: int) -> tuple[AppStoreConnect, Reservation]:
            name = account.reader_key_name
            reserved = reserve_calls(REGISTRY, name, plan.calls_per_hour, plan.operation, expected_calls=calls)
            reservation = reservations.enter_context(reserved)
            return APPLE.open(name, reservation), reservation

        return list_releases(plan, REGISTRY, LAKE, athena, connect)

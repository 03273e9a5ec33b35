"""verify_table: takes one table that the run changed and compares Athena's counts with the converter's."""

from functools import partial
from typing import Any

from appstore_analytics.athena.query import Athena
from appstore_analytics.contract.metrics import Metric
from appstore_analytics.contract.settings import VerifyTableSettings
from appstore_analytics.model.items import VerifyItem
from appstore_analytics.steps.verify_table import verify_table
from appstore_analytics.wiring.connections import open_athena_client, open_bucket, open_registry
from appstore_analytics.wiring.machine_errors import names_machine_errors
from appstore_analytics.wiring.telemetry import emit, logger, seconds_left

SETTINGS = VerifyTableSettings.from_environment()
REGISTRY = open_registry(SETTINGS)
LAKE = open_bucket(SETTINGS.lake_bucket)
ATHENA = open_athena_client()
COUNT_BYTES = partial(emit, Metric.ATHENA_BYTES_SCANNED)


@logger.inject_lambda_context(clear_state=True)
@names_machine_errors("verify_table")
def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """See steps/verify_table.py."""
    item = VerifyItem.from_event(event)
    logger.append_keys(**item.to_event())
    athena = Athena(
        ATHENA,
        SETTINGS.workgroup,
        SETTINGS.databases,
        count_bytes=COUNT_BYTES,
        seconds_left=seconds_left(context),
    )
    return verify_table(item, REGISTRY, LAKE, athena)

"""download_segments: takes one instance and stores its bytes in the raw bucket."""

from typing import Any

from appstore_analytics.contract.settings import DownloadSegmentsSettings
from appstore_analytics.lake.run_notes import plans_read_once
from appstore_analytics.model.items import LandItem
from appstore_analytics.steps.download_segments import download_segments
from appstore_analytics.wiring.apple_connections import AppleConnections, open_segment_store, reserve_calls
from appstore_analytics.wiring.connections import open_bucket, open_registry
from appstore_analytics.wiring.machine_errors import names_machine_errors
from appstore_analytics.wiring.telemetry import logger

SETTINGS = DownloadSegmentsSettings.from_environment()
REGISTRY = open_registry(SETTINGS)
PLANS, RAW = plans_read_once(open_bucket(SETTINGS.lake_bucket)), open_bucket(SETTINGS.raw_bucket)
APPLE, STORE = AppleConnections(SETTINGS), open_segment_store(SETTINGS)


@logger.inject_lambda_context(clear_state=True)
@names_machine_errors("download_segments")
def handler(event: dict[str, Any], _: object) -> dict[str, str]:
    """See steps/download_segments.py."""
    item = LandItem.from_event(event)
    logger.append_keys(**item.to_event())
    plan = PLANS(item.run_id)
    key_name = plan.account(item.account).reader_key_name
    with reserve_calls(REGISTRY, key_name, plan.calls_per_hour, plan.operation, expected_calls=1) as calls:
        apple, again = APPLE.open(key_name, calls), plan.operation.traits.downloads_again
        return download_segments(item, REGISTRY, apple, STORE, RAW, calls, again=again)

"""check_freshness: every hour, or `{"at": "2026-11-23T14:00:00Z"}` to check as of another moment."""

from datetime import UTC, datetime, timedelta
from typing import Any

from appstore_analytics.athena.query import Athena
from appstore_analytics.contract.settings import CheckFreshnessSettings
from appstore_analytics.steps.check_freshness import check_freshness
from appstore_analytics.wiring.clock import utc_now
from appstore_analytics.wiring.connections import open_athena_client, open_bucket
from appstore_analytics.wiring.machine_errors import names_machine_errors
from appstore_analytics.wiring.telemetry import emit, logger, seconds_left

SETTINGS = CheckFreshnessSettings.from_environment()
LAKE = open_bucket(SETTINGS.lake_bucket)
ATHENA = open_athena_client()


@logger.inject_lambda_context(clear_state=True)
@names_machine_errors("check_freshness")
def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """See steps/check_freshness.py."""
    at = datetime.fromisoformat(event["at"]).astimezone(UTC) if "at" in event else utc_now()
    athena = Athena(ATHENA, SETTINGS.workgroup, SETTINGS.databases, seconds_left=seconds_left(context))
    return check_freshness(at, timedelta(hours=SETTINGS.freshness_hours), LAKE, athena, emit)

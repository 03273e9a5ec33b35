"""check_freshness: every hour, or `{"at": "2026-11-23T14:00:00Z"}` to be judged as at another moment."""

from datetime import UTC, datetime, timedelta
from typing import Any

from appstore_analytics.athena.query import Athena
from appstore_analytics.contract.settings import CheckFreshnessSettings
from appstore_analytics.steps.check_freshness import check_freshness
from appstore_analytics.wiring.connections import open_bucket, open_client
from appstore_analytics.wiring.telemetry import emit, logger

SETTINGS = CheckFreshnessSettings.from_environment()
LAKE = open_bucket(SETTINGS.lake_bucket)
ATHENA = Athena(open_client("athena"), SETTINGS.workgroup)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _: object) -> dict[str, int]:
    """See steps/check_freshness.py."""
    at = datetime.fromisoformat(event["at"]).astimezone(UTC) if "at" in event else datetime.now(UTC)
    return check_freshness(at, timedelta(hours=SETTINGS.freshness_hours), LAKE, ATHENA, emit)

"""compact_months: takes a run and copies the KPI amounts of each month that changed into one object."""

from typing import Any

from appstore_analytics.contract.settings import CompactMonthsSettings
from appstore_analytics.lake.run_notes import read_plan
from appstore_analytics.steps.compact_months import compact_months
from appstore_analytics.wiring.connections import open_bucket
from appstore_analytics.wiring.machine_errors import names_machine_errors
from appstore_analytics.wiring.telemetry import logger

SETTINGS = CompactMonthsSettings.from_environment()
LAKE = open_bucket(SETTINGS.lake_bucket)


@logger.inject_lambda_context(clear_state=True)
@names_machine_errors("compact_months")
def handler(event: dict[str, Any], _: object) -> dict[str, int]:
    """See steps/compact_months.py."""
    logger.append_keys(run_id=event["run_id"])
    return compact_months(read_plan(LAKE, event["run_id"]), LAKE)

"""summarize_run: takes a run, writes its report and records, and returns the status of the execution."""

from collections.abc import Mapping
from typing import Any

from appstore_analytics.contract.maps import DISPENSABLE, error_of
from appstore_analytics.contract.settings import SummarizeRunSettings
from appstore_analytics.report.instructions import Instructions
from appstore_analytics.rules.verdicts import error_sentence
from appstore_analytics.steps.summarize_run import summarize_run
from appstore_analytics.wiring.clock import utc_now
from appstore_analytics.wiring.connections import open_bucket, open_registry
from appstore_analytics.wiring.machine_errors import names_machine_errors
from appstore_analytics.wiring.telemetry import emit, logger

SETTINGS = SummarizeRunSettings.from_environment()
REGISTRY = open_registry(SETTINGS)
LAKE = open_bucket(SETTINGS.lake_bucket)
INSTRUCTIONS = Instructions(SETTINGS.repository_url)


@logger.inject_lambda_context(clear_state=True)
@names_machine_errors("summarize_run")
def handler(event: dict[str, Any], _: object) -> dict[str, str]:
    """See steps/summarize_run.py. `error` is present when a Map, or planning one, failed as a whole."""
    logger.append_keys(run_id=event["run_id"])
    sentence = _sentence(event.get("error"))
    left_out = [
        f"{meaning}: {_sentence(event[error_of(step)])}"
        for step, meaning in DISPENSABLE.items()
        if error_of(step) in event
    ]
    return summarize_run(event["run_id"], sentence, REGISTRY, LAKE, emit, utc_now(), left_out, INSTRUCTIONS)


def _sentence(error: Mapping[str, str] | None) -> str:
    return error_sentence(error["Error"], error.get("Cause", "")) if error else ""

"""What a run has written: its report, its page and its rows."""

import json
from typing import Any

from appstore_analytics.contract.tables import APPSTORE_TABLES
from appstore_analytics.model.plan import RunPlan
from tests.integration.pipeline_in_process import Pipeline


def newest_report(pipeline: Pipeline, kind: str) -> bytes:
    *_, newest = (stored for stored in pipeline.lake.list("reports/") if stored.key.endswith(kind))
    return pipeline.lake.read(newest.key) or b""


def report(pipeline: Pipeline) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(newest_report(pipeline, ".json"))
    return body


def page(pipeline: Pipeline) -> str:
    return newest_report(pipeline, ".html").decode()


def appstore_rows(pipeline: Pipeline, plan: RunPlan) -> dict[str, list[dict[str, Any]]]:
    found = {}
    for table in APPSTORE_TABLES:
        body = pipeline.lake.read(f"appstore/{table.name}/dt={plan.started_at.date()}/{plan.run_id}.jsonl") or b""
        found[table.name] = [json.loads(line) for line in body.splitlines()]
    return found

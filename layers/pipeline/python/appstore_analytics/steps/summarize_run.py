"""summarize_run: writes the run report and its page, the `appstore` tables and the metrics from the items' records."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from appstore_analytics.contract.facts import PlannedFacts, row_of
from appstore_analytics.contract.layout import TableDate, report_key, run_key
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.metrics import Metric
from appstore_analytics.contract.tables import RESTATEMENTS, tables_by_name
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.run_notes import open_records, read_notices, read_plan, read_rows, write_records
from appstore_analytics.model.items import ItemRecord, LandItem, PublishItem
from appstore_analytics.model.plan import RunPlan, VanishedApp
from appstore_analytics.model.waits import Wait, by_cause
from appstore_analytics.registry import Registry
from appstore_analytics.report.instructions import Instructions
from appstore_analytics.report.page import write_run_page
from appstore_analytics.report.restated_dates import RestatedDates
from appstore_analytics.report.summary import RunSummary, count_verdicts, summarize
from appstore_analytics.rules.restatements import restatements_in
from appstore_analytics.rules.verdicts import item_reason, item_verdict
from appstore_analytics.steps.source_states import store_source_states

_NO_INSTRUCTIONS = Instructions()
_SUCCEEDED, _FAILED = "SUCCEEDED", "FAILED"

Emit = Callable[[Metric, float], None]


def summarize_run(
    run_id: str,
    execution_error: str,
    registry: Registry,
    lake: Bucket,
    emit: Emit,
    now: datetime,
    left_out: Sequence[str] = (),
    instructions: Instructions = _NO_INSTRUCTIONS,
) -> dict[str, str]:
    """Write the results of the run. Returns the status and the sentence that its execution ends with.

    `left_out` are sentences about failed steps that no data depends on; the page links the `instructions`. A planned
    item without a verdict counts as failed, so no death goes unnoticed. A second run writes the same objects. The
    largest sets, the records of instances and the rows of `batches`, are written as they are read; only the fields of
    an instance that the summary needs are kept in memory.
    """
    plan = read_plan(lake, run_id)
    records = _records(plan, registry, lake)
    waits = tuple(registry.waits.of_run(run_id))
    notices, calls = read_notices(lake, run_id)
    summary = summarize(plan, records, execution_error, waits, (*notices, *left_out), calls)
    seconds = round((now - plan.started_at).total_seconds(), 3)
    report = _report(plan, summary, seconds, waits)
    _write_tables(plan, summary, records, report, lake)
    restated = _write_batches(plan, lake)
    body = json.dumps(report, indent=2, ensure_ascii=False, default=str).encode()
    key = report_key(plan.operation, plan.run_id)
    lake.write(key, body, content_type="application/json")
    store_source_states(plan, _published(records), registry, lake)
    write_run_page(plan, summary, records, seconds, restated, lake, instructions)
    _emit(summary, emit)
    return {"status": report["status"], "cause": f"{summary.cause} The report is {key}." if summary.cause else ""}


def _records(plan: RunPlan, registry: Registry, lake: Bucket) -> dict[MapName, list[ItemRecord]]:
    """The records of every Map. Those of instances become rows of `instances` and `segments` on the way."""
    of_run = plan.started_at.date(), plan.run_id
    few = [name for name in MapName if name is not MapName.LAND]
    records: dict[MapName, list[ItemRecord]] = {name: list(registry.runs.of_map(plan.run_id, name)) for name in few}
    land = records[MapName.LAND] = []
    with (
        open_records(lake, "instances", *of_run) as instances,
        open_records(lake, "segments", *of_run) as segments,
    ):
        for record in records[MapName.RESTORE]:
            instances.append(_instance_row(plan, record))
        for record in registry.runs.of_map(plan.run_id, MapName.LAND):
            instances.append(_instance_row(plan, record))
            for row in _segment_rows(plan, record, registry):
                segments.append(row)
            land.append(_for_the_summary(record))
    return records


def _for_the_summary(record: ItemRecord) -> ItemRecord:
    """An instance's record without its segments and empty facts, with plain numbers."""
    facts = {
        name: int(value) if isinstance(value, Decimal) else value
        for name, value in record.facts.items()
        if value and name != "landed"
    }
    return replace(record, event={"app_id": record.event["app_id"]}, facts=facts)


def _write_batches(plan: RunPlan, lake: Bucket) -> RestatedDates:
    """Copy the rows of `batches`, which publishing has recorded, and write their changes of final numbers to
    `restatements`.

    Returns the Dates that the run has restated.
    """
    restated, day = RestatedDates(), plan.started_at.date()
    with (
        open_records(lake, "batches", day, plan.run_id) as batches,
        open_records(lake, RESTATEMENTS, day, plan.run_id) as restatements,
    ):
        for row in read_rows(lake, run_key(plan.run_id, "batches/")):
            batches.append(row)
            restated.add(row)
            for restatement in restatements_in(row):
                restatements.append(restatement)
    return restated


def _published(records: Mapping[MapName, Sequence[ItemRecord]]) -> list[TableDate]:
    """The Dates whose objects the run has replaced or looked at."""
    return [PublishItem.from_event(record.event).table_date for record in records[MapName.PUBLISH]]


def _report(plan: RunPlan, summary: RunSummary, seconds: float, waits: Iterable[Wait]) -> dict[str, Any]:
    by_verdict: dict[str, list[str]] = {}
    for app in summary.apps:
        by_verdict.setdefault(app.verdict, []).append(app.app_id)
    return {
        "run_id": plan.run_id,
        "operation": plan.operation,
        "as_of": plan.as_of,
        "started_at": plan.started_at.isoformat(),
        "started_by": plan.started_by,
        "seconds": seconds,
        "status": _FAILED if summary.has_failed else _SUCCEEDED,
        "cause": summary.cause,
        "apps": len(summary.apps),
        "apps_by_verdict": by_verdict,
        "app_names": {app.app_id: app.name for app in summary.apps if app.name},
        **summary.totals,
        "superseded": list(summary.superseded),
        "unknown_columns": summary.unknown_columns,
        "missing_columns": summary.missing_columns,
        "skipped_dates": summary.skipped_dates,
        "repeated_dates": summary.repeated_dates,
        "missing_reports": summary.missing_reports,
        "unknown_reports": summary.unknown_reports,
        "notices": list(summary.notices),
        "waits": [asdict(wait) for wait in by_cause(waits)],
        "errors": [asdict(error) for error in summary.errors],
    }


def _write_tables(
    plan: RunPlan,
    summary: RunSummary,
    records: dict[MapName, list[ItemRecord]],
    report: dict[str, Any],
    lake: Bucket,
) -> None:
    """One object for each of these `appstore` tables, in the partition of the run's UTC day."""
    rows: dict[str, Iterable[dict[str, Any]]] = {
        "runs": [{**report, "apps_failed": len(summary.failed_apps)}],
        "apps": ({"run_id": plan.run_id, **asdict(app)} for app in summary.apps),
        "report_requests": (
            *(_request_row(plan, record) for record in records[MapName.REGISTER]),
            *(_vanished_row(plan, gone) for gone in plan.vanished),
        ),
        "verification": read_rows(lake, run_key(plan.run_id, "verification/")),
    }
    for table, table_rows in rows.items():
        write_records(lake, table, plan.started_at.date(), plan.run_id, table_rows)


def _request_row(plan: RunPlan, record: ItemRecord) -> dict[str, Any]:
    return {
        "run_id": plan.run_id,
        "account": record.event["account"],
        "app_id": record.event["app_id"],
        "access_type": plan.access_type,
        "verdict": item_verdict(record),
        "reason": item_reason(record),
        **row_of("report_requests", record.facts),
    }


def _vanished_row(plan: RunPlan, gone: VanishedApp) -> dict[str, Any]:
    """Keeps the app's feeds in the check for as long as the app is remembered."""
    return {
        "run_id": plan.run_id,
        "account": gone.account,
        "app_id": gone.app_id,
        "access_type": plan.access_type,
        "verdict": Verdict.FAILED,
        "reason": gone.sentence,
        **row_of("report_requests", {}),
    }


def _instance_row(plan: RunPlan, record: ItemRecord) -> dict[str, Any]:
    table = tables_by_name().get(PlannedFacts.of(record.facts).table)
    item = LandItem.from_event(record.event)
    return {
        "run_id": plan.run_id,
        "app_id": record.event["app_id"],
        "report": table.report.name if table else None,
        "table_name": table.name if table else None,
        "granularity": table.granularity if table else None,
        "access_type": item.vintage.access_type,
        "processing_date": item.vintage.processing_date,
        "instance_id": item.vintage.instance_id,
        "verdict": item_verdict(record),
        "reason": item_reason(record),
        **row_of("instances", record.facts),
    }


def _segment_rows(plan: RunPlan, record: ItemRecord, registry: Registry) -> Iterable[dict[str, Any]]:
    for segment in registry.runs.landed(plan.run_id, record):
        yield {
            "run_id": plan.run_id,
            "app_id": record.event["app_id"],
            "table_name": PlannedFacts.of(record.facts).table,
            "instance_id": LandItem.from_event(record.event).vintage.instance_id,
            **{name: segment[name] for name in ("segment_id", "checksum", "key")},
            "bytes": int(segment["bytes"]),
        }


def _emit(summary: RunSummary, emit: Emit) -> None:
    verdicts = count_verdicts(summary.apps)
    emit(Metric.APPS_VERIFIED, verdicts.get(Verdict.VERIFIED, 0))
    emit(Metric.APPS_NOT_READY, verdicts.get(Verdict.NOT_READY, 0))
    emit(Metric.APPS_FAILED, len(summary.failed_apps))
    emit(Metric.INSTANCES_QUARANTINED, sum(error.verdict is Verdict.QUARANTINED for error in summary.errors))
    emit(Metric.TABLES_MISMATCHED, sum(error.verdict is Verdict.MISMATCH for error in summary.errors))
    emit(Metric.ROWS_PUBLISHED, summary.totals["rows_curated"])
    emit(Metric.DATES_REPEATED, summary.totals["dates_repeated"])
    emit(Metric.APPLE_CALLS, summary.totals["apple_calls"])

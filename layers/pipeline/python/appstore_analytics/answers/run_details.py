"""`run <id>`: one run with its stages, its failures, its proof and the Dates that Apple replaced."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.executions import Execution, Pipeline, Started
from appstore_analytics.answers.repair_runs import RepairRun
from appstore_analytics.answers.run_facts import (
    FAILED,
    SUCCEEDED,
    ErrorLine,
    Links,
    NoticeLine,
    RunDetails,
    VerdictLine,
)
from appstore_analytics.answers.run_progress import Progress, calls_of, progress_of
from appstore_analytics.answers.run_replaced import replaced_dates
from appstore_analytics.answers.runs import Seen, cause_of, find_execution, find_report, starter
from appstore_analytics.contract.maps import MAPS_OF_APPS, MapName
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.run_notes import find_plan
from appstore_analytics.model.plan import RunPlan, named
from appstore_analytics.report.summary import summarize

_SHOWN_APPS = 20


def show_run(pipeline: Pipeline, run: str, region: str | None, app_ids: Seen = None) -> RunDetails:
    """One run by its id, by the beginning of its id, or the newest. `region` makes a link into the AWS console.

    With `app_ids` the answer is as if no other app existed; Refused if the run processed none of these apps.
    """
    started = find_execution(pipeline, run)
    found = find_report(pipeline.lake, started.run_id if started else run)
    if found:
        details = _details(found[1], _links(pipeline.lake, found[0], started, region), pipeline, app_ids)
    elif started is not None:
        details = _without_report(pipeline.describe(started.arn), pipeline, region, app_ids)
    else:
        details = None
    if details is None:
        raise Refused(f"There is no run '{run[:80]}': ./manage.py runs lists them.")
    return details


def details_of(execution: Execution, started: Started, pipeline: Pipeline, region: str | None) -> RunDetails:
    """The run of an execution that has just ended."""
    links = _links(pipeline.lake, execution.report_key, started, region)
    details = _details(execution.report, links, pipeline, None) if execution.report else None
    return details or RunDetails(
        started.run_id,
        "",
        execution.status,
        started.started_at,
        execution.started_by,
        cause=execution.cause,
        links=links,
    )


def _without_report(stands: Started, pipeline: Pipeline, region: str | None, app_ids: Seen) -> RunDetails | None:
    """A run that is under way, from the records of its items; or a run whose input was refused."""
    plan = visible_plan(find_plan(pipeline.lake, stands.run_id), app_ids)
    if plan is None and app_ids is not None:
        return None
    links = _links(pipeline.lake, "", stands, region) if app_ids is None else Links()
    told = RunDetails(
        stands.run_id,
        plan.operation if plan else "",
        stands.status,
        stands.started_at,
        stands.started_by,
        judged_on=plan.as_of.isoformat() if plan else "",
        cause=cause_of(stands, pipeline),
        links=links,
    )
    return told if plan is None else _with_items(told, plan, pipeline, app_ids)


def _with_items(told: RunDetails, plan: RunPlan, pipeline: Pipeline, app_ids: Seen) -> RunDetails:
    """Adds what the items of a run have recorded so far. Items that have not ended do not count as failures."""
    runs = pipeline.registry.runs
    records = {
        map_name: [each for each in runs.of_map(plan.run_id, map_name) if each.verdict or each.error]
        for map_name in MapName
    }
    summary = summarize(plan, records)
    seen = frozenset(app_id for account in plan.accounts for app_id in account.app_ids)
    ended = {record.event.get("app_id") for of_map in records.values() for record in of_map}
    progress = progress_of(pipeline, plan, None, app_ids)
    return replace(
        told,
        seconds=max((pipeline.registry.clock() - told.started_at).total_seconds(), 0.0),
        apps=len(seen),
        apps_failed=sum(app.verdict.is_failure for app in summary.apps if app.app_id in ended),
        stages=progress.stages,
        proof=progress.proof,
        calls=calls_of(pipeline, plan, progress.calls_made) if app_ids is None else None,
        errors=tuple(
            _error(one.item, one.table, one.verdict, one.reason, one.app_name, plan)
            for one in summary.errors
            if app_ids is None or app_of_item(one.item) in app_ids
        ),
        replaced=tuple(replaced_dates(pipeline.lake, plan, app_ids, has_ended=False)),
    )


def visible_plan(plan: RunPlan | None, app_ids: Seen) -> RunPlan | None:
    """The plan with these apps only; None if it has none of them."""
    if plan is None or app_ids is None:
        return plan
    apart = (
        replace(account, app_ids=tuple(each for each in account.app_ids if each in app_ids))
        for account in plan.accounts
    )
    accounts = tuple(account for account in apart if account.app_ids)
    return replace(plan, accounts=accounts) if accounts else None


def _details(report: Mapping[str, Any], links: Links, pipeline: Pipeline, app_ids: Seen) -> RunDetails | None:
    """A run that has ended, restricted to these apps."""
    by_verdict = {
        verdict: [app for app in apps if app_ids is None or app in app_ids]
        for verdict, apps in report["apps_by_verdict"].items()
    }
    by_verdict = {verdict: apps for verdict, apps in by_verdict.items() if apps}
    if app_ids is not None and not by_verdict:
        return None
    failed = sum(len(apps) for verdict, apps in by_verdict.items() if Verdict(verdict).is_failure)
    names = report.get("app_names", {})
    plan = visible_plan(find_plan(pipeline.lake, report["run_id"]), app_ids)
    details = RunDetails(
        run_id=report["run_id"],
        operation=report["operation"],
        status=report["status"] if app_ids is None else FAILED if failed else SUCCEEDED,
        started_at=datetime.fromisoformat(report["started_at"]),
        started_by=starter(report),
        judged_on=report["as_of"],
        seconds=report["seconds"],
        apps=sum(map(len, by_verdict.values())),
        apps_failed=failed,
        verdicts=tuple(_verdict_lines(by_verdict, names)),
        errors=tuple(_errors(report, plan, app_ids)),
    )
    details = replace(details, **_of_all_apps(report, links)) if app_ids is None else details
    return details if plan is None else _with_stages(details, plan, pipeline, app_ids)


def _of_all_apps(report: Mapping[str, Any], links: Links) -> dict[str, Any]:
    """The fields of a report that describe the run as a whole."""
    return {
        "cause": report["cause"],
        "links": links,
        "totals": {name: value for name, value in report.items() if isinstance(value, int)},
        "unknown_columns": report["unknown_columns"],
        "missing_columns": report["missing_columns"],
        "skipped_dates": report.get("skipped_dates"),  # older reports have no notices
        "notices": tuple(map(NoticeLine, report.get("notices", ()))),
    }


def _with_stages(details: RunDetails, plan: RunPlan, pipeline: Pipeline, app_ids: Seen) -> RunDetails:
    progress: Progress = progress_of(pipeline, plan, details.seconds, app_ids)
    return replace(
        details,
        stages=progress.stages,
        proof=progress.proof,
        calls=calls_of(pipeline, plan, progress.calls_made) if app_ids is None else None,
        replaced=tuple(replaced_dates(pipeline.lake, plan, app_ids, has_ended=True)),
    )


def _errors(report: Mapping[str, Any], plan: RunPlan | None, app_ids: Seen) -> Iterator[ErrorLine]:
    for one in report["errors"]:
        if app_ids is None or app_of_item(one["item"]) in app_ids:
            yield _error(one["item"], one["table"], one["verdict"], one["reason"], one.get("app_name", ""), plan)


def _error(item: str, table: str, verdict: str, reason: str, app_name: str, plan: RunPlan | None) -> ErrorLine:
    app_id = app_of_item(item)
    docs = f"docs/operations.md#{Verdict(verdict).section}"
    repair = _repair(app_id, table, plan) if verdict == Verdict.QUARANTINED and plan else None
    return ErrorLine(item, table, verdict, reason, app_name, app_id, repair, docs)


def _repair(app_id: str, table: str, plan: RunPlan) -> RepairRun | None:
    """The run that converts a quarantined file again after the catalogue is corrected."""
    if not app_id or table not in tables_by_name():
        return None
    report = tables_by_name()[table].report.table
    return RepairRun(Operation.REPROCESS, {"run_id": plan.run_id, "app_ids": [app_id], "reports": [report]})


def app_of_item(item: str) -> str:
    """The app that an item of a run is about; empty for a Date or a table."""
    map_name, _, rest = item.partition("#")
    return rest.partition("#")[0] if map_name in MAPS_OF_APPS else ""


def _verdict_lines(apps_by_verdict: Mapping[str, list[str]], names: Mapping[str, str]) -> Iterable[VerdictLine]:
    for verdict, apps in apps_by_verdict.items():
        more = f" and {len(apps) - _SHOWN_APPS} more" if len(apps) > _SHOWN_APPS else ""
        shown = ", ".join(named(app_id, names.get(app_id, "")) for app_id in apps[:_SHOWN_APPS])
        yield VerdictLine(verdict, len(apps), shown + more)


def _links(lake: Bucket, key: str, started: Started | None, region: str | None) -> Links:
    arn = started.arn if started else ""
    console = f"https://{region}.console.aws.amazon.com/states/home?region={region}#/v2/executions/details/{arn}"
    report = f"s3://{lake.name}/{key}" if key else ""
    return Links(report, report.replace(".json", ".html"), arn, console if arn and region else "")

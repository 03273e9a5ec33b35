"""`runs`: runs with their status and cause, from the run reports and the state machine; and the search for one run."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.executions import RUNNING, Pipeline, Started
from appstore_analytics.answers.pages import Page, cut
from appstore_analytics.answers.run_facts import FAILED, SUCCEEDED, RunLine, RunList
from appstore_analytics.answers.run_progress import share_done
from appstore_analytics.contract.layout import REPORTS_PREFIX
from appstore_analytics.contract.operations import UNKNOWN_STARTER
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.lake.objects import Bucket, StoredObject
from appstore_analytics.lake.run_notes import find_plan
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.model.remembered import Remembered
from appstore_analytics.model.waits import longest
from appstore_analytics.rules.verdicts import app_verdict

MOST_RUNS = 200
"""The number of newest runs that are listed and counted."""

_REPORT = re.compile(
    rf"{REPORTS_PREFIX}production_(?P<operation>[a-z]+)_(?P<run>\d{{8}}T\d{{9}}Z(-[A-Za-z0-9-]+)?)\.json"
)
"""Reports of runs before 0.1.0 have no name after the time."""
_NAMED = 5
NEWEST = "newest"

Seen = frozenset[str] | None
"""The apps whose data the answer can contain; None for all apps."""


@dataclass(frozen=True, slots=True)
class RunsQuestion:
    """A search for runs: `text` in the id, the operation, and a status (`running`, `succeeded` or `failed`)."""

    text: str
    operation: str
    status: str
    page: Page


def list_runs(pipeline: Pipeline, last: int, app_ids: Seen = None) -> RunList:
    """The newest runs: executions, and run reports of those that AWS no longer lists after 90 days.

    With `app_ids` only the runs that processed one of these apps, as if no other app existed.
    """
    return RunList(tuple(_newest_first(pipeline, last, app_ids, Remembered(0))[:last]))


def page_of_runs(
    pipeline: Pipeline,
    question: RunsQuestion,
    next_run_at: datetime | None,
    remembered: Remembered,
    app_ids: Seen = None,
) -> RunList:
    """A page of the newest 200 runs."""
    every = _newest_first(pipeline, MOST_RUNS, app_ids, remembered)[:MOST_RUNS]
    chosen = [line for line in every if _matches(line, question)]
    page = cut(chosen, question.page)
    operations = Counter(line.operation for line in every if line.operation)
    failed = sum(_status(line) == "failed" for line in every)
    return RunList(
        tuple(page.rows),
        len(chosen),
        {"all": len(every), "failed": failed, **dict(sorted(operations.items()))},
        next_run_at,
        page.next,
        page.previous,
    )


def _newest_first(pipeline: Pipeline, last: int, app_ids: Seen, remembered: Remembered) -> list[RunLine]:
    stored = dict(sorted(_stored_reports(pipeline.lake), reverse=True)[:last])
    started = {one.run_id: one for one in islice(pipeline.executions(), last)}
    lines = [
        *(_of_report(pipeline.lake, each, app_ids, remembered) for each in stored.values()),
        *(_of_execution(one, pipeline, app_ids, remembered) for run, one in started.items() if run not in stored),
    ]
    return sorted((line for line in lines if line), key=lambda line: line.started_at, reverse=True)


def _matches(line: RunLine, question: RunsQuestion) -> bool:
    return (
        question.text.strip().casefold() in line.run_id.casefold()
        and question.operation in ("", line.operation)
        and question.status in ("", _status(line))
    )


def _status(line: RunLine) -> str:
    return {RUNNING: "running", SUCCEEDED: "succeeded"}.get(line.status, "failed")


def _of_report(lake: Bucket, stored: StoredObject, app_ids: Seen, remembered: Remembered) -> RunLine | None:
    report = remembered.get((stored.key, stored.etag), lambda: read_report(lake, stored.key))
    return line_of_report(report, app_ids)


def _of_execution(started: Started, pipeline: Pipeline, app_ids: Seen, remembered: Remembered) -> RunLine | None:
    """A run that is under way, or whose input was refused. Only callers who can see all apps get a refused one."""
    stands = started
    if started.status != RUNNING:
        stands = remembered.get((started.arn, started.status), lambda: pipeline.describe(started.arn))
    else:
        stands = pipeline.describe(started.arn)
    plan = find_plan(pipeline.lake, stands.run_id)
    if app_ids is not None and (plan is None or not app_ids.intersection(_apps_of(plan))):
        return None
    line = RunLine(
        stands.run_id,
        plan.operation if plan else "",
        stands.status,
        stands.started_at,
        started_by=stands.started_by,
        cause=cause_of(stands, pipeline) if app_ids is None or stands.status == RUNNING else "",
    )
    return _under_way(line, plan, pipeline, app_ids) if plan and stands.status == RUNNING else line


def _under_way(line: RunLine, plan: RunPlan, pipeline: Pipeline, app_ids: Seen) -> RunLine:
    seen = [app_id for app_id in _apps_of(plan) if app_ids is None or app_id in app_ids]
    files, share = share_done(pipeline.registry, plan, app_ids)
    seconds = (pipeline.registry.clock() - line.started_at).total_seconds()
    return replace(line, apps=len(seen), files=files, share=share, seconds=max(seconds, 0.0))


def _apps_of(plan: RunPlan) -> Iterator[str]:
    return (app_id for account in plan.accounts for app_id in account.app_ids)


def cause_of(stands: Started, pipeline: Pipeline) -> str:
    """The reason why an execution without a report has ended, or the wait of a running one."""
    if stands.status != RUNNING:
        return stands.cause
    wait = longest(pipeline.registry.waits.of_run(stands.run_id), pipeline.registry.clock())
    return wait.now if wait else ""


def line_of_report(report: Mapping[str, Any], app_ids: Seen) -> RunLine | None:
    """One run that has ended, restricted to these apps; None if it processed none of them."""
    verdicts = {app: Verdict(word) for word, apps in report["apps_by_verdict"].items() for app in apps}
    if app_ids is not None:
        verdicts = {app: verdict for app, verdict in verdicts.items() if app in app_ids}
        if not verdicts:
            return None
    failed = sum(verdict.is_failure for verdict in verdicts.values())
    line = RunLine(
        run_id=report["run_id"],
        operation=report["operation"],
        status=report["status"],
        started_at=datetime.fromisoformat(report["started_at"]),
        seconds=report["seconds"],
        apps=len(verdicts),
        apps_failed=failed,
        started_by=starter(report),
        waited_seconds=_waited(report),
        worst_verdict=app_verdict(verdicts.values()) if failed else "",
    )
    if app_ids is not None:
        return replace(line, status=FAILED if failed else SUCCEEDED)
    return replace(
        line,
        rows_raw=report["rows_raw"],
        dates_published=report["dates_published"],
        apple_calls=report["apple_calls"],
        cause=report["cause"],
        files=report.get("instances"),
    )


def starter(report: Mapping[str, Any]) -> str:
    """The id of who started the run; earlier reports do not have it."""
    return str(report.get("started_by", UNKNOWN_STARTER))


def _waited(report: Mapping[str, Any]) -> float:
    """The seconds that a run waited; overlapping waits are counted once."""
    spans = sorted(
        (datetime.fromisoformat(wait["since"]), datetime.fromisoformat(wait["until"]))
        for wait in report.get("waits", ())  # earlier reports have no waits
    )
    waited = timedelta()
    last: datetime | None = None
    for since, until in spans:
        waited += max(until - (since if last is None else max(since, last)), timedelta())
        last = until if last is None else max(last, until)
    return waited.total_seconds()


def find_execution(pipeline: Pipeline, run: str) -> Started | None:
    """The execution with a run id (or the beginning of one), the newest for `newest`; None if AWS no longer lists it.

    Refused, with their ids, if several runs begin with this text.
    """
    if run == NEWEST:
        return next(pipeline.executions(), None)
    found = {one.run_id: one for one in pipeline.executions() if one.run_id.startswith(run)}
    return found[_only_one(run, found)] if found else None


def find_report(lake: Bucket, run: str) -> tuple[str, dict[str, Any]] | None:
    """The report of the run whose id begins with this text, with its key; the newest for `newest`.

    Refused, with their ids, if several runs begin with this text.
    """
    keys = {run: stored.key for run, stored in _stored_reports(lake)}
    if run == NEWEST:
        return (keys[max(keys)], read_report(lake, keys[max(keys)])) if keys else None
    found = [one for one in keys if one.startswith(run) or run.startswith(one)]
    if not found:
        return None
    key = keys[_only_one(run, found)]
    report = read_report(lake, key)
    return (key, report) if report["run_id"].startswith(run) else None


def _only_one(run: str, found: Collection[str]) -> str:
    """The run with exactly this id, or the only one whose id begins with it."""
    if run in found:
        return run
    if len(found) == 1:
        return next(iter(found))
    newest = sorted(found, reverse=True)
    more = f" and {len(newest) - _NAMED} more" if len(newest) > _NAMED else ""
    raise Refused(f"{len(newest)} runs begin with '{run}'; give one of these ids: {', '.join(newest[:_NAMED])}{more}.")


def newest_reports(lake: Bucket, last: int, operation: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The newest run reports, newest first, of one operation or of all."""
    stored = sorted(_stored_reports(lake, operation), reverse=True)
    for _, each in stored[:last]:
        yield each.key, read_report(lake, each.key)


def read_report(lake: Bucket, key: str) -> dict[str, Any]:
    """A run report."""
    report: dict[str, Any] = json.loads(lake.read(key) or b"{}")
    return report


def _stored_reports(lake: Bucket, operation: str = "") -> Iterator[tuple[str, StoredObject]]:
    """The id of each run that has a report, and the stored report."""
    for stored in lake.list(f"{REPORTS_PREFIX}production_{operation}"):
        if found := _REPORT.fullmatch(stored.key):
            yield found["run"], stored

"""`runs` and `run <id>`: runs with their status and cause, from the run reports and the state machine."""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.executions import RUNNING, Execution, Pipeline, Started
from appstore_analytics.answers.facts import counted
from appstore_analytics.contract.layout import REPORTS_PREFIX
from appstore_analytics.contract.operations import UNKNOWN_STARTER
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.model.plan import named
from appstore_analytics.model.waits import longest

SUCCEEDED = "SUCCEEDED"
_REPORT = re.compile(rf"{REPORTS_PREFIX}production_\w+_(?P<run>\d{{8}}T\d{{9}}Z(-[A-Za-z0-9-]+)?)\.json")
"""Reports of runs before 0.1.0 have no name after the time."""
_NAMED = 5
_SHOWN_APPS = 20
NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run. Without a run report (`operation` empty) its input was refused, or it has not ended."""

    run_id: str
    operation: str
    status: str
    started_at: datetime
    seconds: float | None = None
    apps: int | None = None
    apps_failed: int | None = None
    rows_raw: int | None = None
    dates_published: int | None = None
    apple_calls: int | None = None
    started_by: str = UNKNOWN_STARTER
    cause: str = ""


@dataclass(frozen=True, slots=True)
class RunList:
    """The newest runs, newest first."""

    runs: tuple[RunLine, ...]

    @property
    def is_good(self) -> bool:
        """Whether the newest run that has ended succeeded."""
        return self._newest_ended is None or self._newest_ended.status == SUCCEEDED

    @property
    def sentence(self) -> str:
        """The status of the newest run."""
        if not self.runs:
            return "No run yet: start one with ./manage.py daily."
        running = sum(run.status == RUNNING for run in self.runs)
        ended = self._newest_ended
        how = f"The newest run that has ended {ended.status}." if ended else "None has ended yet."
        return f"{how} {counted(running, 'run')} under way." if running else how

    @property
    def _newest_ended(self) -> RunLine | None:
        return next((run for run in self.runs if run.status != RUNNING), None)


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """How many apps ended with a verdict, and which with their names (at most twenty)."""

    verdict: str
    apps: int
    app_ids: str


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """One item that failed."""

    item: str
    table: str
    verdict: str
    reason: str
    app_name: str = ""


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """One sentence about what did not fail but should be read."""

    notice: str


@dataclass(frozen=True, slots=True)
class Links:
    """Links to the details: the run report and its page, the execution, and its page in the AWS console."""

    report: str = ""
    page: str = ""
    execution: str = ""
    console: str = ""


@dataclass(frozen=True, slots=True)
class RunDetails:
    """One run: its report. `totals` are the report's numbers, by their names there."""

    run_id: str
    operation: str
    status: str
    started_at: datetime
    started_by: str = UNKNOWN_STARTER
    as_of: str = ""
    seconds: float | None = None
    cause: str = ""
    links: Links = Links()
    totals: Mapping[str, int] | None = None
    unknown_columns: Mapping[str, list[str]] | None = None
    missing_columns: Mapping[str, list[str]] | None = None
    skipped_dates: Mapping[str, Mapping[str, list[str]]] | None = None
    notices: tuple[NoticeLine, ...] = ()
    verdicts: tuple[VerdictLine, ...] = ()
    errors: tuple[ErrorLine, ...] = ()

    @property
    def is_good(self) -> bool:
        """Whether it succeeded, or is still running."""
        return self.status in (SUCCEEDED, RUNNING)

    @property
    def sentence(self) -> str:
        """Its status in one sentence."""
        if self.status == RUNNING:
            waits = f"It {self.cause}. " if self.cause else ""
            return f"Under way: ./manage.py run {self.run_id} --follow. {waits}".strip()
        return self.cause or f"{self.status} in {self.seconds or 0:.0f} s."


def list_runs(pipeline: Pipeline, last: int) -> RunList:
    """The newest runs: executions, and run reports of those that AWS no longer lists after 90 days."""
    reports = {report["run_id"]: report for _, report in newest_reports(pipeline.lake, last)}
    started = {one.run_id: one for one in islice(pipeline.executions(), last)}
    lines = [
        _line_of_report(reports[run]) if run in reports else _line_of_execution(started[run].arn, pipeline)
        for run in reports.keys() | started.keys()
    ]
    return RunList(tuple(sorted(lines, key=lambda line: line.started_at, reverse=True)[:last]))


def show_run(pipeline: Pipeline, run: str, region: str | None) -> RunDetails:
    """One run by its id, by the beginning of its id, or the newest. `region` makes a link into the AWS console."""
    started = find_execution(pipeline, run)
    found = find_report(pipeline.lake, started.run_id if started else run)
    if found:
        return _details(found[1], _links(pipeline.lake, found[0], started, region))
    if started is None:
        raise Refused(f"There is no run '{run}': ./manage.py runs lists them.")
    links = _links(pipeline.lake, "", started, region)
    return _without_report(pipeline.describe(started.arn), links, pipeline)


def _without_report(stands: Started, links: Links, pipeline: Pipeline) -> RunDetails:
    cause = _cause(stands, pipeline)
    return RunDetails(stands.run_id, "", stands.status, stands.started_at, stands.started_by, cause=cause, links=links)


def _cause(stands: Started, pipeline: Pipeline) -> str:
    """Why an execution without a report has ended, or what a running one waits for."""
    if stands.status != RUNNING:
        return stands.cause
    wait = longest(pipeline.registry.waits.of_run(stands.run_id), pipeline.registry.clock())
    return wait.now if wait else ""


def details_of(execution: Execution, started: Started, pipeline: Pipeline, region: str | None) -> RunDetails:
    """The run of an execution that has just ended."""
    links = _links(pipeline.lake, execution.report_key, started, region)
    if execution.report:
        return _details(execution.report, links)
    return RunDetails(
        started.run_id,
        "",
        execution.status,
        started.started_at,
        execution.started_by,
        cause=execution.cause,
        links=links,
    )


def find_execution(pipeline: Pipeline, run: str) -> Started | None:
    """The execution with a run id (or the beginning of one), the newest for `newest`; None if AWS no longer lists it.

    Refused with their ids when several begin so.
    """
    if run == NEWEST:
        return next(pipeline.executions(), None)
    found = {one.run_id: one for one in pipeline.executions() if one.run_id.startswith(run)}
    return found[_only_one(run, found)] if found else None


def find_report(lake: Bucket, run: str) -> tuple[str, dict[str, Any]] | None:
    """The report of the run whose id begins with this text, with its key; the newest for `newest`.

    Refused with their ids when several begin so.
    """
    keys = dict(_keys(lake))
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
    keys = sorted(_keys(lake, operation), reverse=True)
    for _, key in keys[:last]:
        yield key, read_report(lake, key)


def read_report(lake: Bucket, key: str) -> dict[str, Any]:
    """A run report."""
    report: dict[str, Any] = json.loads(lake.read(key) or b"{}")
    return report


def _keys(lake: Bucket, operation: str = "") -> Iterator[tuple[str, str]]:
    """The id of each run that has a report, and the report's key."""
    for stored in lake.list(f"{REPORTS_PREFIX}production_{operation}"):
        if found := _REPORT.fullmatch(stored.key):
            yield found["run"], stored.key


def _line_of_report(report: Mapping[str, Any]) -> RunLine:
    return RunLine(
        run_id=report["run_id"],
        operation=report["operation"],
        status=report["status"],
        started_at=datetime.fromisoformat(report["started_at"]),
        seconds=report["seconds"],
        apps=report["apps"],
        apps_failed=len(_failed_apps(report)),
        rows_raw=report["rows_raw"],
        dates_published=report["dates_published"],
        apple_calls=report["apple_calls"],
        started_by=_starter(report),
        cause=report["cause"],
    )


def _line_of_execution(arn: str, pipeline: Pipeline) -> RunLine:
    stands = pipeline.describe(arn)
    cause = _cause(stands, pipeline)
    return RunLine(stands.run_id, "", stands.status, stands.started_at, started_by=stands.started_by, cause=cause)


def _starter(report: Mapping[str, Any]) -> str:
    """Who started the run; earlier reports do not say."""
    return str(report.get("started_by", UNKNOWN_STARTER))


def _failed_apps(report: Mapping[str, Any]) -> list[str]:
    return [app for verdict, apps in report["apps_by_verdict"].items() if Verdict(verdict).is_failure for app in apps]


def _details(report: Mapping[str, Any], links: Links) -> RunDetails:
    return RunDetails(
        run_id=report["run_id"],
        operation=report["operation"],
        status=report["status"],
        started_at=datetime.fromisoformat(report["started_at"]),
        started_by=_starter(report),
        as_of=report["as_of"],
        seconds=report["seconds"],
        cause=report["cause"],
        links=links,
        totals={name: value for name, value in report.items() if isinstance(value, int)},
        unknown_columns=report["unknown_columns"],
        missing_columns=report["missing_columns"],
        skipped_dates=report.get("skipped_dates"),  # older reports have no notices
        notices=tuple(map(NoticeLine, report.get("notices", ()))),
        verdicts=tuple(_verdict_lines(report["apps_by_verdict"], report.get("app_names", {}))),
        errors=tuple(
            ErrorLine(one["item"], one["table"], one["verdict"], one["reason"], one.get("app_name", ""))
            for one in report["errors"]
        ),
    )


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

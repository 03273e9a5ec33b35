"""/runs, /runs/{id}, its items, and plans, for an invented month."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from appstore_analytics.answers.backfill_plan import SnapshotPlan
from appstore_analytics.answers.cost import CostLine
from appstore_analytics.answers.repair_runs import RepairRun
from appstore_analytics.answers.run_facts import ErrorLine, Links, NoticeLine, RunDetails, RunLine, RunList
from appstore_analytics.answers.run_plans import PlannedRun, PlannedTable
from appstore_analytics.answers.run_stages import Proof, ReplacedDate, RunApp, RunCalls, RunItems, Stage, StageWait
from appstore_analytics.contract.verdicts import Verdict
from tests.e2e.console.imitation.portfolio import DAY, FORBIDDEN, NOT_READY, NOW, QUARANTINED, TODAY, App, Portfolio

_TEN = NOW.replace(hour=10, minute=0, second=2, microsecond=117_000)
RUNS_REMEMBERED = 64
OPERATOR = "arn:aws:sts::123456789012:assumed-role/oncall/manage"


def run_id(started: datetime, operation: str) -> str:
    return f"{started:%Y%m%dT%H%M%S}{started.microsecond // 1000:03}Z-{operation}"


NEWEST_RUN = run_id(_TEN, "daily")
FAILED_RUN = run_id(_TEN - 2 * DAY, "daily")


def _line(back: int) -> RunLine:
    started = _TEN - back * DAY
    seconds = 480.0 + (back * 37) % 90
    line = RunLine(
        run_id=run_id(started, "daily"),
        operation="daily",
        status="SUCCEEDED",
        started_at=started,
        seconds=seconds,
        apps=70,
        apps_failed=0,
        rows_raw=118_000 + back * 211,
        dates_published=12 + back % 3,
        apple_calls=1059 + back,
        started_by="schedule",
        files=420 + back % 5,
        waited_seconds=114.0 if back % 11 == 3 else 0.0,
        worst_verdict="verified",
    )
    return _special(line, back)


def _special(line: RunLine, back: int) -> RunLine:
    if back == 2:
        cause = f"1 of 70 apps failed: {App(QUARANTINED).id} ({App(QUARANTINED).name}, quarantined)."
        return replace(line, status="FAILED", apps_failed=1, cause=cause, worst_verdict="quarantined")
    if back == 5:
        cause = "70 of 70 apps failed: the key of account 'main' was revoked."
        return replace(
            line, status="FAILED", apps_failed=70, seconds=38.0, rows_raw=0, files=0, cause=cause,
            dates_published=0, apple_calls=74, worst_verdict="key rejected",
        )  # fmt: skip
    if back % 9 == 4:
        started = line.started_at + timedelta(hours=5)
        operation = "backfill" if back % 2 else "reprocess"
        return replace(
            line, run_id=run_id(started, operation), operation=operation, started_at=started, apps=2,
            seconds=5460.0, started_by=OPERATOR, files=610, waited_seconds=4100.0,
        )  # fmt: skip
    return line


def running_line() -> RunLine:
    """Today's run after six minutes."""
    started = NOW - timedelta(minutes=6, seconds=12)
    return replace(
        _line(0),
        run_id=run_id(started, "daily"),
        status="RUNNING",
        started_at=started,
        seconds=372.0,
        apps_failed=1,
        share=0.74,
        rows_raw=91_728,
        files=312,
        dates_published=None,
        worst_verdict="",
    )


def list_runs(
    limit: int, *, is_running: bool, operation: str = "", status: str = "", q: str = "", offset: int = 0
) -> RunList:
    every = [_line(back) for back in range(RUNS_REMEMBERED)]
    if is_running:
        every = [running_line(), *every[1:]]
    words = {"running": "RUNNING", "succeeded": "SUCCEEDED", "failed": "FAILED"}
    found = [
        run
        for run in every
        if operation in ("", run.operation) and (not status or run.status == words[status]) and q in run.run_id
    ]
    operations = sorted({run.operation for run in every})
    counts = {"all": len(every), "failed": sum(run.status == "FAILED" for run in every)}
    counts |= {name: sum(run.operation == name for run in every) for name in operations}
    return RunList(
        runs=tuple(found[offset : offset + limit]),
        total=len(found),
        counts=counts,
        next_run_at=_TEN + DAY,
        next=str(offset + limit) if offset + limit < len(found) else "",
        previous=str(max(0, offset - limit)) if offset > limit else "",
    )


def details(run: str, *, is_running: bool, portfolio: Portfolio) -> RunDetails | None:
    known = {line.run_id: line for line in list_runs(RUNS_REMEMBERED, is_running=is_running).runs}
    line = known.get(run)
    if line is None:
        return None
    return RunDetails(
        run_id=line.run_id,
        operation=line.operation,
        status=line.status,
        started_at=line.started_at,
        started_by=line.started_by,
        judged_on=TODAY.isoformat(),
        seconds=line.seconds,
        cause=line.cause,
        links=Links(f"s3://lake/reports/{run}.json", f"s3://lake/reports/{run}.html", f"arn:aws:states:{run}", ""),
        apps=line.apps,
        apps_failed=line.apps_failed,
        stages=_stages(line),
        proof=_proof(line),
        calls=RunCalls(line.apple_calls or 0, 2914, 3395, 481, NOW + timedelta(minutes=9)),
        totals={},
        notices=(NoticeLine("sessions has a column 'Page Title' that the catalogue does not know: kept in extra."),),
        verdicts=(),
        errors=_errors() if line.apps_failed else (),
        replaced=_replaced(),
    )


def _stages(line: RunLine) -> tuple[Stage, ...]:
    at = [line.started_at + timedelta(seconds=seconds) for seconds in (0, 21, 430, 470)]
    end = line.started_at + timedelta(seconds=line.seconds or 0)
    if line.status != "RUNNING":
        return (
            Stage("register", "done", "apps", 70, 70, line.apps_failed or 0, at[0], at[1]),
            Stage("land", "done", "files", line.files or 0, line.files or 0, line.apps_failed or 0, at[1], at[2]),
            Stage("publish", "done", "Dates", 20, 20, 0, at[2], at[3]),
            Stage("verify", "done", "tables", 10, 10, 0, at[3], end),
        )
    wait = StageWait("calls", at[1] + timedelta(seconds=147), at[1] + timedelta(seconds=210))
    return (
        Stage("register", "done", "apps", 70, 70, 1, at[0], at[1]),
        Stage("land", "running", "files", 421, line.files or 0, 1, at[1], None, (wait,)),
        Stage("publish", "waiting", "Dates", 20, 0, 0, None, None),
        Stage("verify", "waiting", "tables", 0, 0, 0, None, None),
    )


def _proof(line: RunLine) -> Proof:
    rows = line.rows_raw or 0
    if line.status == "RUNNING":
        return Proof(rows, 0, rows, 0, 0, 0)
    return Proof(rows, 0, rows, 27_402, 27_402, line.dates_published or 0)


def _errors() -> tuple[ErrorLine, ...]:
    bad, refused = App(QUARANTINED), App(FORBIDDEN)
    repair = RepairRun("reprocess", {"app_ids": [bad.id], "reports": ["downloads"], "run_id": FAILED_RUN})
    return (
        ErrorLine(
            item=f"LAND#{bad.id}", table="downloads", verdict="quarantined",
            reason="App Downloads Standard: the file has no column 'Counts', which the report requires. Correct the "
            "catalogue, deploy, then reprocess this file; what was there before still is.",
            app_name=bad.name, app_id=bad.id, repair=repair, docs="docs/operations.md#quarantined",
        ),
        ErrorLine(
            item=f"REGISTER#{refused.id}", table="", verdict="forbidden",
            reason="Apple answered 403 (FORBIDDEN_ERROR): the key's role does not allow GET. Put a key with the role "
            "Admin, Finance or Sales and Reports into the secret of account 'main'.",
            app_name=refused.name, app_id=refused.id, docs="docs/operations.md#verdicts",
        ),
    )  # fmt: skip


def _replaced() -> tuple[ReplacedDate, ...]:
    rows = (
        ("downloads", 13, 1, 131, 158, True),
        ("purchases", 3, 61, 6517, 7218, False),
        ("engagement", 4, 66, 6240, 6730, False),
        ("engagement", 14, 2, 214, 209, True),
        ("sessions", 6, 67, 6285, 6723, False),
    )
    return tuple(
        ReplacedDate(table, TODAY - back * DAY, apps, before, now, _counts(before), _counts(now), final)
        for table, back, apps, before, now, final in rows
    )


def _counts(rows: int) -> dict[str, str]:
    return {"counts": str(rows * 3)}


GRID = ("crashes", "downloads", "engagement", "installs", "opt_in", "performance", "purchases", "sessions")


def items(run: str, portfolio: Portfolio, *, only: str, q: str, limit: int, offset: int) -> RunItems:
    every = sorted((_run_app(app) for app in portfolio.apps), key=lambda app: (_order(app.verdict), app.app_id))
    exceptions = [app for app in every if app.verdict is not Verdict.VERIFIED]
    shown = exceptions if only else every
    found = [app for app in shown if q.casefold() in f"{app.app_name} {app.app_id}".casefold()]
    return RunItems(
        run_id=run,
        tables=GRID,
        total=len(every),
        exceptions=len(exceptions),
        offset=offset,
        apps=tuple(found[offset : offset + limit]),
        next=str(offset + limit) if offset + limit < len(found) else "",
    )


def _order(verdict: Verdict) -> int:
    return 0 if verdict.is_failure else 1 if verdict is Verdict.NOT_READY else 2


def _run_app(app: App) -> RunApp:
    ends: dict[int, tuple[Verdict, str]] = {
        QUARANTINED: (Verdict.QUARANTINED, "the file has no column 'Counts'"),
        FORBIDDEN: (Verdict.FORBIDDEN, "Apple answered 403"),
        NOT_READY: (Verdict.NOT_READY, ""),
    }
    verdict, reason = ends.get(app.number, (Verdict.VERIFIED, ""))
    return RunApp(app.id, app.name, "main", verdict, reason, tuple(_grid_cell(app, table, verdict) for table in GRID))


def _grid_cell(app: App, table: str, verdict: Verdict) -> Verdict | None:
    if verdict is Verdict.FORBIDDEN:
        return None
    if verdict is Verdict.NOT_READY:
        return Verdict.NOT_READY
    if verdict is Verdict.QUARANTINED and table == "downloads":
        return Verdict.QUARANTINED
    return Verdict.UNCHANGED if (app.number * 7 + len(table)) % 5 == 0 else Verdict.VERIFIED


def plan(operation: str, arguments: dict[str, Any]) -> PlannedRun:
    apps = len(arguments.get("app_ids") or []) or 70
    common: dict[str, Any] = {
        "operation": operation,
        "arguments": arguments,
        "apps": apps,
        "apple_calls_per_hour": 3395,
        "apple_calls_used": 2914,
    }
    if operation == "backfill":
        return _backfill_plan(common, apps)
    if operation == "rollback":
        tables = (PlannedTable("installs", TODAY - 9 * DAY, TODAY - 4 * DAY, 6, 70, None, 3_404),)
        return PlannedRun(
            **common, files=12, dates=18, rows=3404, apple_calls=0, hours=0, us_dollars=0.002, tables=tables,
            confirm_word="18 Dates",
        )  # fmt: skip
    if operation == "reprocess":
        tables = (PlannedTable("downloads", TODAY - 4 * DAY, TODAY - 2 * DAY, 3, 1, 3, 912),)
        return PlannedRun(**common, files=3, dates=3, rows=912, apple_calls=0, hours=0, us_dollars=0.001, tables=tables)
    return PlannedRun(**common, files=None, dates=None, rows=124_000, apple_calls=1060, hours=1, us_dollars=0.03)


def _backfill_plan(common: dict[str, Any], apps: int) -> PlannedRun:
    ids = common["arguments"].get("app_ids") or []
    snapshots = tuple(SnapshotPlan("main", app_id, "request", None, None, 2) for app_id in ids)
    reports = common["arguments"].get("reports") or ["engagement"]
    tables = tuple(
        PlannedTable(name, TODAY - 300 * DAY, TODAY - 10 * DAY, 291, apps, None, 291 * 812) for name in reports
    )
    costs = (CostLine("Lambda", 1204, 0.29), CostLine("S3", 5310, 0.05), CostLine("Athena", 12, 0.03))
    warning = "2 of the 291 Dates are not in the snapshot; they will be reported as missing if Apple’s file lacks them."
    return PlannedRun(
        **common, files=610, dates=291 * len(tables), rows=291 * 812 * len(tables), apple_calls=702, hours=1,
        us_dollars=0.37, snapshots=snapshots, tables=tables, costs=costs, warnings=(warning,),
    )  # fmt: skip

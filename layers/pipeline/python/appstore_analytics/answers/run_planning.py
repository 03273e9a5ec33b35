"""What a run of any operation will do, in one format for all operations."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from appstore_analytics.answers.backfill_plan import BackfillPlan, plan_backfill, rows_per_date
from appstore_analytics.answers.cost import CostLine, Work, cost_of
from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.facts import counted
from appstore_analytics.answers.installation import Installation
from appstore_analytics.answers.repairs import RepairedTable, plan_refetch, plan_reprocess, plan_rollback
from appstore_analytics.answers.run_plans import PlannedRun, PlannedTable
from appstore_analytics.answers.runs import find_report
from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.operations import Operation
from appstore_analytics.rules.call_budget import calls_needed, ceiling
from appstore_analytics.rules.execution_input import ExecutionInput

_ESTIMATES = frozenset({"apple_calls_used", "hours", "rows", "us_dollars", "costs", "warnings"})
"""Fields of a plan that can change although the run would do the same."""


def plan_of(
    payload: Mapping[str, Any], wanted: ExecutionInput, here: Installation, accounts: Sequence[Account]
) -> PlannedRun:
    """What this execution input will do; Refused if there would be nothing to do.

    `accounts` are the accounts with the apps that the caller can see. Nothing is started, and the answer stays the same
    as long as nothing has changed.
    """
    return PLANNERS[wanted.operation](payload, wanted, here, accounts)


def deeds_of(plan: PlannedRun) -> dict[str, Any]:
    """What the run will do, without the estimates: plans with the same deeds describe the same run."""
    facts = {name: value for name, value in asdict(plan).items() if name not in _ESTIMATES}
    tables = [{name: value for name, value in table.items() if name != "rows"} for table in facts["tables"]]
    return {**facts, "tables": tables}


def _daily(
    payload: Mapping[str, Any], wanted: ExecutionInput, here: Installation, accounts: Sequence[Account]
) -> PlannedRun:
    app_ids = [app_id for account in accounts for app_id in account.app_ids]
    rows = {table.name: rows_per_date(table, app_ids, here.lake) for table in here.tables}
    tables = tuple(
        PlannedTable(name, None, None, 1, len(app_ids), len(app_ids), round(sum(per_app.values())) if per_app else None)
        for name, per_app in rows.items()
    )
    work = _work(len(app_ids), tables)
    calls = calls_needed(len(app_ids), len(tables), releases=here.configuration.releases)
    known = [table.rows for table in tables if table.rows is not None]
    return PlannedRun(
        operation=wanted.operation,
        arguments=_arguments(payload),
        apps=len(app_ids),
        files=None,
        dates=None,
        rows=sum(known) if known else None,
        **_calls(calls, wanted, here, accounts),
        **_costs(work),
        tables=tables,
        warnings=() if app_ids else ("No app is known yet: this run asks Apple which apps the keys can see.",),
    )


def _backfill(
    payload: Mapping[str, Any], wanted: ExecutionInput, here: Installation, accounts: Sequence[Account]
) -> PlannedRun:
    plan = plan_backfill(payload, wanted, here.configuration, accounts, here.registry, here.lake)
    tables = tuple(
        PlannedTable(
            table_name=table.table_name,
            first=table.first,
            last=table.last,
            dates=table.dates,
            apps=plan.apps,
            files=None,
            rows=table.rows_expected,
        )
        for table in plan.tables
    )
    known = [table.rows for table in tables if table.rows is not None]
    return PlannedRun(
        operation=wanted.operation,
        arguments=_arguments(payload),
        apps=plan.apps,
        files=None,
        dates=sum(table.dates for table in tables),
        rows=sum(known) if known else None,
        **_calls(plan.apple_calls, wanted, here, _of_apps(accounts, wanted.app_ids)),
        us_dollars=plan.us_dollars,
        costs=plan.costs,
        snapshots=plan.snapshots,
        tables=tables,
        warnings=_of_history(plan),
    )


def _of_history(plan: BackfillPlan) -> tuple[str, ...]:
    warnings = []
    if plan.history_from:
        warnings.append(f"Apple's history begins on {plan.history_from.isoformat()}, not before.")
    if plan.requests_to_make:
        snapshots = counted(plan.requests_to_make, "snapshot")
        warnings.append(f"Apple builds {snapshots} again, which takes 24 to 48 hours; the run waits for that.")
    return tuple(warnings)


def _reprocess(
    payload: Mapping[str, Any], wanted: ExecutionInput, here: Installation, accounts: Sequence[Account]
) -> PlannedRun:
    plan = plan_reprocess(payload, wanted, here.configuration, accounts, here.registry)
    warnings = () if plan.tables else ("Nothing that has landed matches: this run would do nothing.",)
    return _repair(payload, wanted, here, accounts, plan.tables, 0, warnings)


def _refetch(
    payload: Mapping[str, Any], wanted: ExecutionInput, here: Installation, accounts: Sequence[Account]
) -> PlannedRun:
    plan = plan_refetch(payload, wanted, here.configuration, accounts, here.registry)
    warnings = []
    if not plan.apple_calls:
        warnings.append("No instance that Apple has listed matches: this run would do nothing.")
    if plan.older_instances:
        older = counted(plan.older_instances, "instance")
        warnings.append(f"Apple has deleted {older} because of their age: only a backfill brings their Dates.")
    return _repair(payload, wanted, here, accounts, plan.tables, plan.apple_calls, tuple(warnings))


def _repair(
    payload: Mapping[str, Any],
    wanted: ExecutionInput,
    here: Installation,
    accounts: Sequence[Account],
    repaired: Sequence[RepairedTable],
    calls: int,
    warnings: tuple[str, ...],
) -> PlannedRun:
    """A reprocess or a refetch. Its Dates and rows are unknown until the files have been read."""
    tables = tuple(
        PlannedTable(
            table_name=table.table_name,
            first=table.oldest_processing_date,
            last=table.newest_processing_date,
            dates=_days(table.oldest_processing_date, table.newest_processing_date),
            apps=table.apps,
            files=table.segments,
            rows=None,
        )
        for table in repaired
    )
    apps = len(wanted.app_ids) or max((table.apps for table in tables), default=0)
    instances = sum(table.instances for table in repaired)
    return PlannedRun(
        operation=wanted.operation,
        arguments=_arguments(payload),
        apps=apps,
        files=sum(table.segments for table in repaired),
        dates=None,
        rows=None,
        **_calls(calls, wanted, here, _of_apps(accounts, wanted.app_ids)),
        **_costs(Work(apps, len(tables), instances, instances, sum(table.dates for table in tables))),
        tables=tables,
        warnings=warnings,
    )


def _rollback(
    payload: Mapping[str, Any], wanted: ExecutionInput, here: Installation, accounts: Sequence[Account]
) -> PlannedRun:
    found = find_report(here.lake, str(wanted.run_id))
    if found is None or found[1]["run_id"] != wanted.run_id:
        raise Refused(f"There is no report of a run {wanted.run_id}: a run can be rolled back after it has ended.")
    plan = plan_rollback(found[1], here.lake)
    tables = tuple(
        PlannedTable(one.table_name, one.first, one.last, one.dates, one.apps, None, one.rows_before)
        for one in plan.tables
    )
    dates = sum(table.dates for table in tables)
    apps = max((table.apps for table in tables), default=0)
    parts = sum(one.batches for one in plan.tables)
    return PlannedRun(
        operation=wanted.operation,
        arguments=_arguments(payload),
        apps=apps,
        files=None,
        dates=dates,
        rows=sum(one.rows_before for one in plan.tables),
        **_calls(0, wanted, here, accounts),
        **_costs(Work(apps, len(tables), 0, parts, dates)),
        tables=tables,
        warnings=() if tables else (plan.sentence,),
        confirm_word=counted(dates, "Date") if tables else "",
    )


def _arguments(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in payload.items() if name != "operation"}


def _of_apps(accounts: Sequence[Account], app_ids: Sequence[str]) -> Sequence[Account]:
    """The accounts whose keys such a run uses; all if it names no app, or an app that no run has listed yet."""
    return [one for one in accounts if set(one.app_ids) & set(app_ids)] or accounts


def _calls(calls: int, wanted: ExecutionInput, here: Installation, accounts: Sequence[Account]) -> dict[str, Any]:
    """The number of calls and the hours they take. The fullest of several keys determines the time."""
    per_hour = ceiling(here.configuration.calls_per_hour, wanted.operation)
    used = [here.registry.call_budget(one.reader_key_name).balance().used for one in accounts if calls]
    return {
        "apple_calls": calls,
        "apple_calls_used": max(used, default=0),
        "apple_calls_per_hour": per_hour,
        "hours": -(-calls // per_hour),
    }


def _work(apps: int, tables: Sequence[PlannedTable]) -> Work:
    """A usual day: one instance per app and table, with about one Date each."""
    return Work(apps, len(tables), apps * len(tables), apps * len(tables), len(tables))


def _costs(work: Work) -> dict[str, Any]:
    lines: tuple[CostLine, ...] = cost_of(work)
    return {"us_dollars": round(sum(line.us_dollars for line in lines), 2), "costs": lines}


def _days(first: date, last: date) -> int:
    return (last - first).days + 1


_Planner = Callable[[Mapping[str, Any], ExecutionInput, Installation, Sequence[Account]], PlannedRun]
PLANNERS: Mapping[Operation, _Planner] = {
    Operation.DAILY: _daily,
    Operation.BACKFILL: _backfill,
    Operation.REPROCESS: _reprocess,
    Operation.REFETCH: _refetch,
    Operation.ROLLBACK: _rollback,
}
"""What each operation would do."""

"""plan_run: validates the input of an execution before anything is done, and plans the run."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from appstore_analytics.apple.client import AppStoreConnect
from appstore_analytics.contract.configuration import Account, Configuration
from appstore_analytics.contract.errors import (
    InputRefused,
    PermanentError,
    PipelineError,
    TransientError,
)
from appstore_analytics.contract.maps import FROM_THE_BEGINNING
from appstore_analytics.contract.operations import Operation
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.run_notes import find_plan, newest_run, report_key_of, write_plan
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.registry.runs import REMEMBERED
from appstore_analytics.rules.call_budget import refuse_beyond_the_quota
from appstore_analytics.rules.execution_input import ExecutionInput, parse_execution_input
from appstore_analytics.rules.planned_apps import planned_accounts, vanished_apps
from appstore_analytics.rules.times import run_id
from appstore_analytics.rules.verdicts import run_reason

SNAPSHOT_PATIENCE = timedelta(hours=72)


def plan_run(
    execution_name: str,
    started_at: datetime,
    payload: Any,
    configuration: Configuration,
    lake: Bucket,
    connect: Callable[[str], AppStoreConnect],
) -> dict[str, Any]:
    """Check the execution's input against the configuration and write the run's plan.

    `connect` opens App Store Connect with a key to list its apps if the configuration names none; a reprocess and a
    rollback never call Apple. InputRefused or ConfigurationRefused have the one sentence that the execution fails with.
    A second run writes the same plan.
    """
    wanted = parse_execution_input(payload, today=started_at.date())
    of_run = _run_that_was(wanted, started_at, lake)
    if of_run is not None and wanted.operation.traits.takes_back:
        _refuse_too_old_or_unfinished(of_run, started_at, configuration, lake)
        configuration = replace(
            configuration, accounts=of_run.accounts, reports=of_run.reports, granularities=of_run.granularities
        )
    before = newest_run(lake, Operation.DAILY)
    names = dict(before.app_names) if before else {}
    found = _found_apps(configuration.accounts, wanted, of_run or before, connect, names)
    accounts, notices = planned_accounts(configuration.accounts, found, wanted)
    if wanted.operation.traits.covers_every_app:
        notices += tuple(_read_names(configuration.accounts, connect, names))
    vanished = vanished_apps(configuration.accounts, accounts, wanted, before)
    shown = {app_id for account in accounts for app_id in account.app_ids} | {gone.app_id for gone in vanished}
    plan = RunPlan(
        run_id=run_id(started_at, execution_name),
        operation=wanted.operation,
        as_of=wanted.as_of,
        started_at=started_at,
        accounts=accounts,
        reports=_reports(configuration, wanted),
        granularities=configuration.granularities,
        calls_per_hour=configuration.calls_per_hour,
        start_date=wanted.start_date,
        end_date=wanted.end_date,
        give_up_at=started_at + SNAPSHOT_PATIENCE if wanted.operation.traits.waits_for_snapshot else None,
        of_run=wanted.run_id,
        start_processing_date=wanted.start_processing_date,
        end_processing_date=wanted.end_processing_date,
        vanished=vanished,
        notices=notices,
        started_by=wanted.started_by,
        app_names={app_id: name for app_id, name in names.items() if app_id in shown},
    )
    if plan.operation.traits.calls_apple:
        refuse_beyond_the_quota(plan, releases=configuration.releases)
    write_plan(lake, plan)
    return {"run_id": plan.run_id, "operation": plan.operation, "plan": {"after": FROM_THE_BEGINNING}}


def _run_that_was(wanted: ExecutionInput, now: datetime, lake: Bucket) -> RunPlan | None:
    """The run that the input names; None when it names none."""
    if wanted.run_id is None:
        return None
    of_run = find_plan(lake, wanted.run_id)
    if of_run is None or now - of_run.started_at > REMEMBERED:
        raise InputRefused(
            f"run_id is not a run of the last {REMEMBERED.days} days: take the id from a run report or appstore.runs."
        )
    if of_run.operation.traits.takes_back:
        raise InputRefused(f"run_id names a rollback: name the run that it undid, {of_run.of_run}.")
    return of_run


def _refuse_too_old_or_unfinished(of_run: RunPlan, now: datetime, configuration: Configuration, lake: Bucket) -> None:
    if now - of_run.started_at > timedelta(days=configuration.kept_versions_days):
        raise InputRefused(
            f"run_id names a run of {of_run.started_at.date()}, but what it replaced is kept for "
            f"{configuration.kept_versions_days} days (retention.noncurrent_lake): reprocess instead."
        )
    if report_key_of(lake, of_run) is None:
        raise InputRefused("run_id names a run without a report: wait until it has ended (docs/operations.md).")


def _found_apps(
    accounts: Sequence[Account],
    wanted: ExecutionInput,
    known: RunPlan | None,
    connect: Callable[[str], AppStoreConnect],
    names: dict[str, str],
) -> dict[str, tuple[str, ...]]:
    """The apps of the accounts that name none, by account: Apple lists them, and their names are added to `names`.

    An operation that does not call Apple uses the apps of the `known` run.
    """
    apps_of_known = {account.name: account.app_ids for account in known.accounts} if known else {}
    found = {}
    for account in accounts:
        if account.app_ids:
            continue
        if wanted.operation.traits.calls_apple:
            listed = _list_apps(account, connect(account.reader_key_name))
            names.update(listed)
            found[account.name] = tuple(listed)
        else:
            found[account.name] = apps_of_known.get(account.name, ())
    return found


def _list_apps(account: Account, apple: AppStoreConnect) -> dict[str, str]:
    """The names of all apps of an account, by id. An error ends the run, so it names the account, the cause and what to
    do."""
    try:
        return apple.app_names()
    except (PermanentError, TransientError) as error:
        sentence = f"Apple does not list the apps of account '{account.name}'. {run_reason(error)}"
        raise type(error)(sentence) from None


def _read_names(
    accounts: Sequence[Account], connect: Callable[[str], AppStoreConnect], names: dict[str, str]
) -> Iterator[str]:
    """Ask Apple for the names of the configured apps; if that fails, add a notice, because no step needs a name."""
    for account in accounts:
        try:
            if account.app_ids:
                names.update(connect(account.reader_key_name).app_names(account.app_ids))
        except PipelineError as error:
            yield f"Names of apps of account '{account.name}' are from an earlier run, because: {error}"


def _reports(configuration: Configuration, wanted: ExecutionInput) -> tuple[str, ...]:
    for name in wanted.reports:
        if name not in configuration.reports:
            raise InputRefused(f"reports must be deployed ones; '{name}' has no table: add it to reports in cdk.json.")
    return wanted.reports or configuration.reports

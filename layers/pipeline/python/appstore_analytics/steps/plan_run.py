"""plan_run: validates the input of an execution before anything is done, and plans the run."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from appstore_analytics.apple.client import AppStoreConnect
from appstore_analytics.contract.configuration import Account, Configuration
from appstore_analytics.contract.errors import (
    ConfigurationRefused,
    InputRefused,
    PermanentError,
    PipelineError,
    TransientError,
)
from appstore_analytics.contract.maps import FROM_THE_BEGINNING
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.tables import curated_tables
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.run_notes import find_plan, newest_run, report_key_of, write_plan
from appstore_analytics.model.plan import RunPlan, VanishedApp
from appstore_analytics.registry.runs import REMEMBERED
from appstore_analytics.rules.call_budget import calls_needed, calls_per_day, ceiling, most_calls_at_once
from appstore_analytics.rules.due import is_remembered
from appstore_analytics.rules.execution_input import ExecutionInput, parse_execution_input
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
    accounts, notices = _accounts(configuration, wanted, _app_finder(wanted, of_run or before, connect, names))
    if wanted.operation.traits.covers_every_app:
        notices += tuple(_read_names(configuration.accounts, connect, names))
    vanished = _vanished(configuration, accounts, wanted, before)
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
        _refuse_more_than_the_quota(plan, releases=configuration.releases)
        _refuse_a_step_that_never_fits(plan)
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


def _app_finder(
    wanted: ExecutionInput,
    known: RunPlan | None,
    connect: Callable[[str], AppStoreConnect],
    names: dict[str, str],
) -> Callable[[Account], tuple[str, ...]]:
    """Finds the apps of an account that names none: Apple lists them, with their `names`.

    An operation that does not call Apple uses the apps of the `known` run.
    """

    def listed(account: Account) -> tuple[str, ...]:
        found = _list_apps(account, connect(account.reader_key_name))
        names.update(found)
        return tuple(found)

    if wanted.operation.traits.calls_apple:
        return listed
    app_ids = {} if known is None else {account.name: account.app_ids for account in known.accounts}
    return lambda account: app_ids.get(account.name, ())


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


def _accounts(
    configuration: Configuration, wanted: ExecutionInput, find_apps: Callable[[Account], tuple[str, ...]]
) -> tuple[tuple[Account, ...], tuple[str, ...]]:
    """The accounts with their apps, and notices about them."""
    accounts, notices = _each_app_once(configuration.accounts, find_apps)
    if wanted.app_ids:
        known = {app_id for account in accounts for app_id in account.app_ids}
        for app_id in wanted.app_ids:
            if app_id not in known:
                raise InputRefused(f"app_ids must be apps of a configured account; {app_id} is not.")
        chosen = set(wanted.app_ids)
        accounts = tuple(
            replace(account, app_ids=tuple(app_id for app_id in account.app_ids if app_id in chosen))
            for account in accounts
        )
    accounts = tuple(account for account in accounts if account.app_ids)
    if not accounts:
        raise ConfigurationRefused(
            "No account has an app: give its API key access to apps in App Store Connect, "
            "or put app ids under accounts in cdk.json and deploy again."
        )
    return accounts, notices


def _each_app_once(
    accounts: Sequence[Account], find_apps: Callable[[Account], tuple[str, ...]]
) -> tuple[tuple[Account, ...], tuple[str, ...]]:
    """An app belongs to the account that names it, otherwise to the first account whose key can see it; it is never
    counted twice."""
    owners = {app_id: account.name for account in accounts for app_id in account.app_ids}
    found, notices = [], []
    for account in accounts:
        if account.app_ids:
            found.append(account)
            continue
        seen = tuple(find_apps(account))
        for app_id in seen:
            owners.setdefault(app_id, account.name)
        own = tuple(app_id for app_id in seen if owners[app_id] == account.name)
        found.append(replace(account, app_ids=own))
        if len(own) < len(seen):
            notices.append(_seen_twice(account.name, len(seen) - len(own), {owners[app_id] for app_id in seen}))
    return tuple(found), tuple(notices)


def _seen_twice(account: str, apps: int, owners: set[str]) -> str:
    others = ", ".join(f"'{name}'" for name in sorted(owners - {account}))
    what = "1 app" if apps == 1 else f"{apps:,} apps"
    return (
        f"{what} that the key of account '{account}' sees {'is' if apps == 1 else 'are'} fetched with the key of "
        f"account {others} only: an app is counted once. Name the apps under accounts in cdk.json to choose the key."
    )


def _vanished(
    configuration: Configuration, accounts: Sequence[Account], wanted: ExecutionInput, before: RunPlan | None
) -> tuple[VanishedApp, ...]:
    """Apps of accounts that name none: those that the daily run `before` had and that Apple no longer lists."""
    if not wanted.operation.traits.covers_every_app or before is None:
        return ()
    finding = {account.name for account in configuration.accounts if not account.app_ids}
    listed = {app_id for account in accounts for app_id in account.app_ids}
    had = (
        VanishedApp(one.name, app_id, before.as_of, before.app_names.get(app_id, ""))
        for one in before.accounts
        for app_id in one.app_ids
    )
    gone = (app for app in (*before.vanished, *had) if app.account in finding and app.app_id not in listed)
    kept = (app for app in gone if is_remembered(app, wanted.as_of))
    return tuple(sorted(kept, key=lambda app: (app.account, app.app_id)))


def _reports(configuration: Configuration, wanted: ExecutionInput) -> tuple[str, ...]:
    for name in wanted.reports:
        if name not in configuration.reports:
            raise InputRefused(f"reports must be deployed ones; '{name}' has no table: add it to reports in cdk.json.")
    return wanted.reports or configuration.reports


def _refuse_more_than_the_quota(plan: RunPlan, *, releases: bool) -> None:
    tables = curated_tables(plan.reports, plan.granularities)
    available = calls_per_day(plan.calls_per_hour)
    for account in plan.accounts:
        needed = calls_needed(len(account.app_ids), len(tables), releases=releases)
        if needed > available:
            raise ConfigurationRefused(
                f"{len(account.app_ids):,} apps × {len(tables)} reports of account '{account.name}' need {needed:,} "
                f"calls a day, but its API key has {available:,}: fetch fewer reports or use more keys."
            )


def _refuse_a_step_that_never_fits(plan: RunPlan) -> None:
    """A step reserves all its calls at once, so one that needs more than an hour's share would wait forever."""
    needed = most_calls_at_once(plan)
    allowed = ceiling(plan.calls_per_hour, plan.operation)
    if needed > allowed:
        raise ConfigurationRefused(
            f"One app takes up to {needed:,} calls at once, but of calls_per_hour {plan.calls_per_hour:,} the "
            f"operation {plan.operation} can use {allowed:,}: raise calls_per_hour in cdk.json or fetch fewer reports."
        )

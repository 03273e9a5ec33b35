"""The apps of a run: each one once, those that the input names, and those that Apple no longer lists."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.errors import ConfigurationRefused, InputRefused
from appstore_analytics.model.plan import RunPlan, VanishedApp
from appstore_analytics.rules.due import is_remembered
from appstore_analytics.rules.execution_input import ExecutionInput


def planned_accounts(
    configured: Sequence[Account], found: Mapping[str, tuple[str, ...]], wanted: ExecutionInput
) -> tuple[tuple[Account, ...], tuple[str, ...]]:
    """The accounts with the apps that the run fetches, and notices about them.

    `found` are the apps of the accounts that name none, by account. InputRefused names a wanted app that no account
    has; ConfigurationRefused if no account has any.
    """
    accounts, notices = _each_app_once(configured, found)
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


def vanished_apps(
    configured: Sequence[Account], accounts: Sequence[Account], wanted: ExecutionInput, before: RunPlan | None
) -> tuple[VanishedApp, ...]:
    """Apps of accounts that name none: those that the daily run `before` had and that Apple no longer lists."""
    if not wanted.operation.traits.covers_every_app or before is None:
        return ()
    finding = {account.name for account in configured if not account.app_ids}
    listed = {app_id for account in accounts for app_id in account.app_ids}
    had = (
        VanishedApp(one.name, app_id, before.as_of, before.app_names.get(app_id, ""))
        for one in before.accounts
        for app_id in one.app_ids
    )
    gone = (app for app in (*before.vanished, *had) if app.account in finding and app.app_id not in listed)
    kept = (app for app in gone if is_remembered(app, wanted.as_of))
    return tuple(sorted(kept, key=lambda app: (app.account, app.app_id)))


def _each_app_once(
    accounts: Sequence[Account], found: Mapping[str, tuple[str, ...]]
) -> tuple[tuple[Account, ...], tuple[str, ...]]:
    """An app belongs to the account that names it, otherwise to the first account whose key can see it; it is never
    counted twice."""
    owners = {app_id: account.name for account in accounts for app_id in account.app_ids}
    owning, notices = [], []
    for account in accounts:
        if account.app_ids:
            owning.append(account)
            continue
        seen = found.get(account.name, ())
        for app_id in seen:
            owners.setdefault(app_id, account.name)
        own = tuple(app_id for app_id in seen if owners[app_id] == account.name)
        owning.append(replace(account, app_ids=own))
        if len(own) < len(seen):
            notices.append(_seen_twice(account.name, len(seen) - len(own), {owners[app_id] for app_id in seen}))
    return tuple(owning), tuple(notices)


def _seen_twice(account: str, apps: int, owners: set[str]) -> str:
    others = ", ".join(f"'{name}'" for name in sorted(owners - {account}))
    what = "1 app" if apps == 1 else f"{apps:,} apps"
    return (
        f"{what} that the key of account '{account}' sees {'is' if apps == 1 else 'are'} fetched with the key of "
        f"account {others} only: an app is counted once. Name the apps under accounts in cdk.json to choose the key."
    )

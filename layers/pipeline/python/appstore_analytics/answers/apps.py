"""`apps`: the apps that the pipeline fetches, and the verdict of each in its last daily run."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.facts import counted
from appstore_analytics.answers.runs import newest_reports
from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.configuration import Account, Configuration
from appstore_analytics.contract.errors import ConfigurationRefused
from appstore_analytics.contract.operations import Operation
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.run_notes import read_plan
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.registry import Registry

_PLANS_LOOKED_AT = 10
_IDS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class AppLine:
    """One app. `listed` says whether `cdk.json` names the app or the account's key can see it."""

    account: str
    app_id: str
    app_name: str
    listed: str
    ongoing_request: str
    snapshot_request: str
    last_verdict: str


@dataclass(frozen=True, slots=True)
class AppList:
    """Every app that a daily run fetches, as far as the registry knows."""

    last_run: str
    apps: tuple[AppLine, ...]

    @property
    def is_good(self) -> bool:
        """Whether any app is known."""
        return bool(self.apps)

    @property
    def sentence(self) -> str:
        """The number of apps and accounts."""
        if not self.apps:
            return "No app is known yet: the first daily run asks Apple which apps the keys can see."
        return f"{counted(len(self.apps), 'app')} in {counted(len({app.account for app in self.apps}), 'account')}."


def list_apps(configuration: Configuration, accounts: Iterable[Account], registry: Registry, lake: Bucket) -> AppList:
    """The apps of every account, with their report requests in the registry."""
    names = app_names(lake)
    report = next((report for _, report in newest_reports(lake, 1, Operation.DAILY)), {})
    verdicts = {app: verdict for verdict, apps in report.get("apps_by_verdict", {}).items() for app in apps}
    named = {app_id for account in configuration.accounts for app_id in account.app_ids}
    lines = tuple(
        _line(account.name, app_id, names, "by cdk.json" if app_id in named else "by its key", verdicts, registry)
        for account in accounts
        for app_id in account.app_ids
    )
    return AppList(report.get("run_id", ""), lines)


def app_names(lake: Bucket) -> Mapping[str, str]:
    """Apple's names of the apps by id, as the newest daily run read them."""
    plan = newest_daily_plan(lake)
    return plan.app_names if plan else {}


def chosen_accounts(
    accounts: Iterable[Account], wanted: Sequence[str], names: Mapping[str, str]
) -> tuple[Account, ...]:
    """The accounts with only the wanted apps, each given by its id or name; without wanted apps, with all apps.

    Refused names an app that is not fetched, and a name that several apps have.
    """
    known = tuple(accounts)
    if not wanted:
        return known
    fetched = [app_id for account in known for app_id in account.app_ids]
    chosen = {_one_app(each, fetched, names) for each in wanted}
    apart = (replace(one, app_ids=tuple(app_id for app_id in one.app_ids if app_id in chosen)) for one in known)
    return tuple(account for account in apart if account.app_ids)


def _one_app(wanted: str, fetched: Sequence[str], names: Mapping[str, str]) -> str:
    if wanted in fetched:
        return wanted
    found = [app_id for app_id in fetched if names.get(app_id, "").casefold() == wanted.casefold()]
    if not found:
        raise Refused(f"App {wanted} is not fetched: ./manage.py apps lists the ids and names of those that are.")
    if len(found) > 1:
        raise Refused(f"{len(found)} apps have the name {wanted}, so give an id: {', '.join(found[:_IDS_SHOWN])}.")
    return found[0]


def known_accounts(configuration: Configuration, lake: Bucket) -> tuple[Account, ...]:
    """The configured accounts with their apps; an account that names none has the apps that the newest daily run
    found."""
    plan = None if all(account.app_ids for account in configuration.accounts) else newest_daily_plan(lake)
    found = {account.name: account.app_ids for account in plan.accounts} if plan else {}
    for gone in plan.vanished if plan else ():  # still shown, although Apple no longer lists them
        found[gone.account] = (*found.get(gone.account, ()), gone.app_id)
    return tuple(
        replace(account, app_ids=account.app_ids or found.get(account.name, ())) for account in configuration.accounts
    )


def newest_daily_plan(lake: Bucket) -> RunPlan | None:
    """The plan of the newest daily run that has a report; None before there is one.

    A plan that has expired, or that an older version wrote without a required field, is skipped.
    """
    for _, report in newest_reports(lake, _PLANS_LOOKED_AT, Operation.DAILY):
        try:
            return read_plan(lake, report["run_id"])
        except (ConfigurationRefused, KeyError):
            continue
    return None


def _line(
    account: str,
    app_id: str,
    names: Mapping[str, str],
    listed: str,
    verdicts: Mapping[str, str],
    registry: Registry,
) -> AppLine:
    requests = {kind: registry.report_requests.get(app_id, kind).request_id or "" for kind in AccessType}
    return AppLine(
        account,
        app_id,
        names.get(app_id, ""),
        listed,
        requests[AccessType.ONGOING],
        requests[AccessType.ONE_TIME_SNAPSHOT],
        verdicts.get(app_id, ""),
    )

"""The questions that commands and agents both ask of an installed pipeline: the same answer for both."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from appstore_analytics.answers import apps as app_answers
from appstore_analytics.answers import gaps as gap_answers
from appstore_analytics.answers import health as health_answers
from appstore_analytics.answers import releases as release_answers
from appstore_analytics.answers import restatements as restatement_answers
from appstore_analytics.answers import run_details
from appstore_analytics.answers import sql as sql_answers
from appstore_analytics.answers.apps import AppList, chosen_accounts
from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.facts import Facts
from appstore_analytics.answers.gaps import Gaps
from appstore_analytics.answers.health import Looked
from appstore_analytics.answers.installation import Installation
from appstore_analytics.answers.kpi_catalogue import KpiCatalogue, kpi_catalogue
from appstore_analytics.answers.kpi_comparison import KpiComparison, compare_with_previous
from appstore_analytics.answers.kpi_report import KpiReport
from appstore_analytics.answers.kpi_reporting import Installed, ReportQuestion, report_kpis
from appstore_analytics.answers.kpis import KpiAnswer, KpiQuestion, ask_kpis
from appstore_analytics.answers.releases import ReleaseList
from appstore_analytics.answers.restatements import RestatementList
from appstore_analytics.answers.run_facts import RunDetails
from appstore_analytics.answers.sql import QueryAnswer
from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.model.remembered import Remembered
from appstore_analytics.rules.kpi_periods import Compare
from appstore_analytics.wiring.clock import utc_now

DATES_BY_DEFAULT = 28


@dataclass(frozen=True, slots=True)
class KpiWish:
    """A question about KPIs: apps by id or name, and a period whose start and end are optional."""

    metrics: tuple[str, ...]
    by: str = ""
    apps: tuple[str, ...] = ()
    start: date | None = None
    end: date | None = None
    compared: bool = False


def accounts_of(here: Installation, apps: Sequence[str] | None) -> tuple[Account, ...]:
    """The accounts with only these apps, by id or name, or with all apps; Refused for an app that is not fetched."""
    return chosen_accounts(here.accounts, apps or (), here.app_names)


def app_ids_of(here: Installation, apps: Sequence[str] | None) -> frozenset[str] | None:
    """The ids of these apps, given by id or name; None without apps, which means all."""
    if not apps:
        return None
    return frozenset(app_id for account in accounts_of(here, apps) for app_id in account.app_ids)


def tables_of(here: Installation, names: Sequence[str] | None) -> list[CuratedTable]:
    """The deployed tables of these names, or all."""
    deployed = {name: table for table in here.tables for name in table.names}
    for name in names or ():
        if name not in deployed:
            raise Refused(f"There is no deployed table '{name}': docs/reports.md lists all possible tables.")
    return list(dict.fromkeys(deployed[name] for name in names or deployed))


def console_region(here: Installation) -> str | None:
    """The region for links to AWS's console, which the embedded AWS does not have."""
    return None if here.is_local else here.region


def apps(here: Installation, chosen: Sequence[str] | None) -> AppList:
    """The apps that are fetched."""
    return app_answers.list_apps(here.configuration, accounts_of(here, chosen), here.registry, here.lake)


def health(here: Installation, chosen: Sequence[str] | None, as_of: date) -> Facts:
    """The health of the installation, or of these apps; an app that no account has is an answer too."""
    try:
        accounts = accounts_of(here, chosen)
    except Refused:
        known = {*here.app_names.values(), *(id_ for one in here.accounts for id_ in one.app_ids)}
        return health_answers.not_fetched(next(app for app in chosen or () if app not in known), as_of)
    at = Looked(accounts, here.tables, here.app_names)
    return health_answers.look(here.pipeline, at, as_of, utc_now(), Remembered(0), detailed=bool(chosen))


def gaps(here: Installation, chosen: Sequence[str] | None, as_of: date, since: date | None) -> Gaps:
    """The Dates that are missing or not complete."""
    accounts = accounts_of(here, chosen)
    return gap_answers.find_gaps(accounts, here.tables, here.registry, here.lake, as_of, since)


def releases(here: Installation, chosen: Sequence[str] | None, since: date | None) -> ReleaseList:
    """The release days of each version of the apps."""
    return release_answers.list_releases(accounts_of(here, chosen), here.registry, here.app_names, since)


def restatements(
    here: Installation, chosen: Sequence[str] | None, start: date | None, end: date | None, today: date
) -> RestatementList:
    """Final numbers that changed, for the newest 28 Dates unless others are asked for."""
    first, last = restatement_answers.period(start, end, today)
    accounts = accounts_of(here, chosen)
    return restatement_answers.find_restatements(accounts, here.lake, here.app_names, first, last)


def run(here: Installation, run_id: str) -> RunDetails:
    """One run."""
    return run_details.show_run(here.pipeline, run_id, console_region(here))


def kpi_names(here: Installation) -> KpiCatalogue:
    """The list of KPIs."""
    return kpi_catalogue(here.tables)


def kpis(here: Installation, wish: KpiWish, today: date) -> KpiReport:
    """The KPIs of a period, which ends yesterday and has 28 Dates unless the wish says otherwise."""
    start, end = _period(wish, today)
    against = Compare.PREVIOUS if wish.compared else None
    question = ReportQuestion(wish.metrics, start, end, app_ids=_chosen(here, wish), by=wish.by, compare=against)
    return report_kpis(question, Installed.of(here), today)


def stored_kpis(here: Installation, wish: KpiWish, today: date) -> KpiAnswer | KpiComparison:
    """The same for a terminal: every Date as it is stored and, if asked for, the period before."""

    def ask(question: KpiQuestion) -> KpiAnswer:
        return ask_kpis(question, here.accounts, here.tables, here.registry, here.lake, today)

    question = KpiQuestion(wish.metrics, *_period(wish, today), _chosen(here, wish), wish.by)
    return compare_with_previous(question, ask) if wish.compared else ask(question)


def _period(wish: KpiWish, today: date) -> tuple[date, date]:
    end = wish.end or today - timedelta(days=1)
    return wish.start or end - timedelta(days=DATES_BY_DEFAULT - 1), end


def _chosen(here: Installation, wish: KpiWish) -> tuple[str, ...]:
    return tuple(sorted(app_ids_of(here, wish.apps) or ()))


def sql(here: Installation, query: str, at_most: int | None) -> QueryAnswer:
    """One SELECT, asked of Athena."""
    return sql_answers.ask(query, here.athena, at_most=at_most)

"""The state of the installation: problems, apps, and the completeness of Dates."""

from collections.abc import Iterator
from typing import Any

from appstore_analytics.answers.app_details import AppDetails, app_details
from appstore_analytics.answers.app_table import AppsQuestion, AppTable, app_table
from appstore_analytics.answers.health import Health, Looked, look
from appstore_analytics.answers.judged_dates import JudgedDates
from appstore_analytics.answers.pages import Page
from appstore_analytics.answers.releases import ReleaseList, list_releases
from appstore_analytics.answers.restatements import restated_table_dates
from appstore_analytics.answers.table_dates import TableDates, main_first, newest_dates, table_dates
from appstore_analytics.rules.schedule import next_start
from appstore_console.http.asked import Asked, visible
from appstore_console.http.asked_answers import checks_for, deployed, judged_for, kpi_sources, today, version_of_runs
from appstore_console.http.endpoints import Endpoints
from appstore_console.rights import Right
from appstore_console.schemas.requests import (
    AppsParameters,
    DatesParameters,
    HealthParameters,
    Order,
    ReleasesParameters,
    TablesParameters,
)

endpoints = Endpoints("Status")


@endpoints.get("/health", Right.READ, version=version_of_runs)
def health(asked: Asked, parameters: HealthParameters) -> Health:
    """Is everything complete, and if not, who has to do what

    The Date up to which every table is complete, whether yesterday is, the outcome of the newest run, and a line for
    each problem.
    """
    here, console = asked.console.installation, asked.console
    accounts = asked.accounts
    if parameters.app:
        asked.refuse_unseen(parameters.app)
        accounts = visible(accounts, frozenset({parameters.app}))
    at = Looked(
        accounts,
        here.tables,
        here.app_names,
        is_whole=asked.app_ids is None and not parameters.app,
        next_run_at=next_start(console.daily_schedule, asked.now),
    )
    return look(here.pipeline, at, today(asked), asked.now, console.remembered, detailed=bool(parameters.app))


def _csv_of_apps(table: AppTable) -> Iterator[tuple[Any, ...]]:
    names = [column.name for column in table.columns]
    yield ("app_id", "app_name", "account", "verdict", "complete_until", *names, *(f"{name}_change" for name in names))
    for row in table.apps:
        values = [row.metrics.get(name) for name in names]
        numbers = (*(one and one.value for one in values), *(one and one.change for one in values))
        yield (row.app_id, row.app_name, row.account, row.verdict, row.complete_until, *numbers)


@endpoints.get("/apps", Right.READ, csv=_csv_of_apps, version=version_of_runs)
def apps(asked: Asked, parameters: AppsParameters) -> AppTable:
    """A page of the apps with their numbers

    Filtered, sorted and paged by the server. The numbers are of each KPI's newest final Dates, compared with an equally
    long period before. With `Accept: text/csv` the same page as CSV.
    """
    checks = checks_for(asked)
    here = kpi_sources(asked, lambda _: checks)
    metrics = parameters.metrics
    if not asked.incoming.parameters.intersection({"metrics"}):
        metrics = deployed(asked.console.installation, metrics)
    question = AppsQuestion(
        text=parameters.q,
        verdict=parameters.verdict,
        sort=parameters.sort or next(iter(metrics), "name"),
        is_descending=parameters.order is Order.DESCENDING,
        metrics=metrics,
        days=parameters.days,
        page=Page(parameters.limit, parameters.cursor),
    )
    return app_table(question, here, judged_for(asked, checks), today(asked))


@endpoints.get("/apps/<app_id>", Right.READ, version=version_of_runs)
def app(asked: Asked, app_id: str, parameters: DatesParameters) -> AppDetails:
    """One app: whether it is complete, and if not, why

    The checked causes, who does what about them, and a verdict for each table and Date.
    """
    asked.refuse_unseen(app_id)
    here = asked.console.installation
    (account,) = visible(asked.accounts, frozenset({app_id}))
    dates = newest_dates(today(asked), parameters.days)
    restated = restated_table_dates(here.lake, frozenset({app_id}), dates[0])
    return app_details(account, here.tables, here.registry, here.lake, dates, asked.console.remembered, restated)


@endpoints.get("/apps/<app_id>/releases", Right.READ)
def releases(asked: Asked, app_id: str, parameters: ReleasesParameters) -> ReleaseList:
    """When each version of one app was released

    The day on which a run first saw it on sale, or the first Date with its sessions, which `is_inferred`.
    """
    asked.refuse_unseen(app_id)
    here = asked.console.installation
    accounts = visible(asked.accounts, frozenset({app_id}))
    return list_releases(accounts, here.registry, here.app_names, parameters.start)


@endpoints.get("/tables", Right.READ, version=version_of_runs)
def tables(asked: Asked, parameters: TablesParameters) -> TableDates:
    """Tables × Dates with a verdict each

    For one app, or for all apps together, where the worst verdict counts.
    """
    here, checks = asked.console.installation, checks_for(asked)
    judged = judged_for(asked, checks)
    if parameters.app:
        asked.refuse_unseen(parameters.app)
        places = (here.registry, here.lake, today(asked), asked.console.remembered)
        judged = JudgedDates([parameters.app], checks, *places, is_exact=True)
    dates = newest_dates(today(asked), parameters.days)
    restated = restated_table_dates(here.lake, frozenset(judged.app_ids), dates[0])
    found = table_dates(judged, here.tables, dates, restated)
    if not parameters.main:
        return found
    main = {table.name for table in main_first(here.tables)}
    lines = tuple(line for line in found.tables if line.is_main and line.table_name in main)
    return TableDates(found.checked_at, found.dates, lines)

"""The routes for KPIs."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from appstore_analytics.answers import restatements
from appstore_analytics.answers.kpi_catalogue import KpiCatalogue, kpi_catalogue
from appstore_analytics.answers.kpi_report import KpiReport
from appstore_analytics.answers.kpi_reporting import ReportQuestion, report_kpis
from appstore_analytics.answers.restatements import RestatementList
from appstore_console.http import problems
from appstore_console.http.asked import Asked, visible
from appstore_console.http.asked_answers import kpi_sources, results_for, today, version_of_runs
from appstore_console.http.endpoints import Endpoints
from appstore_console.rights import Right
from appstore_console.schemas.requests import KpiParameters, RestatementsParameters

endpoints = Endpoints("Numbers")


@endpoints.get("/kpis", Right.READ)
def kpis(asked: Asked) -> KpiCatalogue:
    """The KPI catalogue

    Every KPI with its formula, its caveat and the dimensions that it can be split by.
    """
    return kpi_catalogue(asked.console.installation.tables)


def _csv_of_report(report: KpiReport) -> Iterator[tuple[Any, ...]]:
    """An unknown value is an empty cell; a zero is 0."""
    yield ("kpi", "app_id", "app_name", "slice", "is_rest", "dt", "value", "bound", "state", "is_final", "previous")
    for series in report.series:
        of = (series.kpi, series.app_id, series.app_name, series.slice, series.is_rest)
        for point in series.points:
            yield (*of, point.day, point.value, point.bound, point.state, point.is_final, point.previous)


def _csv_of_restatements(found: RestatementList) -> Iterator[tuple[Any, ...]]:
    """A row for each measure that changed."""
    yield restatements.COLUMNS
    yield from restatements.rows(found)


@endpoints.get("/restatements", Right.READ, csv=_csv_of_restatements)
def list_restatements(asked: Asked, parameters: RestatementsParameters) -> RestatementList:
    """Final numbers that changed: before, now, and when

    Totals of measures by app, table and Date: Apple restated them, or a person had them reprocessed or taken back.
    With `Accept: text/csv` a row for each.
    """
    asked.refuse_unseen(*parameters.apps)
    here = asked.console.installation
    accounts = visible(asked.accounts, frozenset(parameters.apps)) if parameters.apps else asked.accounts
    start, end = restatements.period(parameters.start, parameters.end, today(asked))
    return restatements.find_restatements(accounts, here.lake, here.app_names, start, end)


@endpoints.get("/kpis/query", Right.READ, csv=_csv_of_report, version=version_of_runs)
def query_kpis(asked: Asked, parameters: KpiParameters) -> KpiReport:
    """KPIs by Date, for all apps or some, split by app or by one dimension

    Final and preliminary values are marked, and so are zero and missing ones. Each KPI has its caveat and the same
    question as SQL for Athena. With `Accept: text/csv` the answer is a row for each point.
    """
    if parameters.days and (parameters.start or parameters.end):
        raise problems.invalid("days cannot be combined with from or to: it selects the newest final Dates.", "days")
    asked.refuse_unseen(*parameters.apps)
    question = ReportQuestion(
        metrics=parameters.metrics,
        start=parameters.start,
        end=parameters.end,
        days=parameters.days,
        app_ids=parameters.apps,
        by=parameters.by,
        where=parameters.where,
        compare=parameters.compare,
        step=parameters.granularity,
        limit=parameters.limit,
    )
    return report_kpis(question, kpi_sources(asked, partial(results_for, asked)), today(asked))

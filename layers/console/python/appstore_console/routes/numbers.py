"""The numbers people ask for."""

from collections.abc import Iterator
from typing import Any

from appstore_analytics.answers.kpi_catalogue import KpiCatalogue, kpi_catalogue
from appstore_analytics.answers.kpi_report import KpiReport
from appstore_analytics.answers.kpi_reporting import ReportQuestion, report_kpis
from appstore_console.http import problems
from appstore_console.http.asked import Asked
from appstore_console.http.asked_answers import checks_for, kpi_sources, today, version_of_runs
from appstore_console.http.endpoints import Endpoints
from appstore_console.rights import Right
from appstore_console.schemas.requests import KpiParameters

endpoints = Endpoints("Numbers")


@endpoints.get("/kpis", Right.READ)
def kpis(asked: Asked) -> KpiCatalogue:
    """The KPI catalogue

    Every KPI with its formula, its trap and what it can be split by.
    """
    return kpi_catalogue(asked.console.installation.tables)


def _csv_of_report(report: KpiReport) -> Iterator[tuple[Any, ...]]:
    """A value that is not known is an empty cell; a zero is 0."""
    yield ("kpi", "app_id", "app_name", "slice", "is_rest", "dt", "value", "bound", "state", "is_final", "previous")
    for series in report.series:
        of = (series.kpi, series.app_id, series.app_name, series.slice, series.is_rest)
        for point in series.points:
            yield (*of, point.day, point.value, point.bound, point.state, point.is_final, point.previous)


@endpoints.get("/kpis/query", Right.READ, csv=_csv_of_report, version=version_of_runs)
def query_kpis(asked: Asked, parameters: KpiParameters) -> KpiReport:
    """KPIs by Date, of all apps or some, split by app or by one dimension

    Final and preliminary apart, zero and missing told apart, each KPI with its trap and with the same question for
    Athena. With `Accept: text/csv` a row for each point.
    """
    if parameters.days and (parameters.start or parameters.end):
        raise problems.invalid("days and from or to cannot be given together: days are the newest final Dates.", "days")
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
    return report_kpis(question, kpi_sources(asked, checks_for(asked)), today(asked))

"""The numbers people ask for."""

from appstore_analytics.answers.kpi_catalogue import KpiCatalogue, kpi_catalogue
from appstore_analytics.answers.kpi_report import KpiReport
from appstore_console.http.asked import Asked
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


@endpoints.get("/kpis/query", Right.READ)
def query_kpis(asked: Asked, parameters: KpiParameters) -> KpiReport:
    """KPIs by Date, of all apps or some, split by app or by one dimension

    Final and preliminary apart, zero and missing told apart, each KPI with its trap and with the same question for
    Athena. With `Accept: text/csv` a row for each point.
    """
    raise NotImplementedError

"""Whether all is well, which apps there are, and which Dates are here."""

from appstore_analytics.answers.app_details import AppDetails
from appstore_analytics.answers.app_table import AppTable
from appstore_analytics.answers.health import Health
from appstore_analytics.answers.table_dates import TableDates
from appstore_console.http.asked import Asked
from appstore_console.http.endpoints import Endpoints
from appstore_console.rights import Right
from appstore_console.schemas.requests import (
    AppsParameters,
    DatesParameters,
    HealthParameters,
    TablesParameters,
)

endpoints = Endpoints("Status")


@endpoints.get("/health", Right.READ)
def health(asked: Asked, parameters: HealthParameters) -> Health:
    """Is all well, and if not, what needs whom

    Until when every table is complete, whether yesterday is, how the newest run ended, and a line for each thing that
    somebody has to do.
    """
    raise NotImplementedError


@endpoints.get("/apps", Right.READ)
def apps(asked: Asked, parameters: AppsParameters) -> AppTable:
    """A page of the apps with their numbers

    Filtered, sorted and cut here. The numbers are of the newest final Dates of each KPI beside as many before.
    """
    raise NotImplementedError


@endpoints.get("/apps/<app_id>", Right.READ)
def app(asked: Asked, app_id: str, parameters: DatesParameters) -> AppDetails:
    """One app: whether all of it is here, and if not, why

    What was looked at, who does what about it, and a verdict for each table and Date.
    """
    raise NotImplementedError


@endpoints.get("/tables", Right.READ)
def tables(asked: Asked, parameters: TablesParameters) -> TableDates:
    """Tables × Dates with a verdict each

    Of all apps together, where the worst verdict counts, or of one.
    """
    raise NotImplementedError

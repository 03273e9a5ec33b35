"""The calls of the reading routes into the answers, restricted to the apps that the person can see."""

from collections.abc import Iterable
from datetime import date

from appstore_analytics.answers.checks import Checks, read_checks
from appstore_analytics.answers.installation import Installation
from appstore_analytics.answers.judged_dates import JudgedDates
from appstore_analytics.answers.kpi_reporting import Installed
from appstore_analytics.contract.kpis import KPIS_BY_NAME
from appstore_console.http.asked import Asked


def deployed(here: Installation, metrics: Iterable[str]) -> tuple[str, ...]:
    """The KPIs among these whose tables are fetched here."""
    return tuple(name for name in metrics if all(table in here.tables for table in KPIS_BY_NAME[name].tables))


def today(asked: Asked) -> date:
    """The current day in UTC."""
    return asked.now.date()


def checks_for(asked: Asked) -> Checks:
    """The results of the freshness checks for these apps."""
    return read_checks(asked.console.installation.lake, asked.seen, today(asked), asked.console.remembered)


def kpi_sources(asked: Asked, checks: Checks) -> Installed:
    """The sources of KPIs. The stored sum over all apps is used only for a person who can see all of them."""
    here = asked.console.installation
    return Installed.of(here, None if asked.app_ids is None else asked.accounts, checks)


def judged_for(asked: Asked, checks: Checks) -> JudgedDates:
    """The verdicts on Dates of these apps."""
    here = asked.console.installation
    return JudgedDates(asked.seen, checks, here.registry, here.lake, today(asked), asked.console.remembered)

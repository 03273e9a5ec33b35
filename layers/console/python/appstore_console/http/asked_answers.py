"""What the reading routes ask of the answers, for whoever asks: the apps that they may see and nothing of any other."""

from collections.abc import Iterable
from datetime import date

from appstore_analytics.answers.checks import Checks, read_checks
from appstore_analytics.answers.installation import Installation
from appstore_analytics.answers.judged_dates import JudgedDates
from appstore_analytics.answers.kpi_reporting import Installed
from appstore_analytics.contract.kpis import KPIS_BY_NAME
from appstore_console.http.asked import Asked


def deployed(here: Installation, metrics: Iterable[str]) -> tuple[str, ...]:
    """Those of these KPIs whose tables are fetched here."""
    return tuple(name for name in metrics if all(table in here.tables for table in KPIS_BY_NAME[name].tables))


def today(asked: Asked) -> date:
    """The day, in UTC."""
    return asked.now.date()


def checks_for(asked: Asked) -> Checks:
    """What the checks of freshness tell of these apps."""
    return read_checks(asked.console.installation.lake, asked.seen, today(asked), asked.console.remembered)


def kpi_sources(asked: Asked, checks: Checks) -> Installed:
    """What KPIs are answered from; the stored sum over all apps only for whoever sees all of them."""
    here = asked.console.installation
    return Installed.of(here, None if asked.app_ids is None else asked.accounts, checks)


def judged_for(asked: Asked, checks: Checks) -> JudgedDates:
    """The verdicts on Dates of these apps."""
    here = asked.console.installation
    return JudgedDates(asked.seen, checks, here.registry, here.lake, today(asked), asked.console.remembered)

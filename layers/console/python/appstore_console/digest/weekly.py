"""One week for one set of apps: the API's numbers, over the newest seven final Dates of each KPI."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from appstore_analytics.answers.attention import Attention
from appstore_analytics.answers.checks import read_results
from appstore_analytics.answers.health import Looked, look
from appstore_analytics.answers.kpi_report import ReportedTotal
from appstore_analytics.answers.kpi_reporting import Installed, ReportQuestion, report_kpis
from appstore_analytics.answers.restatements import changed_since
from appstore_analytics.rules.kpi_periods import Compare
from appstore_console.console import Console
from appstore_console.digest.restated import RestatedTable, restated_tables
from appstore_console.http.asked import visible
from appstore_console.http.asked_answers import deployed
from appstore_console.schemas.requests import AppsParameters

DAYS = 7


@dataclass(frozen=True, slots=True)
class WeekLine:
    """One KPI of all the digest's apps together, compared with the seven Dates before."""

    title: str
    unit: str
    total: ReportedTotal


@dataclass(frozen=True, slots=True)
class Week:
    """`monday` is the first day of the week of sending, `apps` the number of apps, `attention` the problems.

    `restated` is what Apple changed within the last seven days, of Dates that were final.
    """

    monday: date
    apps: int
    lines: tuple[WeekLine, ...]
    restated: tuple[RestatedTable, ...]
    attention: tuple[Attention, ...]


def monday_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def week_of(console: Console, app_ids: frozenset[str] | None) -> Week:
    """The week of these apps, of all for None; it contains nothing about other apps."""
    here, now = console.installation, console.clock()
    accounts = visible(here.accounts, app_ids)
    seen = tuple(app_id for account in accounts for app_id in account.app_ids)
    is_whole = app_ids is None
    checks = partial(read_results, here.lake, seen, now.date(), console.remembered)
    sources = Installed.of(here, None if is_whole else accounts, checks)
    lines = _lines(deployed(here, AppsParameters().metrics), sources, now.date())
    at = Looked(accounts, here.tables, here.app_names, is_whole=is_whole)
    health = look(here.pipeline, at, now.date(), now, console.remembered)
    changes = changed_since(accounts, here.lake, here.app_names, now.date() - timedelta(days=DAYS - 1))
    return Week(monday_of(now.date()), len(seen), lines, restated_tables(changes), health.attention)


def _lines(metrics: tuple[str, ...], sources: Installed, today: date) -> tuple[WeekLine, ...]:
    """None if no table of a main KPI is fetched."""
    if not metrics:
        return ()
    report = report_kpis(ReportQuestion(metrics, days=DAYS, compare=Compare.PREVIOUS), sources, today)
    told = {kpi.name: kpi for kpi in report.kpis}
    return tuple(WeekLine(told[one.kpi].title, told[one.kpi].unit, one.total) for one in report.series)

"""The apps with their numbers: one page of a table, filtered and sorted here so that every client gets the same."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.facts import counted
from appstore_analytics.answers.judged_dates import DATES_JUDGED, JudgedDates, JudgedTable
from appstore_analytics.answers.kpi_report import KpiReport, ReportedKpi, ReportedSeries
from appstore_analytics.answers.kpi_reporting import Installed, ReportQuestion, report_kpis, totals_by_app
from appstore_analytics.answers.kpis import BY_APP
from appstore_analytics.answers.pages import Page, cut
from appstore_analytics.answers.table_dates import main_first, newest_dates
from appstore_analytics.rules.calendar import preceding
from appstore_analytics.rules.date_verdicts import DateVerdict, rank, worst
from appstore_analytics.rules.kpi_periods import Compare
from appstore_analytics.rules.kpis import Value

ACTION = "action"
"""Used instead of a verdict to ask for all apps that need attention."""


@dataclass(frozen=True, slots=True)
class Period:
    """Dates from `start` to `end`, both included."""

    start: date
    end: date


@dataclass(frozen=True, slots=True)
class AppColumn:
    """One KPI column: its final Dates and an equally long period before. Each KPI has its own end."""

    name: str
    title: str
    unit: str
    bound: str
    trap: str
    period: Period
    previous_period: Period


@dataclass(frozen=True, slots=True)
class AppValue:
    """One KPI of one app over final Dates. None means unknown; zero is 0.

    `change` is relative to the previous value; for a KPI that is a share it is the difference. It is None if a value is
    unknown, if the previous value is 0, or if a Date is missing. `missing` counts missing due Dates.
    """

    value: Value | None
    change: float | None
    missing: int


@dataclass(frozen=True, slots=True)
class SparkPoint:
    """One Date of the small chart, which shows the first KPI; None without a value."""

    day: date
    value: Value | None
    is_final: bool


@dataclass(frozen=True, slots=True)
class AppRow:
    """One app. `tables` are its tables with a problem; every daily table is complete up to `complete_until`."""

    app_id: str
    app_name: str
    account: str
    verdict: DateVerdict
    tables: tuple[str, ...]
    complete_until: date | None
    metrics: Mapping[str, AppValue]
    spark: tuple[SparkPoint, ...]


@dataclass(frozen=True, slots=True)
class AppTable:
    """One page. `total` apps match the question, and the page begins at `offset` of them.

    `counts` covers all apps that match, whatever their verdict: `all`, `action` for those that need attention, and each
    verdict that occurs. `next` and `previous` are cursors of the other pages, empty if there is no such page.
    """

    total: int
    offset: int
    counts: Mapping[str, int]
    columns: tuple[AppColumn, ...]
    apps: tuple[AppRow, ...]
    next: str = ""
    previous: str = ""

    @property
    def is_good(self) -> bool:
        """Whether no app needs attention."""
        return not self.counts.get("action", 0)

    @property
    def sentence(self) -> str:
        """The number of apps, and of those that need attention."""
        apps = counted(self.counts.get("all", 0), "app")
        action = self.counts.get("action", 0)
        return f"{apps}, {action} of which need attention." if action else f"{apps}, and none needs attention."


@dataclass(frozen=True, slots=True)
class AppsQuestion:
    """A search for apps: `text` in their name or id, and the `verdict` (or ACTION); sorted by `sort`.

    `sort` is verdict, name, complete_until or one of the metrics. The numbers are of `days` final Dates. There are no
    metrics where no report with KPIs is fetched.
    """

    text: str
    verdict: str
    sort: str
    is_descending: bool
    metrics: tuple[str, ...]
    days: int
    page: Page


@dataclass(frozen=True, slots=True)
class _State:
    """The facts about one app besides its numbers."""

    app_id: str
    name: str
    account: str
    verdict: DateVerdict
    tables: tuple[str, ...]
    complete_until: date | None


def app_table(question: AppsQuestion, here: Installed, judged: JudgedDates, as_of: date) -> AppTable:
    """One page. Refused if the question names an unknown KPI, verdict or order."""
    _refuse_unknown(question)
    states = [state for state in _states(here, judged, as_of) if _matches(state, question.text)]
    counts = Counter(str(state.verdict) for state in states)
    chosen = [state for state in states if _has_verdict(state, question.verdict)]
    totals: Mapping[str, Value | None] = {}
    if question.sort in question.metrics:
        by_app = ReportQuestion((question.sort,), days=question.days, by=BY_APP)
        totals = totals_by_app(by_app, here, as_of)
    ordered = _sorted(chosen, question, totals)
    page = cut(ordered, question.page)
    report = _report(question, [state.app_id for state in page.rows], here, as_of) if question.metrics else None
    numbers = {(series.app_id, series.kpi): series for series in (report.series if report else ())}
    return AppTable(
        total=len(ordered),
        offset=page.offset,
        counts={
            "all": len(states),
            ACTION: sum(state.verdict.needs_action for state in states),
            **dict(sorted(counts.items(), key=lambda one: rank(DateVerdict(one[0])))),
        },
        columns=tuple(_columns(report)) if report else (),
        apps=tuple(_row(state, question.metrics, numbers) for state in page.rows),
        next=page.next,
        previous=page.previous,
    )


def _report(question: AppsQuestion, app_ids: Sequence[str], here: Installed, as_of: date) -> KpiReport:
    """The numbers of the apps of one page. For an empty page they are those of one app, because its columns need
    periods."""
    asked = tuple(app_ids) or here.app_ids[:1]
    compared = ReportQuestion(question.metrics, days=question.days, app_ids=asked, by=BY_APP, compare=Compare.PREVIOUS)
    return report_kpis(compared, here, as_of)


def _refuse_unknown(question: AppsQuestion) -> None:
    orders = ("verdict", "name", "complete_until", *question.metrics)
    if question.sort not in orders:
        raise Refused(f"sort must be one of {', '.join(orders)}, not '{question.sort[:40]}'.")
    if question.verdict not in ("", ACTION, *DateVerdict):
        raise Refused(f"verdict must be {ACTION} or one of {', '.join(DateVerdict)}, not '{question.verdict[:40]}'.")


def _states(here: Installed, judged: JudgedDates, as_of: date) -> Iterable[_State]:
    """Every app with the worst verdict of its daily tables, as on its own page; "not ready" before the first data."""
    tables = [judged.judge(table, newest_dates(as_of, DATES_JUDGED)) for table in main_first(here.tables)]
    until = _complete_until(tables)
    for account in here.accounts:
        for app_id in account.app_ids:
            odd = [table for table in tables if app_id in table.odd]
            found = {table.table.name: _verdicts(judged, app_id, table) for table in odd}
            bad = {name: worst(verdicts) for name, verdicts in found.items() if worst(verdicts).needs_action}
            has_come = len(odd) < len(tables) or any(map(_has_come, found.values()))
            verdict = worst(bad.values()) if bad else DateVerdict.FRESH if has_come else DateVerdict.NOT_READY
            complete = _own_until(judged, app_id, odd, until)
            name = here.names.get(app_id, "")
            yield _State(app_id, name, account.name, verdict, tuple(bad), complete)


def _complete_until(tables: Sequence[JudgedTable]) -> date | None:
    """The Date up to which all apps without a problem are complete."""
    until = [table.most_until for table in tables]
    return min((day for day in until if day), default=None) if all(until) else None


def _verdicts(judged: JudgedDates, app_id: str, table: JudgedTable) -> list[DateVerdict]:
    return [verdict for _, verdict in judged.verdicts(app_id, table.table, list(table.counts))]


def _has_come(verdicts: Iterable[DateVerdict]) -> bool:
    """Whether Apple has sent anything, even if its Date is still growing."""
    return any(verdict not in (DateVerdict.NOT_READY, DateVerdict.NONE) for verdict in verdicts)


def _own_until(judged: JudgedDates, app_id: str, odd: Sequence[JudgedTable], until: date | None) -> date | None:
    """The Date before the first Date that one of its tables lacks."""
    first_open = [
        preceding(day, table.table.granularity)
        for table in odd
        for day, verdict in judged.verdicts(app_id, table.table, list(table.counts))
        if verdict.needs_action
    ]
    return min([*first_open, *([until] if until else [])], default=None)


def _matches(state: _State, text: str) -> bool:
    wanted = text.strip().casefold()
    return wanted in state.name.casefold() or wanted in state.app_id


def _has_verdict(state: _State, verdict: str) -> bool:
    return state.verdict.needs_action if verdict == ACTION else verdict in ("", state.verdict)


def _sorted(states: Iterable[_State], question: AppsQuestion, totals: Mapping[str, Value | None]) -> list[_State]:
    """Rows in the requested order; unknown values come last in either direction, equal ones are ordered by id."""

    def total(state: _State) -> Any:
        return totals.get(state.app_id)

    keys: Mapping[str, Callable[[_State], Any]] = {
        "verdict": lambda state: -rank(state.verdict),
        "name": lambda state: (state.name.casefold(), state.name),
        "complete_until": lambda state: state.complete_until,
    }
    key = keys.get(question.sort, total)
    by_id = sorted(states, key=lambda state: int(state.app_id))
    known = [state for state in by_id if key(state) is not None]
    known.sort(key=key, reverse=question.is_descending)
    return known + [state for state in by_id if key(state) is None]


def _columns(report: KpiReport) -> Iterable[AppColumn]:
    for kpi in report.kpis:
        totals = [series.total for series in report.series if series.kpi == kpi.name]
        start = min((total.start for total in totals if total.start), default=report.start)
        end = max((total.end for total in totals if total.end), default=report.start)
        yield _column(kpi, start, end)


def _column(kpi: ReportedKpi, start: date, end: date) -> AppColumn:
    days = end - start
    one = date.resolution
    return AppColumn(
        name=kpi.name,
        title=kpi.title,
        unit=kpi.unit,
        bound=kpi.bound,
        trap=kpi.trap,
        period=Period(start, end),
        previous_period=Period(start - days - one, start - one),
    )


def _row(state: _State, metrics: Sequence[str], numbers: Mapping[tuple[str, str], ReportedSeries]) -> AppRow:
    series = {name: numbers[state.app_id, name] for name in metrics if (state.app_id, name) in numbers}
    return AppRow(
        app_id=state.app_id,
        app_name=state.name,
        account=state.account,
        verdict=state.verdict,
        tables=state.tables,
        complete_until=state.complete_until,
        metrics={name: AppValue(one.total.value, one.total.change, one.total.missing) for name, one in series.items()},
        spark=tuple(
            SparkPoint(point.day, point.value, point.is_final)
            for point in (series[metrics[0]].points if metrics and metrics[0] in series else ())
        ),
    )

"""`kpis`: KPIs per Date, from the stored amounts, with the state of each Date.

It makes no call to Apple or Athena. A Date without rows is zero or missing by the rule of `gaps`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches

from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.facts import counted
from appstore_analytics.answers.kpi_restated import RestatedDates
from appstore_analytics.answers.kpi_sheet import AppGroup, Sheet, read_sheet
from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.kpis import KPIS_BY_NAME
from appstore_analytics.contract.kpis.definition import LAST_DAY_SINCE_DOWNLOAD, Basis, Dimension, Kpi
from appstore_analytics.contract.kpis.stored import PORTFOLIO
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.restatements import read_restatements
from appstore_analytics.model.kpis import DateState
from appstore_analytics.registry import Registry
from appstore_analytics.rules.calendar import dates_between
from appstore_analytics.rules.kpis import Value, adds_up_over_dates

BY_APP = "app"
"""Splits a question by app instead of by a dimension: a series for each app."""

MOST_DATES = 800


@dataclass(frozen=True, slots=True)
class KpiQuestion:
    """The requested KPIs (names of the catalogue), for the Dates from `start` to `end`, both included.

    `app_ids` are added up; without any, all apps are. `by` is empty, a dimension, or `BY_APP`.
    """

    metrics: tuple[str, ...]
    start: date
    end: date
    app_ids: tuple[str, ...] = ()
    by: str = ""


@dataclass(frozen=True, slots=True)
class KpiMeaning:
    """Facts about a KPI's values, from the catalogue; `trap` is the caveat to show beside each of them."""

    name: str
    title: str
    unit: str
    kind: str
    bound: str
    formula: str
    trap: str


@dataclass(frozen=True, slots=True)
class KpiPoint:
    """The value of one Date; None if there is none, or if a divisor is 0.

    `apps_missing` is the number of apps that lack due data: the value is of the others. `reason` says why there is no
    value. `restated_on` and `restated_from` as in kpi_report.py.
    """

    day: date
    value: Value | None
    state: DateState
    apps_missing: int = 0
    reason: str = ""
    restated_from: Value | None = None
    restated_on: date | None = None


@dataclass(frozen=True, slots=True)
class KpiSeries:
    """One KPI of one app, or of several together if `app_id` is empty, for one value of the dimension.

    `slice` is None if Apple gives no value, and if no dimension was requested. `total` is the formula over all Dates
    with a value: None if that has no meaning, as for stocks and uniques. Up to `complete_until` every Date is final or
    zero.
    """

    kpi: str
    app_id: str
    slice: str | None
    total: Value | None
    complete_until: date | None
    points: tuple[KpiPoint, ...]


@dataclass(frozen=True, slots=True)
class KpiAnswer:
    """The series, KPI by KPI in the requested order; a dimension's values in their order, null last."""

    start: date
    end: date
    by: str
    kpis: tuple[KpiMeaning, ...]
    series: tuple[KpiSeries, ...]
    notices: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Whether every due Date has its value."""
        return not self._lacking()

    @property
    def sentence(self) -> str:
        """The number of due Dates without a value, and notices about the stored KPIs."""
        lacking = len(self._lacking())
        said = f"{counted(lacking, 'due Date')} without a value." if lacking else "Every due Date has its value."
        return " ".join((said, *self.notices))

    def _lacking(self) -> set[tuple[str, date]]:
        return {
            (series.kpi, point.day)
            for series in self.series
            for point in series.points
            if not point.state.has_value and point.state is not DateState.NOT_DUE
        }


def ask_kpis(
    question: KpiQuestion,
    accounts: Sequence[Account],
    tables: Sequence[CuratedTable],
    registry: Registry,
    lake: Bucket,
    as_of: date,
) -> KpiAnswer:
    """The answer to `question` for these accounts' apps and the deployed `tables`, as known before the runs of `as_of`.

    Refused if the question names something that does not exist, or that is not deployed.
    """
    known = [app_id for account in accounts for app_id in account.app_ids]
    kpis = asked_kpis(question, known, tables)
    groups = _groups(question, known)
    sheet = read_sheet(kpis, question.by, groups, question.start, question.end, registry, lake, as_of)
    stored = _Stored(sheet, RestatedDates(read_restatements(lake, question.start)))
    series = tuple(one for kpi in kpis for group in groups for one in _series(kpi, question, group, stored))
    return KpiAnswer(
        question.start, question.end, question.by, tuple(map(_meaning, kpis)), series, tuple(notices(_states(series)))
    )


def asked_kpis(question: KpiQuestion, known: Sequence[str], tables: Sequence[CuratedTable]) -> tuple[Kpi, ...]:
    """The KPIs of a question, without duplicates; Refused if one does not exist or is not deployed."""
    if question.start > question.end:
        raise Refused(f"The first Date {question.start} must not be after the last Date {question.end}.")
    if (question.end - question.start).days >= MOST_DATES:
        raise Refused(f"At most {MOST_DATES} Dates are allowed in one question.")
    if unknown := [app_id for app_id in question.app_ids if app_id not in known]:
        raise Refused(f"App {unknown[0]} is not known: ./manage.py apps lists those that are.")
    if not question.metrics:
        raise Refused("No KPI is given: docs/kpis.md lists them.")
    return tuple(_checked(name, question.by, tables) for name in dict.fromkeys(question.metrics))


def _checked(name: str, by: str, tables: Sequence[CuratedTable]) -> Kpi:
    kpi = KPIS_BY_NAME.get(name)
    if kpi is None:
        close = get_close_matches(name, KPIS_BY_NAME, 3)
        hint = f"did you mean {' or '.join(close)}?" if close else "docs/kpis.md lists them."
        raise Refused(f"There is no KPI '{name}': {hint}")
    if by not in ("", BY_APP, *kpi.dimensions):
        allowed = ", ".join((BY_APP, *kpi.dimensions))
        raise Refused(f"{name} cannot be split by '{by}': its sources allow {allowed}.")
    if absent := [table for table in kpi.tables if table not in tables]:
        table = absent[0]
        raise Refused(
            f"{name} is computed from the table {table.name}, which is not deployed: it takes the report "
            f"'{table.report.name}' in reports and {table.granularity} in granularities of cdk.json."
        )
    return kpi


def _groups(question: KpiQuestion, known: Sequence[str]) -> list[AppGroup]:
    if question.by == BY_APP:
        return [AppGroup(app_id, (int(app_id),), (int(app_id),)) for app_id in question.app_ids or known]
    if question.app_ids:
        apps = tuple(int(app_id) for app_id in dict.fromkeys(question.app_ids))
        return [AppGroup(question.app_ids[0] if len(apps) == 1 else "", apps, apps)]
    return [AppGroup("", (PORTFOLIO,), tuple(map(int, known)))]


@dataclass(frozen=True, slots=True)
class _Stored:
    """The amounts of the Dates, and the changes after they were final."""

    sheet: Sheet
    restated: RestatedDates


def _series(kpi: Kpi, question: KpiQuestion, group: AppGroup, stored: _Stored) -> Iterator[KpiSeries]:
    days, sheet = dates_between(question.start, question.end, kpi.granularity), stored.sheet
    is_split = question.by not in ("", BY_APP)
    for value in _slices(kpi, question.by, group, sheet):
        points = tuple(_point(kpi, day, group, value, stored, is_split=is_split) for day in days)
        valued = [point.day for point in points if point.state.has_value]
        total = sheet.value(kpi, valued, group, value) if len(valued) == 1 or adds_up_over_dates(kpi) else None
        yield KpiSeries(kpi.name, group.app_id, value, total if valued else None, _complete_until(points), points)


def _slices(kpi: Kpi, by: str, group: AppGroup, sheet: Sheet) -> Iterable[str | None]:
    if kpi.basis is Basis.COHORT:
        return [str(number) for number in range(LAST_DAY_SINCE_DOWNLOAD + 1)]
    if by in ("", BY_APP):
        return (None,)
    found = sheet.values_of(kpi, group)
    if by == Dimension.DAYS_SINCE_DOWNLOAD:
        return sorted(found, key=lambda value: (value is None, int(value or 0)))
    return sorted(found, key=lambda value: (value is None, value or ""))


def _point(kpi: Kpi, day: date, group: AppGroup, value: str | None, stored: _Stored, *, is_split: bool) -> KpiPoint:
    sheet = stored.sheet
    told = sheet.told(kpi, day, group, value)
    number = sheet.value(kpi, [day], group, value) if told.state.has_value else None
    point = KpiPoint(day, number, told.state, told.apps_missing, told.reason)
    if told.state not in (DateState.FINAL, DateState.ZERO):
        return point
    former = stored.restated.former(sheet, kpi, [day], group, is_split=is_split)
    return replace(point, restated_from=former.value, restated_on=former.changed_on) if former else point


def _complete_until(points: Sequence[KpiPoint]) -> date | None:
    """The last Date up to which all are complete. Dates before the app's first do not count as gaps."""
    newest = None
    for point in points:
        if point.state in (DateState.FINAL, DateState.ZERO):
            newest = point.day
        elif newest is not None or point.state is not DateState.NOT_DUE:
            break
    return newest


def _meaning(kpi: Kpi) -> KpiMeaning:
    return KpiMeaning(kpi.name, kpi.title, kpi.unit, kpi.additivity, kpi.bound or "", kpi.formula, kpi.trap)


def _states(series: Iterable[KpiSeries]) -> Iterator[tuple[date, DateState]]:
    return ((point.day, point.state) for one in series for point in one.points)


def notices(states: Iterable[tuple[date, DateState]]) -> Iterator[str]:
    """Notices about the stored KPIs of these Dates."""
    days: dict[DateState, set[date]] = {}
    for day, state in states:
        days.setdefault(state, set()).add(day)
    if built := days.get(DateState.NOT_BUILT):
        yield (
            f"KPIs not built yet for {counted(len(built), 'Date')}: the daily runs build them, "
            "and ./manage.py rebuild-kpis builds them now."
        )
    if replaced := days.get(DateState.BEING_REPLACED):
        yield f"{counted(len(replaced), 'Date')} being replaced: ask again when the run has ended."

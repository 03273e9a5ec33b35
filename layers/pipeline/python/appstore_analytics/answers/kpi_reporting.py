"""The answer to a KPI question for people and programs; `kpi_report.py` describes its contents.

question ─► KPIs, apps, dimension ─► Dates to read ─► sheet ─► series: points, total, the period before
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, partial
from typing import Self

from appstore_analytics.answers.checks import NO_CHECKS, Checks, ChecksSince
from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.installation import Installation
from appstore_analytics.answers.kpi_cells import AppColumns, Cells, SheetCells
from appstore_analytics.answers.kpi_report import KpiReport, ReportedKpi, ReportedSeries
from appstore_analytics.answers.kpi_restated import Former, RestatedDates
from appstore_analytics.answers.kpi_series import SeriesOf
from appstore_analytics.answers.kpi_sheet import AppGroup, KnownDates, Sheet, read_amounts
from appstore_analytics.answers.kpis import BY_APP, KpiQuestion, asked_kpis, notices
from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.kpis.definition import LAST_DAY_SINCE_DOWNLOAD, Additivity, Basis, Dimension, Kpi
from appstore_analytics.contract.kpis.question_sql import SqlQuestion, question_sql
from appstore_analytics.contract.kpis.stored import PORTFOLIO
from appstore_analytics.contract.names import Database
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.restatements import read_restatements
from appstore_analytics.registry import Registry
from appstore_analytics.rules.kpi_periods import Compare, Point, Step, moved, points_of
from appstore_analytics.rules.kpis import Value, adds_up_over_dates

_DAYS = 28
_SETTLED_WITHIN = timedelta(days=12)
"""Every daily KPI is final this many days after its Date: the longest window has five days, and a run can fail."""


@dataclass(frozen=True, slots=True)
class ReportQuestion:
    """The requested KPIs and Dates: from `start` to `end`, or the newest `days` final Dates and those after them.

    `app_ids` are added up; without any, all apps are. `by` is empty, a dimension, or `BY_APP`. `where` is one value of
    one dimension, such as `territory:US`; an empty value is Apple's null. The `limit` largest values of a dimension are
    returned separately, and all others as one.
    """

    metrics: tuple[str, ...]
    start: date | None = None
    end: date | None = None
    days: int | None = None
    app_ids: tuple[str, ...] = ()
    by: str = ""
    where: str = ""
    compare: Compare | None = None
    step: Step = Step.DAY
    limit: int | None = None


def no_checks(_: date) -> Checks:
    """For few apps: the ledger tells more."""
    return NO_CHECKS


@dataclass(frozen=True)
class Installed:
    """The sources of an answer: the visible apps, and the location of their numbers.

    `is_whole`: these are all apps of the installation, so the stored sum over all apps can be used.
    """

    accounts: tuple[Account, ...]
    is_whole: bool
    tables: tuple[CuratedTable, ...]
    registry: Registry
    lake: Bucket
    names: Mapping[str, str]
    databases: Mapping[Database, str]
    checks: ChecksSince = no_checks

    @classmethod
    def of(
        cls, here: Installation, accounts: tuple[Account, ...] | None = None, checks: ChecksSince = no_checks
    ) -> Self:
        """The whole installation, or only the apps of these accounts."""
        return cls(
            here.accounts if accounts is None else accounts,
            accounts is None,
            here.tables,
            here.registry,
            here.lake,
            here.app_names,
            here.databases,
            checks,
        )

    @cached_property
    def app_ids(self) -> tuple[str, ...]:
        """The visible apps."""
        return tuple(app_id for account in self.accounts for app_id in account.app_ids)


def report_kpis(question: ReportQuestion, here: Installed, as_of: date) -> KpiReport:
    """The report, as known before the runs of `as_of`. Refused if the question names something that does not exist."""
    return _Reporting(question, here, as_of).report()


def totals_by_app(question: ReportQuestion, here: Installed, as_of: date) -> dict[str, Value | None]:
    """The total of the question's one KPI for each app, without any series, to sort a thousand apps."""
    return _Reporting(question, here, as_of).totals()


@dataclass(frozen=True)
class _Reporting:
    question: ReportQuestion
    here: Installed
    as_of: date

    def report(self) -> KpiReport:
        points = {kpi.name: self._points(kpi) for kpi in self.kpis}
        series = tuple(one for kpi in self.kpis for one in self._series(kpi, points[kpi.name]))
        every = [point for of in points.values() for point in of]
        kpis = tuple(self._meaning(kpi, points[kpi.name]) for kpi in self.kpis)
        compared = [day for point in every for day in point.before] if self.question.compare else []
        until = [one.complete_until for one in series]
        return KpiReport(
            start=min((point.dates[0] for point in every), default=self.end),
            end=max((point.dates[-1] for point in every), default=self.end),
            granularity=self.question.step,
            by=self.question.by,
            where=self.question.where,
            previous_start=min(compared, default=None),
            previous_end=max(compared, default=None),
            complete_until=min((day for day in until if day), default=None) if all(until) else None,
            most_until=min(self.final_until.values(), default=None),
            apps=len(self.apps),
            apps_complete=len(self.apps) - max((p.apps_missing for one in series for p in one.points), default=0),
            kpis=kpis,
            series=series,
            notices=tuple(notices((point.day, point.state) for one in series for point in one.points)),
            trap=" ".join(dict.fromkeys(kpi.trap for kpi in kpis)),
            sql=";\n\n".join(kpi.sql for kpi in kpis),
        )

    # The question

    @cached_property
    def kpis(self) -> tuple[Kpi, ...]:
        """The KPIs; Refused if one does not exist, is not deployed, or does not support the question."""
        question = self.question
        by = self.dimension or question.by
        found = asked_kpis(
            KpiQuestion(question.metrics, self.start, self.end, question.app_ids, by),
            self.here.app_ids,
            self.here.tables,
        )
        for kpi in found:
            _refuse_periods(kpi, question.step)
        return found

    @cached_property
    def where(self) -> tuple[str, str | None] | None:
        """The dimension and the value of `where`."""
        if not self.question.where:
            return None
        dimension, colon, value = self.question.where.partition(":")
        if not colon:
            raise Refused(f"where must be a dimension and a value such as territory:US, not '{dimension[:40]}'.")
        if dimension == BY_APP:
            raise Refused("where takes a dimension: use apps to select apps.")
        if self.question.by not in ("", BY_APP, dimension):
            raise Refused("where and by must use the same dimension: amounts are stored by one dimension at a time.")
        return dimension, value or None

    @property
    def dimension(self) -> str:
        """The dimension whose values are read; empty for none."""
        if self.where:
            return self.where[0]
        return "" if self.question.by == BY_APP else self.question.by

    @property
    def apps(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.question.app_ids)) or self.here.app_ids

    @cached_property
    def groups(self) -> list[AppGroup]:
        """The apps of each series. The stored sum over all apps is used only if all of them are visible."""
        apps = tuple(map(int, self.apps))
        if self.question.by == BY_APP:
            return [AppGroup(str(app_id), (app_id,), (app_id,)) for app_id in apps]
        if not self.question.app_ids and self.here.is_whole:
            return [AppGroup("", (PORTFOLIO,), apps)]
        return [AppGroup(str(apps[0]) if len(apps) == 1 else "", apps, apps)]

    # The Dates

    @property
    def end(self) -> date:
        return self.question.end or self.as_of - timedelta(days=1)

    @property
    def start(self) -> date:
        """The first requested Date; with `days` the earliest that can be one of them."""
        if self.question.days:
            return self.end - timedelta(days=self.question.days) - _SETTLED_WITHIN
        return self.question.start or self.end - timedelta(days=_DAYS - 1)

    @cached_property
    def sheet(self) -> Sheet:
        """The stored amounts for all Dates of the points and their counterparts."""
        first = min(point.before[0] for kpi in self.kpis for point in self._all_points(kpi))
        first = first if self.question.compare else min(p.dates[0] for k in self.kpis for p in self._all_points(k))
        known = KnownDates(self.here.registry, self.here.lake, self.as_of, self.here.checks(first))
        return read_amounts(self.kpis, self.dimension, self.groups, (first, self.end), self.here.lake, known)

    @cached_property
    def restated(self) -> RestatedDates:
        """The changes that runs made to Dates that were final."""
        return RestatedDates(read_restatements(self.here.lake, self.start))

    def _all_points(self, kpi: Kpi) -> list[Point]:
        return points_of(kpi, self.question.step, self.start, self.end, self.question.compare)

    @cached_property
    def final_until(self) -> dict[str, date]:
        """For each KPI, the newest Date that Apple has completed; if nothing is stored, the Date before the first."""
        before = self.start - timedelta(days=1)
        return {kpi.name: min(self.sheet.final_until(kpi) or before, self.end) for kpi in self.kpis}

    def _points(self, kpi: Kpi) -> list[Point]:
        if not self.question.days:
            return self._all_points(kpi)
        back = timedelta(days=self.question.days - 1)
        start = max(self.final_until[kpi.name] - back, self.start)
        closed = points_of(kpi, self.question.step, start, self.final_until[kpi.name], self.question.compare)
        opened = points_of(kpi, self.question.step, start, self.end, self.question.compare)
        known = {point.day: point for point in closed}
        return [known.get(point.day) or moved(point, closed) for point in opened]

    # The series

    def _series(self, kpi: Kpi, points: Sequence[Point]) -> Iterator[ReportedSeries]:
        if len(self.groups) > 1 and AppColumns.can_hold(self.sheet, kpi):
            columns = AppColumns(self.sheet, kpi, self.groups)
            yield from (self._one(cells, points, None) for cells in columns.cells())
            return
        for group in self.groups:
            slices = self._slices(kpi, group)
            if len(slices) > 1 and kpi.basis is not Basis.COHORT:
                yield from self._largest(kpi, group, slices, points)
            else:
                cells = ((value, SheetCells(self.sheet, kpi, group, (value,))) for value in slices)
                yield from (self._one(each, points, value) for value, each in cells)

    def totals(self) -> dict[str, Value | None]:
        """The total of the first KPI, by app."""
        kpi = self.kpis[0]
        points, until = tuple(self._points(kpi)), self.final_until[kpi.name]
        cells: Iterable[Cells] = (SheetCells(self.sheet, kpi, group, (None,)) for group in self.groups)
        if AppColumns.can_hold(self.sheet, kpi):
            cells = AppColumns(self.sheet, kpi, self.groups).cells()
        return {each.app_id: SeriesOf(each, points, until, is_compared=False).total().value for each in cells}

    def _slices(self, kpi: Kpi, group: AppGroup) -> list[str | None]:
        if self.where and kpi.basis is not Basis.COHORT:
            return [self.where[1]]
        if kpi.basis is Basis.COHORT:
            return [str(number) for number in range(LAST_DAY_SINCE_DOWNLOAD + 1)]
        if not self.dimension:
            return [None]
        found = self.sheet.values_of(kpi, group)
        if self.dimension == Dimension.DAYS_SINCE_DOWNLOAD:
            return sorted(found, key=lambda value: (value is None, int(value or 0)))
        return sorted(found, key=lambda value: (value is None, value or ""))

    def _largest(
        self, kpi: Kpi, group: AppGroup, slices: Sequence[str | None], points: Sequence[Point]
    ) -> Iterator[ReportedSeries]:
        """The largest values first, the others as one series."""
        every = [self._one(SheetCells(self.sheet, kpi, group, (value,)), points, value) for value in slices]
        if self.dimension != Dimension.DAYS_SINCE_DOWNLOAD:
            every.sort(key=_size, reverse=True)
        limit = self.question.limit or len(every)
        yield from every[:limit]
        if rest := tuple(one.slice for one in every[limit:]):
            yield self._one(SheetCells(self.sheet, kpi, group, rest), points, None, is_rest=True)

    def _one(
        self, cells: Cells, points: Sequence[Point], value: str | None, *, is_rest: bool = False
    ) -> ReportedSeries:
        late_days = int(value or 0) if cells.kpi.basis is Basis.COHORT else 0
        is_compared = self.question.compare is not None
        series = SeriesOf(
            cells, tuple(points), self.final_until[cells.kpi.name], is_compared, late_days, partial(self._former, cells)
        )
        return series.reported(self.here.names.get(cells.app_id, ""), value, is_rest=is_rest)

    def _former(self, cells: Cells, days: Sequence[date]) -> Former | None:
        """The value before Apple changed it, if it did."""
        return self.restated.former(self.sheet, cells.kpi, days, cells.group, is_split=bool(self.dimension))

    def _meaning(self, kpi: Kpi, points: Sequence[Point]) -> ReportedKpi:
        days = [day for point in points for day in point.dates] or [self.end]
        split = kpi.basis is not Basis.COHORT and self.dimension in kpi.dimensions
        asked = SqlQuestion(
            days[0],
            days[-1],
            () if self.here.is_whole and not self.question.app_ids else self.apps,
            self.question.by == BY_APP,
            self.dimension if split else None,
            only=bool(self.where),
            value=self.where[1] if self.where else None,
        )
        return ReportedKpi(
            name=kpi.name,
            title=kpi.title,
            unit=kpi.unit,
            kind=kpi.additivity,
            bound=kpi.precision,
            formula=kpi.formula,
            trap=kpi.trap,
            tables=tuple(table.name for table in kpi.tables),
            dimensions=tuple(map(str, kpi.dimensions)),
            sql=question_sql(kpi, asked, self.here.databases),
        )


def _refuse_periods(kpi: Kpi, step: Step) -> None:
    """Refuse KPIs that have no value for a week or a month."""
    if kpi.granularity is not Granularity.DAILY:
        if step is Step.MONTH and kpi.granularity is Granularity.WEEKLY:
            raise Refused(f"{kpi.name} is weekly, and weeks do not add up to months: ask for it by week.")
        return
    if step is Step.DAY or kpi.additivity is Additivity.STOCK or adds_up_over_dates(kpi):
        return
    instead = kpi.weekly if step is Step.WEEK else kpi.monthly
    hint = f"ask for {instead}." if instead else "ask for it by day."
    raise Refused(f"{kpi.name} of Dates does not add up to a {step}: {hint}")


def _moved(point: Point, closed: Sequence[Point]) -> Point:
    """For a point after the final ones, the counterpart has the same distance as for final ones."""
    if not closed:
        return point
    back = closed[-1].dates[0] - closed[-1].before[0]
    return Point(point.day, point.dates, tuple(day - back for day in point.dates), point.is_whole)


def _size(series: ReportedSeries) -> tuple[bool, float]:
    value = series.total.value
    return value is not None, float(value or 0)

"""KPIs for people and programs: series with the period before, totals over final Dates, and SQL for Athena."""

from dataclasses import dataclass
from datetime import date

from appstore_analytics.answers.facts import counted
from appstore_analytics.model.kpis import DateState, Number
from appstore_analytics.rules.kpis import Value


@dataclass(frozen=True, slots=True)
class ReportedKpi:
    """Facts about a KPI's values. `bound` is exact, at least, at most or estimate, and applies to each of them.

    It is computed from `tables`, and can be split by `dimensions`. `trap` is the caveat to show beside every value,
    `sql` the same question for Athena.
    """

    name: str
    title: str
    unit: str
    kind: str
    bound: str
    formula: str
    trap: str
    tables: tuple[str, ...]
    dimensions: tuple[str, ...]
    sql: str


@dataclass(frozen=True, slots=True)
class RestatedSum:
    """The total of a measure of a table when Apple first called the Date final, and now."""

    table_name: str
    measure: str
    before: Number
    now: Number


@dataclass(frozen=True, slots=True)
class ReportedPoint:
    """One Date, or the first Date of a week or month.

    `previous` is the value of the corresponding Date in the period before. `restated_on` is the day on which Apple last
    changed a Date that had been final, None if it changed none. `restated_from` is the value computed from the numbers
    that were final first. It is None if the KPI counts only some rows or is split, because only totals of the earlier
    rows are kept: `restated_sums` has them, summed over the apps whose numbers changed.
    """

    day: date
    value: Value | None
    state: DateState
    is_final: bool
    bound: str
    apps_missing: int = 0
    reason: str = ""
    previous: Value | None = None
    restated_from: Value | None = None
    restated_on: date | None = None
    restated_sums: tuple[RestatedSum, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportedTotal:
    """The formula over all final Dates from `start` to `end`; None for KPIs without one, such as stocks and uniques.

    `missing` counts due Dates among them without a value. `previous` is over the corresponding Dates in the period
    before. `change` is relative to it; for a KPI that is a share it is the difference. It is None if one of the two is
    unknown, if `previous` is 0, or if a Date of either period is missing.
    """

    value: Value | None
    bound: str
    start: date | None
    end: date | None
    missing: int
    previous: Value | None = None
    change: float | None = None


@dataclass(frozen=True, slots=True)
class ReportedSeries:
    """One KPI of one app, or of all requested apps if `app_id` is empty, for one value of the dimension.

    `slice` is None if Apple gives no value, and if no dimension was requested; `is_rest` marks the sum of the values
    beyond the limit.
    """

    kpi: str
    app_id: str
    app_name: str
    slice: str | None
    is_rest: bool
    complete_until: date | None
    total: ReportedTotal
    points: tuple[ReportedPoint, ...]


@dataclass(frozen=True, slots=True)
class KpiReport:
    """The series, KPI by KPI in the requested order; within a dimension the largest totals first, the rest last.

    Every Date up to `complete_until` is complete for every KPI and app, up to `most_until` for `apps_complete` of
    `apps`. The previous period is None unless a comparison was requested. `trap` and `sql` cover all KPIs.
    """

    start: date
    end: date
    granularity: str
    by: str
    where: str
    previous_start: date | None
    previous_end: date | None
    complete_until: date | None
    most_until: date | None
    apps: int
    apps_complete: int
    kpis: tuple[ReportedKpi, ...]
    series: tuple[ReportedSeries, ...]
    notices: tuple[str, ...]
    trap: str
    sql: str

    @property
    def is_good(self) -> bool:
        """Whether every due Date has its value."""
        return not self._lacking

    @property
    def sentence(self) -> str:
        """The number of due Dates without a value, and notices about the stored KPIs."""
        lacking = self._lacking
        said = f"{counted(lacking, 'due Date')} without a value." if lacking else "Every due Date has its value."
        return " ".join((said, *self.notices))

    @property
    def _lacking(self) -> int:
        return len(
            {
                (series.kpi, point.day)
                for series in self.series
                for point in series.points
                if not point.state.has_value and point.state is not DateState.NOT_DUE
            }
        )

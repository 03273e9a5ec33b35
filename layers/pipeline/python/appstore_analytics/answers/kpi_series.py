"""One series of a KPI report: its points with their counterparts, and the totals of both periods."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from appstore_analytics.answers.kpi_cells import Cells, value_over, valued_days
from appstore_analytics.answers.kpi_report import ReportedPoint, ReportedSeries, ReportedTotal
from appstore_analytics.answers.kpi_restated import Former
from appstore_analytics.answers.kpi_sheet import Told
from appstore_analytics.contract.kpis.definition import Additivity, Kpi, Unit
from appstore_analytics.model.kpis import DateState
from appstore_analytics.rules.kpi_periods import Point
from appstore_analytics.rules.kpis import Value, worst

_FINAL = (DateState.FINAL, DateState.ZERO)


@dataclass(frozen=True)
class SeriesOf:
    """The cells of these points. `final_until` is the newest Date that Apple has completed.

    `late_days` is how many days after its own Date a point is complete: n for day n since a download. `former` gives
    the value that some Dates had before Apple changed it.
    """

    cells: Cells
    points: tuple[Point, ...]
    final_until: date
    is_compared: bool
    late_days: int = 0
    former: Callable[[Sequence[date]], Former | None] | None = None

    @property
    def kpi(self) -> Kpi:
        """The KPI."""
        return self.cells.kpi

    def reported(self, app_name: str, value: str | None, *, is_rest: bool) -> ReportedSeries:
        """The series for this value of the dimension, or for all remaining values."""
        points = tuple(map(self._point, self.points))
        return ReportedSeries(
            kpi=self.kpi.name,
            app_id=self.cells.app_id,
            app_name=app_name,
            slice=value,
            is_rest=is_rest,
            complete_until=_complete_until(self.points, points),
            total=self.total(),
            points=points,
        )

    def _point(self, point: Point) -> ReportedPoint:
        told = self._told(point.dates)
        state = DateState.PRELIMINARY if told.state in _FINAL and not point.is_whole else told.state
        former = self.former(valued_days(self.cells, point.dates)) if self.former and state in _FINAL else None
        return ReportedPoint(
            day=point.day,
            value=value_over(self.cells, point.dates),
            state=state,
            is_final=state in _FINAL,
            bound=self.kpi.precision,
            apps_missing=told.apps_missing,
            reason=told.reason,
            previous=value_over(self.cells, point.before) if self.is_compared else None,
            restated_from=former.value if former else None,
            restated_on=former.changed_on if former else None,
            restated_sums=former.sums if former else (),
        )

    def _told(self, days: Sequence[date]) -> Told:
        """The state of several Dates together: the worst state of those that have one."""
        every = [self.cells.told(day) for day in days]
        if len(every) == 1:
            return every[0]
        valued = [one for one in every if one.state.has_value]
        due = [one for one in every if one.state is not DateState.NOT_DUE]
        state = worst(one.state for one in valued or every)
        if valued and len(valued) < len(due):
            state = DateState.PRELIMINARY
        return Told(
            state, max(one.apps_missing for one in every), next((one.reason for one in every if one.reason), "")
        )

    def total(self) -> ReportedTotal:
        """The total over the Dates that Apple has completed, and over their counterparts; for a stock the last
        value."""
        closed = self._closed()
        days = [day for point in closed for day in point.dates]
        before = [day for point in closed for day in point.before]
        value, missing = value_over(self.cells, days), self._missing(days)
        first, last = min(days, default=None), max(days, default=None)
        if not self.is_compared:
            return ReportedTotal(value, self.kpi.precision, first, last, missing)
        previous = value_over(self.cells, before)
        is_whole = not missing and not self._missing(before)
        change = change_of(self.kpi, value, previous) if is_whole else None
        return ReportedTotal(value, self.kpi.precision, first, last, missing, previous, change)

    def _closed(self) -> list[Point]:
        """The points for which Apple has completed every Date."""
        until = self.final_until - timedelta(days=self.late_days)
        closed = [point for point in self.points if point.is_whole and point.dates[-1] <= until]
        return closed[-1:] if self.kpi.additivity is Additivity.STOCK else closed

    def _missing(self, days: Iterable[date]) -> int:
        """The number of due Dates that lack data."""
        told = map(self.cells.told, days)
        return sum(one.apps_missing > 0 or not (one.state.has_value or one.state is DateState.NOT_DUE) for one in told)


def change_of(kpi: Kpi, total: Value | None, previous: Value | None) -> float | None:
    """The relative change; for a KPI that is a share the difference. None if it is not defined."""
    if total is None or previous is None:
        return None
    if kpi.unit is Unit.SHARE:
        return float(total) - float(previous)
    return float(total) / float(previous) - 1 if previous else None


def _complete_until(points: Sequence[Point], reported: Sequence[ReportedPoint]) -> date | None:
    """Dates before the app's first Date do not count; counting ends at the first incomplete Date."""
    newest = None
    for point, told in zip(points, reported, strict=True):
        if told.is_final:
            newest = point.dates[-1]
        elif newest is not None or told.state is not DateState.NOT_DUE:
            break
    return newest

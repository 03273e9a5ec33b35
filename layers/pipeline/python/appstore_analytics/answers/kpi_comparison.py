"""`kpis --compare previous`: a period compared with the one of the same length before it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from appstore_analytics.answers.kpis import KpiAnswer, KpiQuestion, KpiSeries
from appstore_analytics.model.kpis import DateState
from appstore_analytics.rules.kpis import Value


@dataclass(frozen=True, slots=True)
class KpiChange:
    """The totals of one series in both periods. `change` is the quotient minus 1, as a share.

    None if one of the totals is unknown or the earlier one is 0. `is_final`: every Date of both periods is final or
    zero, so no change comes from Dates that Apple is still completing.
    """

    kpi: str
    app_id: str
    slice: str | None
    total: Value | None
    previous: Value | None
    change: float | None
    is_final: bool


@dataclass(frozen=True, slots=True)
class KpiComparison:
    """A period, the previous one with the same number of days, and the change of each series of the period."""

    current: KpiAnswer
    previous: KpiAnswer
    changes: tuple[KpiChange, ...]

    @property
    def is_good(self) -> bool:
        """Whether every due Date of both periods has its value."""
        return self.current.is_good and self.previous.is_good

    @property
    def sentence(self) -> str:
        """The sentence of the period's own answer, and whether the periods can be compared."""
        preliminary = (
            ""
            if all(one.is_final for one in self.changes)
            else " Some Dates are not final, so the changes are preliminary."
        )
        return f"{self.current.sentence}{preliminary}"


def compare_with_previous(question: KpiQuestion, ask: Callable[[KpiQuestion], KpiAnswer]) -> KpiComparison:
    """Answer the question for the period and for the days before; `ask` answers one question."""
    days = question.end - question.start + timedelta(days=1)
    current = ask(question)
    previous = ask(replace(question, start=question.start - days, end=question.end - days))
    before = {_identity(series): series for series in previous.series}
    changes = tuple(_change(series, before.get(_identity(series))) for series in current.series)
    return KpiComparison(current, previous, changes)


def _identity(series: KpiSeries) -> tuple[str, str, str | None]:
    return series.kpi, series.app_id, series.slice


def _change(now: KpiSeries, before: KpiSeries | None) -> KpiChange:
    total, previous = now.total, before.total if before else None
    change = None
    if total is not None and previous:
        change = float(Decimal(total) / Decimal(previous) - 1)
    is_final = before is not None and _is_final(now) and _is_final(before)
    return KpiChange(now.kpi, now.app_id, now.slice, total, previous, change, is_final)


def _is_final(series: KpiSeries) -> bool:
    return all(point.state in (DateState.FINAL, DateState.ZERO) for point in series.points)

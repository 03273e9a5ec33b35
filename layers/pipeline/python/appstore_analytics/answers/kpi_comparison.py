"""`kpis --compare previous`: a period compared with the one of the same length before it.

The length is counted in Dates of each KPI: a month is compared with the month before, not with as many days.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar

from appstore_analytics.answers.kpis import KpiAnswer, KpiQuestion, KpiSeries
from appstore_analytics.contract.kpis import KPIS_BY_NAME
from appstore_analytics.contract.kpis.definition import Kpi
from appstore_analytics.model.kpis import DateState
from appstore_analytics.rules.kpi_periods import Compare, Step, points_of
from appstore_analytics.rules.kpis import Value

_T = TypeVar("_T")


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
    """A period, the previous one with the same number of Dates, and the change of each series of the period."""

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
    """Answer the question for the period and for the Dates before; `ask` answers one question."""
    current = ask(question)
    previous = _together([ask(each) for each in _previous(question)])
    before = {_identity(series): series for series in previous.series}
    changes = tuple(_change(series, before.get(_identity(series))) for series in current.series)
    return KpiComparison(current, previous, changes)


def _previous(question: KpiQuestion) -> Iterator[KpiQuestion]:
    """The questions about the Dates before, one for the KPIs of each granularity, in their order."""
    kpis = [KPIS_BY_NAME[name] for name in dict.fromkeys(question.metrics)]
    for granularity in dict.fromkeys(kpi.granularity for kpi in kpis):
        alike = [kpi for kpi in kpis if kpi.granularity is granularity]
        start, end = _dates_before(alike[0], question)
        yield replace(question, metrics=tuple(kpi.name for kpi in alike), start=start, end=end)


def _dates_before(kpi: Kpi, question: KpiQuestion) -> tuple[date, date]:
    """As many Dates of the KPI, before the first; as many days if the period has none of its Dates."""
    points = points_of(kpi, Step.DAY, question.start, question.end, Compare.PREVIOUS)
    before = [day for point in points for day in point.before]
    days = question.end - question.start + timedelta(days=1)
    return (min(before), max(before)) if before else (question.start - days, question.end - days)


def _together(answers: Sequence[KpiAnswer]) -> KpiAnswer:
    """The answers about different KPIs as one."""
    return replace(
        answers[0],
        start=min(answer.start for answer in answers),
        end=max(answer.end for answer in answers),
        kpis=_each(answer.kpis for answer in answers),
        series=_each(answer.series for answer in answers),
        notices=_each(answer.notices for answer in answers),
    )


def _each(of_answers: Iterable[tuple[_T, ...]]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(one for of_one in of_answers for one in of_one))


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

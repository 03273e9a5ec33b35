"""The value of a KPI: its formula over amounts, over several Dates, and the state of several sources."""

from collections.abc import Callable, Collection, Iterable
from fractions import Fraction

from appstore_analytics.contract.kpis.definition import Additivity, Amount, Kpi
from appstore_analytics.model.kpis import DateState, Number

Value = Number | float
"""A sum is as exact as its amounts; a quotient is a float."""

_WORST_FIRST = (
    DateState.NOT_BUILT,
    DateState.BEING_REPLACED,
    DateState.QUARANTINED,
    DateState.MISSING,
    DateState.NOT_DUE,
    DateState.PRELIMINARY,
    DateState.FINAL,
    DateState.ZERO,
)


def value_of(
    kpi: Kpi, above: Callable[[Amount], Number | None], below: Callable[[Amount], Number | None]
) -> Value | None:
    """The formula over the amounts of both sides of its fraction; None if one is None, or the divisor is 0.

    The sides are passed separately: a cohort uses one amount on both, with different Dates.
    """
    dividend = _sum(above, kpi.plus)
    subtrahend = _sum(above, kpi.minus)
    divisor = _sum(below, kpi.over)
    if dividend is None or subtrahend is None:
        return None
    if not kpi.over:
        return dividend - subtrahend
    return None if divisor is None else quotient(kpi, dividend - subtrahend, divisor)


def quotient(kpi: Kpi, above: Number, below: Number) -> float | None:
    """The fraction of a KPI with a divisor; None if the divisor is 0."""
    return float(kpi.factor * Fraction(above) / Fraction(below)) if below else None


def adds_up_over_dates(kpi: Kpi) -> bool:
    """Whether the formula over the sums of several Dates is meaningful: it is not for a stock, or for uniques alone.

    A quotient of sums keeps its kind: a ratio, a bound in the same direction, or an estimate.
    """
    return kpi.additivity is not Additivity.STOCK and (bool(kpi.over) or all(each.is_additive for each in kpi.plus))


def worst(states: Iterable[DateState]) -> DateState:
    """The state of one Date from several sources is that of the worst one: ZERO only if all of them are."""
    return min(states, key=_WORST_FIRST.index)


def of_apps(states: Collection[DateState]) -> tuple[DateState, int]:
    """The state of several apps of one source and Date, and the number of apps that lack due data.

    If some lack it, the sum of the others is preliminary; if all do, the sum is missing. An app for which nothing is
    due does not count.
    """
    due = [state for state in states if state is not DateState.NOT_DUE]
    missing = [state for state in due if not state.has_value]
    if not due:
        return DateState.NOT_DUE, 0
    if missing and len(missing) == len(due):
        return worst(missing), len(missing)
    return (DateState.PRELIMINARY if missing else worst(due)), len(missing)


def _sum(number: Callable[[Amount], Number | None], amounts: Iterable[Amount]) -> Number | None:
    numbers = [number(amount) for amount in amounts]
    return None if None in numbers else sum(each for each in numbers if each is not None)

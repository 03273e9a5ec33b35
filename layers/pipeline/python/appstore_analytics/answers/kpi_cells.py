"""The cells of a series: the state of each Date, and the formula over several Dates.

A cell of a sheet is looked up by app, amount and value. A KPI by app uses columns instead: a list per Date with a
number for each app, because a thousand apps over two months are a hundred thousand cells.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from operator import add, sub
from typing import Protocol

from appstore_analytics.answers.kpi_sheet import AppGroup, Sheet, Told
from appstore_analytics.contract.kpis.definition import Additivity, Amount, Kpi
from appstore_analytics.model.kpis import Number
from appstore_analytics.rules.kpis import Value, adds_up_over_dates, quotient


class Cells(Protocol):
    """One KPI of one group of apps, for one value of a dimension or for several values together."""

    @property
    def kpi(self) -> Kpi:
        """The KPI."""

    @property
    def group(self) -> AppGroup:
        """The apps."""

    @property
    def app_id(self) -> str:
        """The app; empty for several apps."""

    def told(self, day: date) -> Told:
        """The state of one Date."""

    def formula(self, days: Sequence[date]) -> Value | None:
        """The formula over the sums of these Dates, which all have a value."""


def value_over(cells: Cells, days: Sequence[date]) -> Value | None:
    """The value of several Dates: a stock is read on the last; a non-additive KPI has a value for one Date only."""
    valued = valued_days(cells, days)
    return cells.formula(valued) if valued else None


def valued_days(cells: Cells, days: Sequence[date]) -> list[date]:
    """The Dates from which the value is computed; empty if there is no value."""
    valued = [day for day in days if cells.told(day).state.has_value]
    if cells.kpi.additivity is Additivity.STOCK:
        valued = valued[-1:]
    return [] if len(valued) > 1 and not adds_up_over_dates(cells.kpi) else valued


@dataclass(frozen=True)
class SheetCells:
    """Cells that are looked up in a sheet."""

    sheet: Sheet
    kpi: Kpi
    group: AppGroup
    values: tuple[str | None, ...]

    @property
    def app_id(self) -> str:
        """The app; empty for several apps."""
        return self.group.app_id

    def told(self, day: date) -> Told:
        """The state of one Date."""
        return self.sheet.told(self.kpi, day, self.group, self.values[0])

    def formula(self, days: Sequence[date]) -> Value | None:
        """The formula over the sums of these Dates and values."""
        return self.sheet.value(self.kpi, days, self.group, *self.values)


@dataclass(frozen=True, slots=True)
class _Column:
    """One Date of all apps, in their order; `below` is empty if the KPI has no divisor."""

    above: Sequence[Number]
    below: Sequence[Number]
    told: Sequence[Told]


class AppColumns:
    """One KPI of many apps without a dimension, column by column."""

    def __init__(self, sheet: Sheet, kpi: Kpi, groups: Sequence[AppGroup]) -> None:
        self.kpi = kpi
        self._sheet = sheet
        self._groups = groups
        self._columns: dict[date, _Column] = {}

    @staticmethod
    def can_hold(sheet: Sheet, kpi: Kpi) -> bool:
        """Whether columns can represent the KPI: both sides of the formula use the Date itself, and no sum loses
        precision."""
        return sheet.is_plain(kpi)

    def cells(self) -> list["ColumnCells"]:
        """The cells of each app."""
        return [ColumnCells(self, number, group) for number, group in enumerate(self._groups)]

    def column(self, day: date) -> _Column:
        """One Date."""
        if day not in self._columns:
            self._columns[day] = self._made(day)
        return self._columns[day]

    def _made(self, day: date) -> _Column:
        kpi = self.kpi
        above = self._added(kpi.plus, day)
        if kpi.minus:
            above = list(map(sub, above, self._added(kpi.minus, day)))
        below = self._added(kpi.over, day) if kpi.over else ()
        return _Column(above, below, self._sheet.told_of_apps(kpi, day, self._groups))

    def _added(self, amounts: Iterable[Amount], day: date) -> list[Number]:
        first, *others = (self._numbers(amount, day) for amount in amounts)
        for numbers in others:
            first = list(map(add, first, numbers))
        return first

    def _numbers(self, amount: Amount, day: date) -> list[Number]:
        by_app = self._sheet.of_amount(amount, day)
        return [by_app.get(group.stored_as[0], 0) for group in self._groups]


@dataclass(frozen=True)
class ColumnCells:
    """The cells of one app."""

    columns: AppColumns
    number: int
    group: AppGroup

    @property
    def app_id(self) -> str:
        """The app."""
        return self.group.app_id

    @property
    def kpi(self) -> Kpi:
        """The KPI."""
        return self.columns.kpi

    def told(self, day: date) -> Told:
        """The state of one Date."""
        return self.columns.column(day).told[self.number]

    def formula(self, days: Sequence[date]) -> Value | None:
        """The formula over the sums of these Dates."""
        columns, number = [self.columns.column(day) for day in days], self.number
        above = sum(column.above[number] for column in columns)
        below = sum(column.below[number] for column in columns) if self.kpi.over else 0
        return _formula(self.kpi, above, below)


def _formula(kpi: Kpi, above: Number, below: Number) -> Value | None:
    """As in `rules/kpis.py:value_of`. Dividing two integers is exact enough without fractions, and faster."""
    if not kpi.over:
        return above
    if isinstance(above, int) and isinstance(below, int):
        return kpi.factor * above / below if below else None
    return quotient(kpi, above, below)

"""The cells that a series is made of: what each Date is worth, and the formula over several of them.

A cell of a sheet is looked up by app, amount and value. Of a KPI by app there are columns in its place: a list per
Date, with a number for each app, because a thousand apps over two months are a hundred thousand cells.
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
    """One KPI of one group of apps, and of one value of a dimension or several taken together."""

    @property
    def kpi(self) -> Kpi:
        """The KPI."""

    @property
    def app_id(self) -> str:
        """The app, empty for several."""

    def told(self, day: date) -> Told:
        """What the value of one Date is worth."""

    def formula(self, days: Sequence[date]) -> Value | None:
        """The formula over the sums of these Dates, which all have a value."""


def value_over(cells: Cells, days: Sequence[date]) -> Value | None:
    """The value of several Dates: a stock is read on the last, what does not add up over Dates is told of one only."""
    valued = [day for day in days if cells.told(day).state.has_value]
    if cells.kpi.additivity is Additivity.STOCK:
        valued = valued[-1:]
    if not valued or (len(valued) > 1 and not adds_up_over_dates(cells.kpi)):
        return None
    return cells.formula(valued)


@dataclass(frozen=True)
class SheetCells:
    """Cells that are looked up in a sheet."""

    sheet: Sheet
    kpi: Kpi
    group: AppGroup
    values: tuple[str | None, ...]

    @property
    def app_id(self) -> str:
        """The app, empty for several."""
        return self.group.app_id

    def told(self, day: date) -> Told:
        """What the value of one Date is worth."""
        return self.sheet.told(self.kpi, day, self.group, self.values[0])

    def formula(self, days: Sequence[date]) -> Value | None:
        """The formula over the sums of these Dates and values."""
        return self.sheet.value(self.kpi, days, self.group, *self.values)


@dataclass(frozen=True, slots=True)
class _Column:
    """One Date of all apps, in their order; `below` is empty where the KPI has no divisor."""

    above: Sequence[Number]
    below: Sequence[Number]
    told: Sequence[Told]


class AppColumns:
    """One KPI of many apps, split by nothing, column by column."""

    def __init__(self, sheet: Sheet, kpi: Kpi, groups: Sequence[AppGroup]) -> None:
        self.kpi = kpi
        self._sheet = sheet
        self._groups = groups
        self._columns: dict[date, _Column] = {}

    @staticmethod
    def can_hold(sheet: Sheet, kpi: Kpi) -> bool:
        """Whether the KPI can be told by columns: of the Date itself on both sides, and with no sum that is lost."""
        return sheet.is_plain(kpi)

    def cells(self) -> list["ColumnCells"]:
        """The cells of each app."""
        return [ColumnCells(self, number, group.app_id) for number, group in enumerate(self._groups)]

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
    app_id: str

    @property
    def kpi(self) -> Kpi:
        """The KPI."""
        return self.columns.kpi

    def told(self, day: date) -> Told:
        """What the value of one Date is worth."""
        return self.columns.column(day).told[self.number]

    def formula(self, days: Sequence[date]) -> Value | None:
        """The formula over the sums of these Dates."""
        columns, number = [self.columns.column(day) for day in days], self.number
        above = sum(column.above[number] for column in columns)
        below = sum(column.below[number] for column in columns) if self.kpi.over else 0
        return _formula(self.kpi, above, below)


def _formula(kpi: Kpi, above: Number, below: Number) -> Value | None:
    """As `rules/kpis.py:value_of` has it; of two integers the quotient is as exact without fractions, and faster."""
    if not kpi.over:
        return above
    if isinstance(above, int) and isinstance(below, int):
        return kpi.factor * above / below if below else None
    return quotient(kpi, above, below)

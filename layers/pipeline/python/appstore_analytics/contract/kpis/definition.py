"""The vocabulary that describes a KPI: amounts are sums over rows, and KPIs are formulas over amounts."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from appstore_analytics.contract.catalogue.definition import Column, ColumnType, Granularity, Role
from appstore_analytics.contract.tables import CuratedTable, tables_by_name


class Dimension(StrEnum):
    """The dimensions of amounts, one at a time. The value is the column, except for `DAYS_SINCE_DOWNLOAD`."""

    TERRITORY = "territory"
    DEVICE = "device"
    SOURCE_TYPE = "source_type"
    PAGE_TYPE = "page_type"
    APP_VERSION = "app_version"
    PLATFORM_VERSION = "platform_version"
    APP_DOWNLOAD_SOURCE_TYPE = "app_download_source_type"
    ORIGINAL_PURCHASE_DEVICE = "original_purchase_device"
    SUBSCRIPTION_NAME = "subscription_name"
    DAYS_SINCE_DOWNLOAD = "days_since_download"
    """The Date minus `app_download_date`, from 0 to `LAST_DAY_SINCE_DOWNLOAD`; null if Apple gives no date."""

    @property
    def column(self) -> str:
        """The column of the source table."""
        return "app_download_date" if self is Dimension.DAYS_SINCE_DOWNLOAD else self.value


LAST_DAY_SINCE_DOWNLOAD = 30
"""Apple fills `app_download_date` only for the 30 days before the Date."""


class Unit(StrEnum):
    """The unit of a value."""

    COUNT = "count"
    USD = "USD"
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    SHARE = "share"
    QUOTIENT = "quotient"


class Additivity(StrEnum):
    """The meaning of the value for several Dates, or for several slices of one Date."""

    SUM = "sum"
    RATIO = "ratio of sums"
    STOCK = "stock"
    BOUND = "bound"
    ESTIMATE = "estimate"


class Bound(StrEnum):
    """The side of the bound on which the true value is."""

    AT_MOST = "at most"
    AT_LEAST = "at least"


class Basis(StrEnum):
    """The Dates of the two sides of a formula."""

    DATES = "dates"
    """Both sides use the requested Dates."""
    COHORT = "cohort"
    """Devices by their download Date d: the amount of Date d + n, over the divisor of Date d itself."""
    OPENING = "opening"
    """The divisor is a stock: its amount on the Date before the first requested one."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A row counts if `column`, in lower case, is one of `words`: the case of Apple's values differs between files.

    Without `words` it counts if the column is not null.
    """

    column: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Amount:
    """The sum of `measure` over the rows of one table that meet all conditions, per app, Date and dimension value.

    With `times`, the sum of the products of both columns: a mean times the number it is the mean of. A `stock` is a
    quantity that exists on a Date, so its sum over slices is correct and its sum over Dates is not.
    """

    name: str
    table_name: str
    measure: str
    where: tuple[Condition, ...] = ()
    times: str = ""
    is_stock: bool = False

    @cached_property
    def table(self) -> CuratedTable:
        """The table whose rows are summed."""
        return tables_by_name()[self.table_name]

    @cached_property
    def column(self) -> Column:
        """The column that is summed."""
        return next(column for column in self.table.report.columns if column.name == self.measure)

    @property
    def is_money(self) -> bool:
        """Whether it is decimal(18,6), in USD; a bigint otherwise."""
        return self.column.type is ColumnType.MONEY

    @property
    def is_additive(self) -> bool:
        """Whether Apple's rows can be added up. Uniques cannot: one device can be in several rows."""
        return self.column.role is Role.ADDITIVE

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        """The dimensions by which it can be split."""
        return dimensions_of(self.table)


def dimensions_of(table: CuratedTable) -> tuple[Dimension, ...]:
    """The dimensions whose columns a table has, in the order of `Dimension`.

    Weeks and months do not belong to one day since a download.
    """
    columns = {column.name for column in table.report.columns}
    if table.granularity is not Granularity.DAILY:
        columns.discard(Dimension.DAYS_SINCE_DOWNLOAD.column)
    return tuple(dimension for dimension in Dimension if dimension.column in columns)


@dataclass(frozen=True)
class Kpi:
    """`factor` · (Σ `plus` − Σ `minus`) / Σ `over`; without `over` the sum alone. All are amounts.

    `bound`, only for a BOUND, says on which side of the bound the true value is. `trap` is the sentence to show beside
    every value. `weekly` and `monthly` are the KPIs to use for a week or a month if this one's Dates cannot be added
    up.
    """

    name: str
    title: str
    unit: Unit
    additivity: Additivity
    trap: str
    plus: tuple[Amount, ...]
    minus: tuple[Amount, ...] = ()
    over: tuple[Amount, ...] = ()
    factor: int = 1
    basis: Basis = Basis.DATES
    bound: Bound | None = None
    weekly: str = ""
    monthly: str = ""

    @cached_property
    def amounts(self) -> tuple[Amount, ...]:
        """All amounts of the formula, each once."""
        return tuple(dict.fromkeys((*self.plus, *self.minus, *self.over)))

    @cached_property
    def tables(self) -> tuple[CuratedTable, ...]:
        """The tables that it needs, each once."""
        return tuple(dict.fromkeys(amount.table for amount in self.amounts))

    @property
    def granularity(self) -> Granularity:
        """The period of one Date, which is the same in all its tables."""
        return self.tables[0].granularity

    @cached_property
    def dimensions(self) -> tuple[Dimension, ...]:
        """The dimensions by which it can be split: those of all its tables. Cohorts have no other."""
        if self.basis is Basis.COHORT:
            return (Dimension.DAYS_SINCE_DOWNLOAD,)
        return tuple(each for each in Dimension if all(each in dimensions_of(table) for table in self.tables))

    @property
    def window_days(self) -> int:
        """The number of days after which Apple calls a Date complete, in all of its tables; 0 for weeks and months."""
        if self.granularity is not Granularity.DAILY:
            return 0
        return max(table.report.completeness_days or 0 for table in self.tables)

    @property
    def precision(self) -> str:
        """The relation of a value to the true one: exact, at least, at most, or an estimate."""
        if self.bound is not None:
            return self.bound
        return "estimate" if self.additivity is Additivity.ESTIMATE else "exact"

    @property
    def label(self) -> str:
        """The name of a column of its values, which says what is not exact: `active_devices_at_most`."""
        if self.bound is not None:
            return f"{self.name}_{self.bound.name.lower()}"
        return f"{self.name}_estimate" if self.additivity is Additivity.ESTIMATE else self.name

    @property
    def formula(self) -> str:
        """The formula in the names of the amounts: `(first_time_downloads + redownloads) / impressions`."""
        above = " − ".join((" + ".join(each.name for each in self.plus), *(each.name for each in self.minus)))
        if not self.over:
            return above
        below = " + ".join(each.name for each in self.over)
        above, below = (f"({side})" if " " in side else side for side in (above, below))
        return f"{f'{self.factor:,} · ' if self.factor != 1 else ''}{above} / {below}"

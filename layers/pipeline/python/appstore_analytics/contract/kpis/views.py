"""The views on `marts.kpis`: a column per KPI, each with the query that Athena keeps and the types it promises.

A query selects plain `dt` and groups by it, so that conditions on `dt` reach the projection of its tables. No column is
0 if there is no row: it is NULL, and the column `<source>_state` says why.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.kpis import KPIS
from appstore_analytics.contract.kpis.amounts import ACTIVE_DEVICES, PROCEEDS
from appstore_analytics.contract.kpis.definition import Amount, Basis, Dimension, Kpi, Unit
from appstore_analytics.contract.kpis.stored import (
    KPIS_TABLE,
    PORTFOLIO,
    STATE_SOURCES,
    STATES_TABLE,
    TOTAL,
    SourceState,
)

_COUNT, _MONEY, _QUOTIENT = "bigint", "decimal(38,6)", "double"
_DAY = f"CAST(value AS {_COUNT})"


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """A column: its Glue type, and the expression over the rows of `marts.kpis`; without a sum it is grouped by."""

    name: str
    type: str
    expression: str
    meaning: str = ""
    is_key: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """One view; `where` selects its rows of `marts.kpis`.

    With `has_states` the rows of `marts.states` are beside them, so that an app whose Date is missing has a row too.
    """

    name: str
    meaning: str
    columns: tuple[ViewColumn, ...]
    where: str
    has_states: bool = False

    def query(self, database: str) -> str:
        """The SQL that Athena keeps; `database` is the name that `marts` has in the installation."""
        columns = ", ".join(
            each.expression if each.expression == each.name else f"{each.expression} AS {each.name}"
            for each in self.columns
        )
        keys = ", ".join(each.expression for each in self.columns if each.is_key)
        # names and words come from the catalogue: no text from a file or a person becomes SQL
        if self.has_states:
            return f"SELECT {columns} FROM ({_with_states(database, self.where)}) AS told GROUP BY {keys}"  # noqa: S608
        return f"SELECT {columns} FROM {database}.{KPIS_TABLE} WHERE {self.where} GROUP BY {keys}"  # noqa: S608


def _with_states(database: str, where: str) -> str:
    """The rows of both tables. It is no join: a condition on `dt` then reaches both projections."""
    amounts = {"kpi": "varchar", "amount": _COUNT, "usd": "decimal(18,6)", "is_final": "boolean"}
    sources = [table.name for table in STATE_SOURCES]
    of_kpis = ", ".join([*amounts, *(f"CAST(NULL AS varchar) AS {name}_state" for name in sources)])
    nothing = (f"CAST(NULL AS {kind}) AS {name}" for name, kind in amounts.items())
    of_states = ", ".join([*nothing, *(f"{name} AS {name}_state" for name in sources)])
    return (
        f"SELECT dt, app_id, {of_kpis} FROM {database}.{KPIS_TABLE} WHERE {where} "  # noqa: S608
        f"UNION ALL SELECT dt, app_id, {of_states} FROM {database}.{STATES_TABLE}"
    )


_DT = ViewColumn("dt", "date", "dt", "The UTC day (Apple's Date)", is_key=True)
_APP = ViewColumn("app_id", _COUNT, "app_id", "The app", is_key=True)


def _kpi_columns(kpis: Iterable[Kpi]) -> Iterator[ViewColumn]:
    for kpi in kpis:
        kind = _QUOTIENT if kpi.over else _MONEY if kpi.unit is Unit.USD else _COUNT
        yield ViewColumn(kpi.label, kind, _value(kpi), f"{kpi.title}. {kpi.trap}")


def _value(kpi: Kpi) -> str:
    above = _sum(kpi.plus, kpi.minus)
    if not kpi.over:
        return above
    factor = f"{kpi.factor} * " if kpi.factor != 1 else ""
    return f"{factor}CAST({above} AS double) / NULLIF(CAST({_sum(kpi.over)} AS double), 0)"


def _sum(plus: tuple[Amount, ...], minus: tuple[Amount, ...] = ()) -> str:
    column = "usd" if plus[0].is_money else "amount"
    signs = "".join(
        f" WHEN kpi IN ({_names(amounts)}) THEN {sign}{column}"
        for sign, amounts in (("", plus), ("-", minus))
        if amounts
    )
    return f"SUM(CASE{signs} END)"


def _names(amounts: Iterable[Amount]) -> str:
    return ", ".join(f"'{amount.name}'" for amount in amounts)


def _final_columns(kpis: Iterable[Kpi]) -> Iterator[ViewColumn]:
    """A column for each source: without it a preliminary number looks like a final one."""
    amounts = dict.fromkeys(amount for kpi in kpis for amount in kpi.amounts)
    for table in dict.fromkeys(amount.table for amount in amounts):
        names = _names(amount for amount in amounts if amount.table == table)
        yield ViewColumn(
            f"{table.name}_is_final",
            "boolean",
            f"BOOL_AND(CASE WHEN kpi IN ({names}) THEN is_final END)",
            f"Whether the Date was complete when Apple built the rows of {table.name}; null without rows",
        )


def _state_columns() -> Iterator[ViewColumn]:
    """A column for each source; it is stored, and no calendar in SQL decides it."""
    words = ", ".join(SourceState)
    for table in STATE_SOURCES:
        meaning = f"What the KPIs from {table.name} are worth: {words}; null as long as no run has judged the Date"
        yield ViewColumn(f"{table.name}_state", "string", f"MAX({table.name}_state)", meaning)


_OF_ONE_DATE = tuple(kpi for kpi in KPIS if kpi.basis is Basis.DATES and kpi.granularity is Granularity.DAILY)
_SUBSCRIPTIONS = tuple(
    kpi for kpi in _OF_ONE_DATE if all(table.report.table.startswith("subscription_") for table in kpi.tables)
)


def _of_apps(dimension: str) -> str:
    return f"dimension = '{dimension}' AND app_id <> {PORTFOLIO}"


def _by(name: str, dimension: Dimension) -> View:
    kpis = [kpi for kpi in _OF_ONE_DATE if dimension in kpi.dimensions]
    value = ViewColumn(dimension, "string", "value", "Null if Apple gives none", is_key=True)
    columns = (_DT, _APP, value, *_kpi_columns(kpis), *_final_columns(kpis))
    return View(
        name,
        f"KPIs of each app and Date by {dimension}; a breakdown adds up to app_daily",
        columns,
        _of_apps(dimension),
    )


def _of_cohorts(name: str, meaning: str, column: str, amount: Amount) -> View:
    kind = _MONEY if amount.is_money else _COUNT
    columns = (
        _DT,
        _APP,
        ViewColumn("cohort", "date", f"date_add('day', -{_DAY}, dt)", "The day of the download"),
        ViewColumn("day", _COUNT, _DAY, "Days since the download, 0 to 30", is_key=True),
        ViewColumn(column, kind, _sum((amount,))),
    )
    where = f"{_of_apps(Dimension.DAYS_SINCE_DOWNLOAD)} AND kpi = '{amount.name}' AND value IS NOT NULL"
    return View(name, meaning, columns, where)


VIEWS: tuple[View, ...] = (
    View(
        "app_daily",
        "KPIs of each app and due Date, and their states; never sum a stock or a unique over Dates, "
        "and never average a ratio",
        (_DT, _APP, *_kpi_columns(_OF_ONE_DATE), *_final_columns(_OF_ONE_DATE), *_state_columns()),
        _of_apps(TOTAL),
        has_states=True,
    ),
    _by("by_territory", Dimension.TERRITORY),
    _by("by_source", Dimension.SOURCE_TYPE),
    _by("by_device", Dimension.DEVICE),
    _by("by_app_version", Dimension.APP_VERSION),
    _of_cohorts(
        "retention",
        "Active devices by the days since their download; divide by those of day 0. Ask for dt, not for cohort",
        "active_devices_at_most",
        ACTIVE_DEVICES,
    ),
    _of_cohorts(
        "cohort_proceeds",
        "Proceeds by the days since the download, of 30 days. Ask for dt, not for cohort",
        "proceeds",
        PROCEEDS,
    ),
    View(
        "subscriptions",
        "Subscriptions of each app and Date; active ones must never be summed over Dates",
        (_DT, _APP, *_kpi_columns(_SUBSCRIPTIONS), *_final_columns(_SUBSCRIPTIONS)),
        _of_apps(TOTAL),
    ),
)
"""In the order in which people come across them."""

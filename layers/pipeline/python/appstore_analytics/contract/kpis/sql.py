"""A KPI as a query of Apple's rows in Athena: its definition as SQL, with which stored amounts can be compared."""

from collections.abc import Callable, Sequence

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.kpis.definition import (
    LAST_DAY_SINCE_DOWNLOAD,
    Additivity,
    Amount,
    Basis,
    Condition,
    Dimension,
    Kpi,
)
from appstore_analytics.contract.names import Database
from appstore_analytics.contract.tables import IS_NEWEST_VINTAGE, CuratedTable

_DAYS = {Granularity.DAILY: 28, Granularity.WEEKLY: 56, Granularity.MONTHLY: 92}
"""The days that a query looks back, by the period of a Date."""

_AGE = f"date_diff('day', {Dimension.DAYS_SINCE_DOWNLOAD.column}, dt)"


def query(kpi: Kpi) -> str:
    """Each app's value, over the Dates of four weeks (of weeks eight, of months three) that Apple calls complete.

    Sums and ratios cover all of these Dates together; non-additive KPIs have a row for each Date. A cohort
    is the newest whose 30 days are complete.
    """
    if kpi.basis is Basis.COHORT:
        return _cohort_query(kpi)
    keys = ("app_id",) if kpi.additivity in (Additivity.SUM, Additivity.RATIO) else ("dt", "app_id")
    if len(kpi.tables) == 1:
        return _select(kpi.tables[0], keys, {kpi.label: value_of(kpi, sum_of)}, _dates(kpi, kpi.tables[0]))
    # The divisor's table comes first, because without it there is no value; a value that another table lacks is null.
    first, *others = sorted(kpi.tables, key=lambda table: table not in [amount.table for amount in kpi.over])
    parts = ",\n".join(f"{table.name} AS (\n{_amounts_of(kpi, table, keys)}\n)" for table in (first, *others))
    names = ", ".join(keys)
    joins = "".join(f"\nLEFT JOIN {table.name} USING ({names})" for table in others)
    value = value_of(kpi, lambda amount: amount.name)
    return f"WITH {parts}\nSELECT {names}, {value} AS {kpi.label}\nFROM {first.name}{joins}"


def sum_of(amount: Amount) -> str:
    """The amount as an expression over the rows of its table."""
    product = f"{amount.measure} * {amount.times}" if amount.times else amount.measure
    conditions = " AND ".join(_condition(each) for each in amount.where)
    return f"SUM({product}) FILTER (WHERE {conditions})" if conditions else f"SUM({product})"


def value_of(kpi: Kpi, spelled: Callable[[Amount], str]) -> str:
    """The formula as an expression, with the amounts as in `spelled`; null if the divisor is 0 or missing."""
    above = _added(kpi.plus, spelled)
    if kpi.minus:
        above = " - ".join(f"COALESCE({part}, 0)" for part in (above, *map(spelled, kpi.minus)))
    if not kpi.over:
        return above
    factor = f"{kpi.factor} * " if kpi.factor != 1 else ""
    return f"{factor}CAST({above} AS double) / NULLIF({_added(kpi.over, spelled)}, 0)"


def _added(amounts: Sequence[Amount], spelled: Callable[[Amount], str]) -> str:
    if len(amounts) == 1:
        return spelled(amounts[0])
    return " + ".join(f"COALESCE({spelled(amount)}, 0)" for amount in amounts)


def _condition(condition: Condition) -> str:
    if not condition.words:
        return f"{condition.column} IS NOT NULL"
    words = ", ".join(f"'{word}'" for word in condition.words)
    return f"lower({condition.column}) IN ({words})"


def _dates(kpi: Kpi, table: CuratedTable) -> str:
    newest, days = kpi.window_days + 1, _DAYS[kpi.granularity]
    if kpi.basis is Basis.OPENING and table == kpi.over[0].table:
        return f"dt = CURRENT_DATE - INTERVAL '{newest + days}' DAY"
    oldest = f"CURRENT_DATE - INTERVAL '{newest + days - 1}' DAY"
    return f"dt BETWEEN {oldest} AND CURRENT_DATE - INTERVAL '{newest}' DAY"


def _select(table: CuratedTable, keys: Sequence[str], columns: dict[str, str], where: str) -> str:
    """`columns` are expressions by their names; `keys` are grouped by."""
    values = ", ".join(f"{expression} AS {name}" for name, expression in columns.items())
    newest = f" AND {IS_NEWEST_VINTAGE.name}" if table.keeps_vintages else ""
    return (
        f"SELECT {', '.join(keys)}, {values}\n"
        f"FROM {Database.CURATED}.{table.name}\n"
        f"WHERE {where}{newest}\n"
        f"GROUP BY {', '.join(keys)}"
    )


def _amounts_of(kpi: Kpi, table: CuratedTable, keys: Sequence[str]) -> str:
    amounts = {amount.name: sum_of(amount) for amount in kpi.amounts if amount.table == table}
    return _indented(_select(table, keys, amounts, _dates(kpi, table)))


def _cohort_query(kpi: Kpi) -> str:
    (amount,) = kpi.amounts
    name = amount.name if kpi.over else kpi.label
    oldest = kpi.window_days + 1 + LAST_DAY_SINCE_DOWNLOAD
    cohort = f"CURRENT_DATE - INTERVAL '{oldest}' DAY"
    where = (
        f"dt BETWEEN {cohort} AND CURRENT_DATE - INTERVAL '{kpi.window_days + 1}' DAY\n"
        f"    AND {Dimension.DAYS_SINCE_DOWNLOAD.column} = {cohort}"
    )
    days = _select(amount.table, ("app_id", _AGE), {name: sum_of(amount)}, where)
    days = days.replace(f"SELECT app_id, {_AGE}", f"SELECT app_id, {_AGE} AS day")
    if not kpi.over:
        return f"{days}\nORDER BY app_id, day"
    return (
        f"WITH days AS (\n{_indented(days)}\n)\n"
        f"SELECT app_id, days.day, CAST(days.{name} AS double) / NULLIF(first.{name}, 0) AS {kpi.label}\n"
        f"FROM days\nJOIN days AS first USING (app_id)\nWHERE first.day = 0\nORDER BY app_id, days.day"
    )


def _indented(lines: str) -> str:
    return "\n".join(f"    {line}" for line in lines.splitlines())

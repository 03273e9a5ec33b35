"""The check of a table's KPIs: compares `marts.kpis`, per app and Date, with the same sums over the table's rows."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal

from appstore_analytics.contract.kpis.definition import Amount, dimensions_of
from appstore_analytics.contract.kpis.sql import sum_of
from appstore_analytics.contract.kpis.stored import KPIS_TABLE, PORTFOLIO, TOTAL, amounts_of
from appstore_analytics.contract.tables import IS_NEWEST_VINTAGE, PARTITION_COLUMN, CuratedTable
from appstore_analytics.rules.counts import BatchKey

Amounts = Mapping[tuple[str, str], Decimal]
"""The sum of an amount over the values of a dimension, by the names of both."""


def amount_columns(table: CuratedTable) -> Iterator[str]:
    """Each amount as an expression over the rows of its table, or over the newest vintage if it has several."""
    for amount in amounts_of(table):
        expression = sum_of(amount)
        if table.keeps_vintages:
            expression = expression.replace("(WHERE ", f"(WHERE {IS_NEWEST_VINTAGE.name} AND ")
        yield expression


def kpi_query(table: CuratedTable, days: Collection[date]) -> str:
    """Each amount of each app and Date, in total and summed over the values of each dimension, in one query."""
    sums = ", ".join(_sum(amount, dimension) for amount, dimension in _cells(table))
    names = ", ".join(f"'{amount.name}'" for amount in amounts_of(table))
    dates = ", ".join(f"DATE '{day.isoformat()}'" for day in sorted(days))
    # names come from the catalogue and days are dates: no text from a file or a person becomes SQL
    return (
        f'SELECT app_id, {PARTITION_COLUMN}, {sums} FROM "{KPIS_TABLE}" '  # noqa: S608
        f"WHERE {PARTITION_COLUMN} IN ({dates}) AND kpi IN ({names}) AND app_id <> {PORTFOLIO} "
        f"GROUP BY app_id, {PARTITION_COLUMN}"
    )


def stored_amounts(table: CuratedTable, rows: Iterable[tuple[str | None, ...]]) -> dict[BatchKey, Amounts]:
    """The result of `kpi_query`; amounts without rows are 0."""
    cells = [(amount.name, dimension) for amount, dimension in _cells(table)]
    return {
        (int(app_id or 0), date.fromisoformat(day or "")): dict(zip(cells, map(_number, sums), strict=True))
        for app_id, day, *sums in rows
    }


def expected_amounts(table: CuratedTable, sums: Iterable[str | None]) -> Amounts:
    """The expected result of `kpi_query` for an app and Date whose rows have these sums, of `amount_columns`."""
    totals = {amount.name: _number(cell) for amount, cell in zip(amounts_of(table), sums, strict=True)}
    return {(amount.name, dimension): totals[amount.name] for amount, dimension in _cells(table)}


def difference(expected: Amounts, stored: Amounts) -> str:
    """The first amount that differs, as a sentence for a person; empty if all agree."""
    for (name, dimension), wanted in expected.items():
        found = stored.get((name, dimension), Decimal(0))
        if found != wanted:
            by = "" if dimension == TOTAL else f" summed over {dimension}"
            return f"KPI amount {name}{by}: {wanted} of the rows, {found} in marts.{KPIS_TABLE}"
    return ""


def _cells(table: CuratedTable) -> list[tuple[Amount, str]]:
    return [(amount, dimension) for amount in amounts_of(table) for dimension in (TOTAL, *dimensions_of(table))]


def _sum(amount: Amount, dimension: str) -> str:
    column = "usd" if amount.is_money else "amount"
    return f"SUM(CASE WHEN kpi = '{amount.name}' AND dimension = '{dimension}' THEN {column} END)"


def _number(cell: str | None) -> Decimal:
    return Decimal(0 if cell is None else cell)

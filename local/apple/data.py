"""The rows of one Date of one series, from the seed.

A Date has final rows. An earlier state shows fewer of them with smaller counts; a revision (restatement) changes counts
and removes rows. Everything follows from the arguments, so nothing needs to be stored.
"""

import random
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

from appstore_analytics.contract.catalogue import REPORTS_BY_NAME
from appstore_analytics.contract.catalogue.definition import Column, ColumnType, ReportDefinition, Role
from local.apple import draw
from local.apple.model import App, Series
from local.apple.values import strings_of

Row = tuple[str, ...]

_SHARE_THAT_VANISHES = 0.1
_NEVER = 2.0
_MEASURES = (Role.ADDITIVE, Role.NON_ADDITIVE)


@lru_cache(maxsize=128)
def rows_of_date(
    seed: int, app: App, series: Series, day: date, rows_per_date: int, maturity: float, revision: int
) -> tuple[Row, ...]:
    """The rows of one Date at this maturity (share of the final counts) and revision; at least one."""
    report = REPORTS_BY_NAME[series.report_name]
    random_ = draw.generator(seed, series.app_id, series.report_name, series.granularity, day)
    rows = max(1, round(rows_per_date * (0.5 + draw.share(seed, "size", series.app_id))))
    arrival = [random_.random() for _ in range(rows)]
    columns = [_cells(column, report, app, day, random_, rows) for column in report.columns]
    factors = [maturity] * rows
    for number in range(1, revision + 1):
        _restate(draw.generator(seed, "restate", *_words(series), day, number), arrival, factors)
    present = [row for row in range(rows) if arrival[row] < 0.6 + 0.4 * maturity] or [0]
    cells = [_present(column, values, present, factors) for column, values in zip(report.columns, columns, strict=True)]
    return tuple(zip(*cells, strict=True))


def sums(report: ReportDefinition, rows: Sequence[Row]) -> dict[str, str]:
    """The sum of every additive measure over the rows, by column name, as decimal text."""
    positions = {column.name: index for index, column in enumerate(report.columns) if column.role is Role.ADDITIVE}
    return {name: str(sum(Decimal(row[index] or 0) for row in rows)) for name, index in positions.items()}


def _words(series: Series) -> tuple[str, str, str]:
    return series.app_id, series.report_name, series.granularity


def _restate(random_: random.Random, arrival: list[float], factors: list[float]) -> None:
    """Removes at least one row if there are two, and changes about a third of the counts, always the first."""
    rows = len(arrival)
    standing = [row for row in range(1, rows) if arrival[row] < _NEVER]
    for row in random_.sample(standing, k=min(len(standing), max(1, int(rows * _SHARE_THAT_VANISHES)))):
        arrival[row] = _NEVER
    for row in (0, *random_.sample(range(rows), k=rows // 3)):
        factors[row] *= random_.choice((2.0, 3.0, 0.5) if row else (2.0, 3.0))


def _present(column: Column, values: Sequence[object], present: list[int], factors: list[float]) -> list[str]:
    if column.role in _MEASURES:
        return [_scaled(values[row], factors[row]) for row in present]
    return [str(values[row]) for row in present]


def _scaled(value: object, factor: float) -> str:
    if isinstance(value, Decimal):
        scaled = value * Decimal(str(factor))
        return str(value if factor == 1.0 else scaled.quantize(Decimal("0.01")))
    return str(max(1, int(int(str(value)) * factor))) if factor != 1.0 else str(value)


def _cells(
    column: Column, report: ReportDefinition, app: App, day: date, random_: random.Random, rows: int
) -> Sequence[object]:
    """The final cells of one column: numbers for measures, texts for everything else."""
    if column.name == report.date_column:
        return [day.isoformat()] * rows
    if column.name == "app_apple_identifier":
        return [app.id] * rows
    if column.type is ColumnType.STRING:
        return random_.choices(strings_of(column, app, report.table, day), k=rows)
    cell = _CELLS[column.type]
    return [cell(random_, column, day) for _ in range(rows)]


def _integer(random_: random.Random, column: Column, _day: date) -> object:
    if column.role is Role.IDENTIFIER:
        return 6_400_000_000 + random_.randrange(6)
    return min(99_999, int(random_.paretovariate(0.9)))


def _money(random_: random.Random, _column: Column, _day: date) -> object:
    """Usually two digits; Apple converts currencies, so some amounts have more."""
    amount = Decimal(random_.randrange(0, 20_000)) / 100
    return amount.quantize(Decimal("0.01")) if random_.random() < 0.9 else amount + Decimal("0.004321")


def _day_before(random_: random.Random, _column: Column, day: date) -> object:
    return (day - timedelta(days=random_.randrange(30))).isoformat() if random_.random() < 0.6 else ""


_CELLS: dict[ColumnType, Callable[[random.Random, Column, date], object]] = {
    ColumnType.INT64: _integer,
    ColumnType.MONEY: _money,
    ColumnType.DATE: _day_before,
    ColumnType.FLOAT64: lambda random_, _column, _day: round(random_.expovariate(0.05), 3),
    ColumnType.BOOLEAN: lambda random_, _column, _day: random_.choice(("true", "true", "false", "")),
}

"""Sums over rows by app, class and the values of one dimension at a time, in few passes over the rows.

rows ─► sums by app, cell and the values of a few dimensions ─► by app, class and the value of each dimension
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import prod
from typing import Self

import pyarrow as pa
import pyarrow.acero  # in the cold start: otherwise TableGroupBy imports it with the first rows
import pyarrow.compute as pc

from appstore_analytics.contract.kpis.definition import LAST_DAY_SINCE_DOWNLOAD, Amount, Dimension
from appstore_analytics.contract.kpis.stored import TOTAL
from appstore_analytics.lake.kpis.classes import Classes
from appstore_analytics.lake.kpis.packing import packed, split

APP, CLASS, CODE = "app", "class", "code"

_BASE = "base"
"""What sums are grouped by besides dimensions: first the cell of an app, then its class."""

_ROWS_OF_A_GROUP = 8
"""A group takes as long as this many rows: Arrow adds it to its table, and its sums are summed again."""

_INT32_VALUES, _INT64_VALUES = 1 << 31, 1 << 63
_WIDE_INTEGER = pa.decimal256(19, 0)
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Keys:
    """A grouping of rows: for each row a code from 0 on, an index of `values`."""

    codes: pa.Array
    values: pa.Array


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums by one dimension at a time: a row for each existing app, class, dimension and value.

    `table` has `APP`, `CLASS`, `CODE` (an index of `dimensions` and of `values`), and a column for each measure. The
    dimension `TOTAL`, of code 0, has one value, null.
    """

    table: pa.Table
    dimensions: pa.DictionaryArray
    values: pa.DictionaryArray

    @property
    def totals(self) -> Self:
        """The sums without any dimension."""
        return replace(self, table=self.table.filter(pc.equal(self.table[CODE], 0)))

    @property
    def details(self) -> Self:
        """The sums by all dimensions but `TOTAL`."""
        return replace(self, table=self.table.filter(pc.not_equal(self.table[CODE], 0)))


def sums_by_dimension(
    cells_by_app: pa.Array, measures: Mapping[str, pa.Array], keys: Mapping[str, Keys], classes: Classes
) -> Sums:
    """The sums by `TOTAL` and by each of `keys`.

    `cells_by_app` has a number for each row (`Classes.cells_by_app`); apps are in ascending order.
    """
    groups = (cells_by_app[-1].as_py() // len(classes.cells) + 1) * len(classes.cells)
    passes = _passes(keys, groups, len(cells_by_app))
    sums = [_grouped(cells_by_app, together, measures) for together in passes]
    fewest = min(sums, key=len)
    total = fewest.append_column(TOTAL, pa.repeat(pa.scalar(0, pa.int32()), len(fewest)))
    found = {name: each for together, each in zip(passes, sums, strict=True) for name in together}
    values = {name: keys[name].values for name in found}
    return _added_up({TOTAL: total, **found}, {TOTAL: pa.nulls(1, pa.string()), **values}, measures, classes)


def _added_up(
    found: Mapping[str, pa.Table], values: Mapping[str, pa.Array], measures: Collection[str], classes: Classes
) -> Sums:
    """The sums by each of the columns of codes `found`, all in one pass: most of a small one's time is its start."""
    pieces, first = [], 0
    for name, sums in found.items():
        codes = pc.add(sums[name], pa.scalar(first, pa.int32()))
        pieces.append(sums.select([_BASE, *measures]).append_column(CODE, codes))
        first += len(values[name])
    every_value = pa.concat_arrays(list(values.values()))
    table = _grouped_by_code(_by_class(pa.concat_tables(pieces), classes), every_value, measures)
    bases = dict(zip((APP, CLASS), split(table[_BASE], len(classes.amounts)), strict=True))
    numbers = [pa.repeat(pa.scalar(number, pa.int32()), len(each)) for number, each in enumerate(values.values())]
    return Sums(
        pa.table({**bases, CODE: table[CODE], **{name: table[name] for name in measures}}),
        pa.DictionaryArray.from_arrays(pa.concat_arrays(numbers), pa.array(list(values))),
        every_value.dictionary_encode(),
    )


def over_apps(sums: Sums) -> Sums:
    """The sums over all apps, as those of one app, 0."""
    measures = [name for name in sums.table.column_names if name not in {APP, CLASS, CODE}]
    table = _grouped_by_code(sums.table.rename_columns({CLASS: _BASE}), sums.values, measures)
    apps = pa.repeat(pa.scalar(0, pa.int32()), len(table))
    return replace(sums, table=table.rename_columns({_BASE: CLASS}).append_column(APP, apps))


def _grouped_by_code(rows: pa.Table, values: pa.Array, measures: Collection[str]) -> pa.Table:
    return _grouped(rows[_BASE], {CODE: Keys(rows[CODE], values)}, {name: rows[name] for name in measures})


def _by_class(sums: pa.Table, classes: Classes) -> pa.Table:
    """Sums by app and class: a row of `sums`, by app and cell, for each class of its cell."""
    app, cell = split(sums[_BASE], len(classes.cells))
    found = []
    for place in range(max(map(len, classes.cells))):
        class_of_cell = [of_cell[place] if place < len(of_cell) else None for of_cell in classes.cells]
        base = packed(app, pc.take(pa.array(class_of_cell, pa.int32()), cell), len(classes.amounts))
        of_class = sums.set_column(sums.column_names.index(_BASE), _BASE, base)
        found.append(of_class.filter(base.is_valid()) if base.null_count else of_class)
    return pa.concat_tables(found)


def keys_of(rows: pa.RecordBatch, dimensions: Iterable[Dimension], day: date) -> dict[str, Keys]:
    """The keys of each dimension."""
    return {dimension: _keys(rows.column(dimension.column), dimension, day) for dimension in dimensions}


def measures_of(rows: pa.RecordBatch, amounts: Iterable[Amount]) -> dict[str, pa.Array]:
    """The numbers to sum for `amounts`: 64 bits if they certainly hold the sum of all rows, otherwise wider."""
    return {name: _measure(rows, amount) for name, amount in {measure_name(each): each for each in amounts}.items()}


def _measure(rows: pa.RecordBatch, amount: Amount) -> pa.Array:
    factors = [rows.column(name) for name in (amount.measure, amount.times) if name]
    if not amount.is_money and prod(map(largest, factors)) * rows.num_rows >= _INT64_VALUES:
        factors = [factor.cast(_WIDE_INTEGER) for factor in factors]
    return factors[0] if len(factors) == 1 else pc.multiply(*factors)


def measure_name(amount: Amount) -> str:
    """The name of an amount's column in `Sums`."""
    return f"{amount.measure} * {amount.times}" if amount.times else amount.measure


def _passes(keys: Mapping[str, Keys], groups: int, rows: int) -> list[dict[str, Keys]]:
    """The keys to group by together. A pass takes time for each row and for each of its groups, so that neither one
    pass with all keys nor one for each key is the fastest."""

    def cost(passes: Sequence[Mapping[str, Keys]]) -> int:
        return sum(rows + _ROWS_OF_A_GROUP * groups * _combinations(together) for together in passes)

    return min((_spread(keys, count) for count in range(1, max(len(keys), 1) + 1)), key=cost)


def _spread(keys: Mapping[str, Keys], count: int) -> list[dict[str, Keys]]:
    """The keys in `count` passes, with about as many combinations of values in each."""
    passes: list[dict[str, Keys]] = [{} for _ in range(count)]
    for name, key in sorted(keys.items(), key=lambda item: len(item[1].values), reverse=True):
        min(passes, key=_combinations)[name] = key
    return passes


def _combinations(keys: Mapping[str, Keys]) -> int:
    return prod(len(key.values) for key in keys.values())


def _keys(column: pa.Array, dimension: Dimension, day: date) -> Keys:
    if dimension is Dimension.DAYS_SINCE_DOWNLOAD:
        values = pa.array([str(number) for number in range(LAST_DAY_SINCE_DOWNLOAD + 1)])
        days = pc.subtract(pa.scalar((day - _EPOCH).days, pa.int32()), column.cast(pa.int32()))
        # Without a sign a negative number is huge, and min_element_wise ignores null: both get the last code.
        codes = pc.min_element_wise(days.view(pa.uint32()), pa.scalar(len(values), pa.uint32())).view(pa.int32())
    else:
        codes, values = column.indices, column.dictionary
    with_null = pa.concat_arrays([values, pa.nulls(1, pa.string())])
    return Keys(pc.fill_null(codes, len(values)) if codes.null_count else codes, with_null)


def largest(column: pa.Array) -> int:
    """The largest absolute value of a column; 0 without values."""
    bounds = pc.min_max(column).as_py()
    return int(max(abs(bounds["min"] or 0), abs(bounds["max"] or 0)))


def _grouped(base: pa.Array, keys: Mapping[str, Keys], measures: Mapping[str, pa.Array]) -> pa.Table:
    """The sums by `base` and all keys, in the order of their first rows."""
    numbers = base
    if (largest(base) + 1) * _combinations(keys) >= _INT32_VALUES:
        numbers = base.cast(pa.int64())
    for key in keys.values():
        numbers = packed(numbers, key.codes, len(key.values))
    grouping = pa.TableGroupBy(pa.table({"numbers": numbers, **measures}), ["numbers"], use_threads=False)
    sums = grouping.aggregate([(name, "sum") for name in measures])
    rest, codes = sums["numbers"], {}
    for name, key in reversed(list(keys.items())):
        rest, code = split(rest, len(key.values))
        codes[name] = code.cast(pa.int32())
    return pa.table({_BASE: rest.cast(pa.int32()), **codes, **{name: sums[f"{name}_sum"] for name in measures}})

"""Sums over rows by app and the values of one dimension at a time, in few passes over the rows.

rows ─► sums by app, cell and the values of a few dimensions ─► of each amount, by app and the value of one dimension
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import reduce
from itertools import accumulate, chain
from math import prod
from typing import Self

import pyarrow as pa
import pyarrow.acero  # in the cold start: otherwise TableGroupBy imports it with the first rows
import pyarrow.compute as pc

from appstore_analytics.contract.kpis.definition import LAST_DAY_SINCE_DOWNLOAD, Amount, Dimension
from appstore_analytics.contract.kpis.stored import TOTAL
from appstore_analytics.lake.kpis.cells import Cells
from appstore_analytics.lake.kpis.packing import Numbers, in_32_bits, packed, split
from appstore_analytics.lake.record_batches import in_one_batch

APP, CODE = "app", "code"

_BASE = "base"
"""What sums are grouped by besides dimensions: first the cell of an app, then the app."""

_ROWS_OF_A_GROUP = 8
"""A group takes about as long as this many rows: Arrow adds it to its table, and most are summed again."""

_INT32_VALUES, _INT64_VALUES = 1 << 31, 1 << 63
_WIDE_INTEGER = pa.decimal256(19, 0)
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Keys:
    """A grouping of rows: for each row a code from 0 on, an index of `values`."""

    codes: Numbers
    values: pa.Array


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums by one dimension at a time: a row for each app, dimension and value that exists, and maybe for others.

    `rows` has `APP`, `CODE` (an index of `dimensions` and of `values`), and for each amount a column by its name, null
    where nothing counts for it. The dimension `TOTAL`, of code 0, has one value, null.
    """

    rows: pa.RecordBatch
    dimensions: pa.DictionaryArray
    values: pa.DictionaryArray

    @property
    def totals(self) -> Self:
        """The sums without any dimension."""
        return replace(self, rows=self.rows.filter(pc.equal(self.rows[CODE], 0)))

    @property
    def details(self) -> Self:
        """The sums by all dimensions: those of `TOTAL` belong to no app."""
        app = pc.if_else(pc.not_equal(self.rows[CODE], 0), self.rows[APP], pa.scalar(None, pa.int32()))
        return replace(self, rows=self.rows.set_column(0, APP, app))


def sums_by_dimension(
    cells_by_app: pa.Array, measures: Mapping[str, pa.Array], keys: Mapping[str, Keys], cells: Cells
) -> Sums:
    """The sums by `TOTAL` and by each of `keys`.

    `cells_by_app` has a number for each row (`Cells.by_app`); apps are in ascending order.
    """
    bases = (cells_by_app[-1].as_py() // len(cells.amounts) + 1) * len(cells.amounts)
    passes = _passes(keys, bases, len(cells_by_app))
    sums = [_grouped(cells_by_app, bases, together, measures) for together in passes]
    values = {TOTAL: pa.nulls(1, pa.string()), **{name: key.values for name, key in keys.items()}}
    numbers = [pa.repeat(pa.scalar(number, pa.int32()), len(each)) for number, each in enumerate(values.values())]
    every_value = pa.concat_arrays(list(values.values()))
    first_codes = dict(zip(values, accumulate(map(len, values.values()), initial=0), strict=False))
    by_several, by_one = _by_one_key(passes, sums, first_codes)
    code = Keys(by_several[CODE], every_value)
    added_up = _grouped(by_several[_BASE], bases, {CODE: code}, {name: by_several[name] for name in measures})
    by_cell = pa.concat_batches([added_up, *by_one])
    return Sums(
        _by_amount(_side_by_side(by_cell, len(cells.amounts), len(every_value)), cells),
        pa.DictionaryArray.from_arrays(pa.concat_arrays(numbers), pa.array(list(values))),
        every_value.dictionary_encode(),
    )


def over_apps(sums: Sums, app: int) -> Sums:
    """The sums over all apps, as those of the app `app`."""
    apps = pa.repeat(pa.scalar(app, pa.int32()), len(sums.rows))
    amounts = {name: sums.rows[name] for name in sums.rows.schema.names if name not in {APP, CODE}}
    added_up = _grouped(apps, app + 1, {CODE: Keys(sums.rows[CODE], sums.values)}, amounts)
    return replace(sums, rows=added_up.rename_columns({_BASE: APP}))


def _by_one_key(
    passes: Sequence[Mapping[str, Keys]], sums: Sequence[pa.RecordBatch], first_codes: Mapping[str, int]
) -> tuple[pa.Table, list[pa.RecordBatch]]:
    """For each key, the sums of its pass with the code of this key alone; and the total.

    The first table holds the total and the keys that shared a pass: several of its rows can have the same code, and are
    still to be added up. The others have one row for each code.
    """
    fewest, all_keys = min(zip(sums, passes, strict=True), key=lambda of_pass: len(of_pass[0]))
    by_several = [_coded(fewest, all_keys, pa.repeat(pa.scalar(0, pa.int32()), len(fewest)))]
    by_one: list[pa.RecordBatch] = []
    for of_pass, keys in zip(sums, passes, strict=True):
        for name in keys:
            codes = pc.add(of_pass[name], pa.scalar(first_codes[name], pa.int32()))
            (by_one if len(keys) == 1 else by_several).append(_coded(of_pass, keys, codes))
    return pa.Table.from_batches(by_several), by_one  # in pieces: one piece would be a copy


def _coded(sums: pa.RecordBatch, keys: Collection[str], codes: pa.Array) -> pa.RecordBatch:
    """The sums with `CODE` as the second column, instead of the codes of each of `keys`."""
    return sums.drop_columns(list(keys)).add_column(1, CODE, codes)


def _side_by_side(sums: pa.RecordBatch, cells: int, codes: int) -> list[pa.RecordBatch]:
    """The sums of each cell, all with the same apps and codes in the same order, and null where a cell has none.

    `sums` has one row at most for each app, cell and code, so that nothing has to be grouped again.
    """
    if cells == 1:
        return [sums.rename_columns({_BASE: APP})]
    app, cell = split(sums[_BASE], cells)
    pair, pairs = _pairs(app, sums[CODE], codes)
    length = len(pairs)
    # A grid of all cells and pairs: where each sum belongs, and from it what belongs in each place, null if nothing.
    order = pc.inverse_permutation(packed(cell, pair, length), max_index=cells * length - 1)
    laid_out = sums.drop_columns([_BASE, CODE]).take(order)
    app, code = map(in_32_bits, split(pairs, codes))
    of_cells = (laid_out.slice(start, length) for start in range(0, cells * length, length))
    return [pa.record_batch([app, code, *each.columns], [APP, CODE, *each.schema.names]) for each in of_cells]


def _pairs(app: pa.Array, code: pa.Array, codes: int) -> tuple[pa.Array, pa.Array]:
    """For each sum the number of its pair of app and code; and the pairs, packed.

    If there are more sums than possible pairs, all of these get a number, because finding those in use takes longer.
    """
    possible = (pc.max(app).as_py() + 1) * codes
    if possible > len(app):
        pairs = packed(app.cast(pa.int64()), code, codes).dictionary_encode()
        return pairs.indices, pairs.dictionary
    return packed(app, code, codes), pc.subtract(pc.cumulative_sum(pa.repeat(pa.scalar(1, pa.int32()), possible)), 1)


def _by_amount(of_cells: Sequence[pa.RecordBatch], cells: Cells) -> pa.RecordBatch:
    """The sums of each amount, over the cells that count for it."""
    first, found = of_cells[0], {}
    for amount in dict.fromkeys(chain.from_iterable(cells.amounts)):
        pairs = zip(of_cells, cells.amounts, strict=True)
        found[amount.name] = reduce(_sum, (sums[measure_name(amount)] for sums, some in pairs if amount in some))
    return pa.record_batch({APP: first[APP], CODE: first[CODE], **found})


def _sum(one: pa.Array, other: pa.Array) -> pa.Array:
    """The sum of what is not null; null where both are."""
    if pa.types.is_decimal(one.type):
        wide = pa.decimal256(75, one.type.scale)  # the sum takes the 76th digit
        one, other = one.cast(wide), other.cast(wide)
    return pc.coalesce(pc.add(one, other), one, other)


def keys_of(rows: pa.RecordBatch, dimensions: Iterable[Dimension], day: date) -> dict[str, Keys]:
    """The keys of each dimension."""
    return {dimension: _keys(rows.column(dimension.column), dimension, day) for dimension in dimensions}


def measures_of(rows: pa.RecordBatch, amounts: Iterable[Amount]) -> dict[str, pa.Array]:
    """The numbers to sum for `amounts`, 0 for null: 64 bits if they hold the sum of all rows, otherwise wider."""
    return {name: _measure(rows, amount) for name, amount in {measure_name(each): each for each in amounts}.items()}


def _measure(rows: pa.RecordBatch, amount: Amount) -> pa.Array:
    columns = [rows.column(name) for name in (amount.measure, amount.times) if name]
    factors = [pc.fill_null(column, 0) if column.null_count else column for column in columns]
    if not amount.is_money and prod(map(largest, factors)) * rows.num_rows >= _INT64_VALUES:
        factors = [factor.cast(_WIDE_INTEGER) for factor in factors]
    return factors[0] if len(factors) == 1 else pc.multiply(*factors)


def measure_name(amount: Amount) -> str:
    """The column of the sums that an amount is made of; amounts of different rows can share it."""
    return f"{amount.measure} * {amount.times}" if amount.times else amount.measure


def _passes(keys: Mapping[str, Keys], bases: int, rows: int) -> list[dict[str, Keys]]:
    """The keys to group by together. A pass takes time for each row and for each of its groups, so that neither one
    pass with all keys nor one for each key is the fastest."""

    def cost(passes: Sequence[Mapping[str, Keys]]) -> int:
        return sum(rows + _ROWS_OF_A_GROUP * bases * _combinations(together) for together in passes)

    largest_first = dict(sorted(keys.items(), key=lambda item: len(item[1].values), reverse=True))
    return min((_spread(largest_first, count) for count in range(1, max(len(keys), 1) + 1)), key=cost)


def _spread(keys: Mapping[str, Keys], count: int) -> list[dict[str, Keys]]:
    """The keys in `count` passes, with about as many combinations of values in each."""
    passes: list[dict[str, Keys]] = [{} for _ in range(count)]
    combinations = [1] * count
    for name, key in keys.items():
        fewest = combinations.index(min(combinations))
        passes[fewest][name] = key
        combinations[fewest] *= len(key.values)
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


def _grouped(base: Numbers, bases: int, keys: Mapping[str, Keys], measures: Mapping[str, Numbers]) -> pa.RecordBatch:
    """The sums by `base`, which is below `bases`, and by all keys, in no order."""
    numbers = base if bases * _combinations(keys) < _INT32_VALUES else base.cast(pa.int64())
    for key in keys.values():
        numbers = packed(numbers, key.codes, len(key.values))
    grouping = pa.TableGroupBy(pa.table({"numbers": numbers, **measures}), ["numbers"], use_threads=False)
    sums = in_one_batch(grouping.aggregate([(name, "sum") for name in measures]))
    rest, codes = sums["numbers"], {}
    for name, key in reversed(list(keys.items())):
        rest, code = split(rest, len(key.values))
        codes[name] = in_32_bits(code)
    summed = {name: sums[f"{name}_sum"] for name in measures}
    return pa.record_batch({_BASE: in_32_bits(rest), **codes, **summed})

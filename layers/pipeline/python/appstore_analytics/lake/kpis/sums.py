"""Sums over rows by app, class and the values of one dimension at a time, in few passes over the rows."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from math import prod

import pyarrow as pa
import pyarrow.compute as pc

from appstore_analytics.contract.kpis.definition import LAST_DAY_SINCE_DOWNLOAD, Amount, Dimension
from appstore_analytics.contract.kpis.stored import TOTAL

APP, GROUP, CODE = "app", "group", "code"

_ROWS_OF_A_GROUP = 16
"""Dimensions share a pass if its groups have at least this many rows; the groups' sums are then summed again."""

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

    `table` has `APP`, `GROUP` (the class), `CODE` (an index of `dimensions` and of `values`), and a column for each
    measure.
    """

    table: pa.Table
    dimensions: pa.DictionaryArray
    values: pa.DictionaryArray


def sums_by_dimension(
    rows: pa.RecordBatch, measures: Mapping[str, pa.Array], keys: Mapping[str, Keys], classes: int
) -> tuple[Sums, Sums | None]:
    """The sums by `TOTAL`, whose only value is null, and those by each of `keys`, None without any.

    `rows` have `APP`, an index in ascending order, and `GROUP`, below `classes`.
    """
    base = packed(rows.column(APP), rows.column(GROUP), classes)
    apps = rows.column(APP)[-1].as_py() - rows.column(APP)[0].as_py() + 1
    passes = list(_passes(keys, rows.num_rows / (_ROWS_OF_A_GROUP * apps * classes)))
    sums = [_grouped(base, together, measures) for together in passes]
    fewest = min(sums, key=len)
    total = fewest.append_column(TOTAL, pa.repeat(pa.scalar(0, pa.int32()), len(fewest)))
    totals = _added_up({TOTAL: total}, {TOTAL: pa.nulls(1, pa.string())}, measures, classes)
    found = {name: each for together, each in zip(passes, sums, strict=True) for name in together}
    values = {name: keys[name].values for name in found}
    return totals, _added_up(found, values, measures, classes) if found else None


def _added_up(
    found: Mapping[str, pa.Table], values: Mapping[str, pa.Array], measures: Iterable[str], classes: int
) -> Sums:
    """The sums by each of the columns of codes `found`, all in one pass: most of a small one's time is its start."""
    pieces, first = [], 0
    for name, sums in found.items():
        codes = pc.add(sums[name], pa.scalar(first, pa.int32()))
        pieces.append(sums.select(["base", *measures]).append_column(CODE, codes))
        first += len(values[name])
    rows = pa.concat_tables(pieces)
    every_value = pa.concat_arrays(list(values.values()))
    sums = _grouped(rows["base"], {CODE: Keys(rows[CODE], every_value)}, {name: rows[name] for name in measures})
    app, group = split(sums["base"], classes)
    numbers = [pa.repeat(pa.scalar(number, pa.int32()), len(each)) for number, each in enumerate(values.values())]
    return Sums(
        pa.table({APP: app, GROUP: group, CODE: sums[CODE], **{name: sums[name] for name in measures}}),
        pa.DictionaryArray.from_arrays(pa.concat_arrays(numbers), pa.array(list(values))),
        every_value.dictionary_encode(),
    )


def keys_of(rows: pa.RecordBatch, dimensions: Iterable[Dimension], day: date) -> dict[str, Keys]:
    """The keys of each dimension."""
    return {dimension: _keys(rows.column(dimension.column), dimension, day) for dimension in dimensions}


def measures_of(rows: pa.RecordBatch, amounts: Iterable[Amount]) -> dict[str, pa.Array]:
    """The numbers to sum for `amounts`: 64 bits if they certainly hold the sum of all rows, otherwise wider."""
    found = {}
    for amount in amounts:
        factors = [rows.column(name) for name in (amount.measure, amount.times) if name]
        if not amount.is_money and prod(map(largest, factors)) * rows.num_rows >= _INT64_VALUES:
            factors = [factor.cast(_WIDE_INTEGER) for factor in factors]
        found[measure_name(amount)] = factors[0] if len(factors) == 1 else pc.multiply(*factors)
    return found


def measure_name(amount: Amount) -> str:
    """The name of an amount's column in `Sums`."""
    return f"{amount.measure} * {amount.times}" if amount.times else amount.measure


def _passes(keys: Mapping[str, Keys], most_groups: float) -> Iterator[dict[str, Keys]]:
    """The keys to group by together, those with few values first."""
    waiting: dict[str, Keys] = {}
    for name, key in sorted(keys.items(), key=lambda item: len(item[1].values)):
        groups = prod(len(each.values) for each in waiting.values())
        if groups > 1 and groups * len(key.values) > most_groups:
            yield waiting
            waiting = {}
        waiting[name] = key
    yield waiting


def _keys(column: pa.Array, dimension: Dimension, day: date) -> Keys:
    if dimension is Dimension.DAYS_SINCE_DOWNLOAD:
        days = pc.subtract(pa.scalar((day - _EPOCH).days, pa.int32()), column.cast(pa.int32()))
        is_filled = pc.and_(pc.greater_equal(days, 0), pc.less_equal(days, LAST_DAY_SINCE_DOWNLOAD))
        codes = pc.if_else(is_filled, days, pa.scalar(None, pa.int32()))
        values = pa.array([str(number) for number in range(LAST_DAY_SINCE_DOWNLOAD + 1)])
    else:
        codes, values = column.indices, column.dictionary
    with_null = pa.concat_arrays([values, pa.nulls(1, pa.string())])
    return Keys(pc.fill_null(codes, len(values)) if codes.null_count else codes, with_null)


def largest(column: pa.Array) -> int:
    """The largest absolute value of a column; 0 without values."""
    bounds = pc.min_max(column).as_py()
    return int(max(abs(bounds["min"] or 0), abs(bounds["max"] or 0)))


def packed(high: pa.Array, low: pa.Array, size: int) -> pa.Array:
    """Two numbers packed into one; `low` is below `size`. Arrow groups by one column much faster than by several."""
    return pc.add(pc.multiply(high, pa.scalar(size, high.type)), low)


def split(numbers: pa.ChunkedArray, size: int) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """The two numbers that were packed."""
    high = pc.divide(numbers, pa.scalar(size, numbers.type))
    return high, pc.subtract(numbers, pc.multiply(high, pa.scalar(size, numbers.type)))


def _grouped(base: pa.Array, keys: Mapping[str, Keys], measures: Mapping[str, pa.Array]) -> pa.Table:
    """The sums by `base` and all keys, in the order of their first rows."""
    numbers = base
    if (pc.max(base).as_py() + 1) * prod(len(key.values) for key in keys.values()) >= _INT32_VALUES:
        numbers = base.cast(pa.int64())
    for key in keys.values():
        numbers = packed(numbers, key.codes, len(key.values))
    grouping = pa.TableGroupBy(pa.table({"numbers": numbers, **measures}), ["numbers"], use_threads=False)
    sums = grouping.aggregate([(name, "sum") for name in measures])
    rest, codes = sums["numbers"], {}
    for name, key in reversed(list(keys.items())):
        rest, code = split(rest, len(key.values))
        codes[name] = code.cast(pa.int32())
    return pa.table({"base": rest.cast(pa.int32()), **codes, **{name: sums[f"{name}_sum"] for name in measures}})

"""The rows of `marts.kpis` in memory, one for each app, amount, dimension and value of it; they add up like amounts."""

from collections.abc import Sequence
from decimal import Decimal
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from appstore_analytics.contract.kpis.definition import Amount
from appstore_analytics.lake.kpis.schema import KEYS, STRINGS, SUMS
from appstore_analytics.lake.kpis.sums import APP, CODE, Sums, largest
from appstore_analytics.lake.schema import MONEY_SCALE

_VALUES = ("amount", "usd")
_SUM_OF_MONEY = pa.decimal128(38, MONEY_SCALE)
_WIDE = pa.decimal256(76, 0)
_LARGEST_COUNT = pa.scalar(Decimal(2**63 - 1), _WIDE)
_LARGEST_AMOUNT = pa.scalar(Decimal("999999999999.999999"), _SUM_OF_MONEY)


def rows_of_sums(sums: Sums, amounts: Sequence[Amount], apps: pa.Array) -> pa.Table:
    """A row for each sum of an app, in the order of `apps`, of which `APP` is an index; sums keep their width.

    The table has a column `usd` only if some of `amounts` are money: nulls in it take 16 bytes each.
    """
    length, times = len(sums.rows), len(amounts)
    # All sums of the first amount, then all of the second. What does not exist gets no app and is sorted to the end.
    columns = _end_to_end(sums.rows, amounts)
    exists = reduce(pc.or_, (column.is_valid() for column in columns.values()))
    app = pc.if_else(exists, pa.concat_arrays([sums.rows[APP]] * times), pa.scalar(None, pa.int32()))
    order = pc.array_sort_indices(app).slice(0, len(app) - app.null_count)
    code = _take(pa.concat_arrays([sums.rows[CODE]] * times), order)
    ends = pa.array(range(length, length * times + 1, length), pa.int32())
    kpi = pc.run_end_decode(pa.RunEndEncodedArray.from_arrays(ends, pa.array(range(times), pa.int32())))
    names = pa.array([amount.name for amount in amounts])
    return pa.table(
        {
            "app_id": _take(apps, _take(app, order)),
            "kpi": pa.DictionaryArray.from_arrays(_take(kpi, order), names, safe=False),
            "dimension": _taken(sums.dimensions, code),
            "value": _taken(sums.values, code),
            **{name: _take(column, order) for name, column in columns.items()},
        }
    )


def in_order(rows: pa.Table) -> pa.Table:
    """`rows` sorted by app, dimension, amount and value."""
    strings = {name: rows[name].cast(pa.string()) for name in STRINGS}  # Arrow does not sort by several dictionaries
    keys = [(name, "ascending") for name in ("app_id", "dimension", "kpi", "value")]
    return rows.take(pc.sort_indices(pa.table({"app_id": rows["app_id"], **strings}), keys))


def added(tables: Sequence[pa.Table]) -> pa.Table:
    """The sums of the rows of several tables that are equal in `KEYS`; a sum without any value is null."""
    rows = joined(tables).unify_dictionaries().combine_chunks()
    rows = rows if _fits(rows["amount"]) else _with_wide_amounts(rows)
    # Grouped by numbers: as a key, a dictionary's null gets an index out of range, at which Arrow then reads
    # (apache/arrow#44827).
    words = {name: rows[name].combine_chunks() for name in STRINGS}
    codes = {name: pc.fill_null(each.indices, len(each.dictionary)) for name, each in words.items()}
    values = {name: rows[name] for name in _VALUES if name in rows.column_names}
    numbers = pa.table({"app_id": rows["app_id"], **codes, **values})
    sums = pa.TableGroupBy(numbers, list(KEYS), use_threads=False).aggregate([(name, "sum") for name in values])
    found = {name: _taken(_with_null(each.dictionary), sums[name].combine_chunks()) for name, each in words.items()}
    return pa.table({"app_id": sums["app_id"], **found, **{name: sums[f"{name}_sum"] for name in values}})


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """The rows of all tables; their amounts are wide if those of any are."""
    if any(table["amount"].type != pa.int64() for table in tables):
        tables = [_with_wide_amounts(table) for table in tables]
    return pa.concat_tables(tables)


def zeros(apps: pa.Array, amounts: Sequence[Amount], dimension: str) -> pa.Table:
    """A row of 0 for each amount and app."""
    sums = pa.record_batch(
        {
            APP: pa.array(range(len(apps)), pa.int32()),
            CODE: pa.repeat(pa.scalar(0, pa.int32()), len(apps)),
            **{amount.name: pa.repeat(pa.scalar(0, pa.int64()), len(apps)) for amount in amounts},
        }
    )
    dimensions = pa.array([dimension]).dictionary_encode()
    return rows_of_sums(Sums(sums, dimensions, pa.nulls(1, pa.string()).dictionary_encode()), amounts, apps)


def fitted(rows: pa.Table) -> pa.Table:
    """`rows` in the types of `SUMS`.

    A sum that exceeds its type is null, which is neither wrong nor zero.
    """
    amount = rows["amount"]
    if amount.type != pa.int64():
        amount = _null_above(amount.cast(_WIDE), _LARGEST_COUNT).cast(pa.int64())
    usd = _null_above(rows["usd"], _LARGEST_AMOUNT) if "usd" in rows.column_names else pa.nulls(len(rows))
    keys = {name: rows[name] for name in KEYS}
    return pa.table({**keys, "amount": amount, "usd": usd.cast(SUMS.field("usd").type)})


def _end_to_end(rows: pa.RecordBatch, amounts: Sequence[Amount]) -> dict[str, pa.Array]:
    """The sums of one amount after the other: `amount`, null for money, and `usd`, null for what is not money."""

    def column(type_: pa.DataType, *, is_money: bool) -> pa.Array:
        none = pa.nulls(rows.num_rows, type_)
        sums = (rows[amount.name] if amount.is_money == is_money else none for amount in amounts)
        return pa.concat_arrays([each if each.type == type_ else each.cast(type_) for each in sums])

    is_wide = any(rows[amount.name].type != pa.int64() for amount in amounts if not amount.is_money)
    columns = {"amount": column(_WIDE if is_wide else pa.int64(), is_money=False)}
    if any(amount.is_money for amount in amounts):
        columns["usd"] = column(_SUM_OF_MONEY, is_money=True)
    return columns


def _take(values: pa.Array, places: pa.Array) -> pa.Array:
    return pc.take(values, places, boundscheck=False)


def _taken(words: pa.DictionaryArray, codes: pa.Array) -> pa.Array:
    return pa.DictionaryArray.from_arrays(_take(words.indices, codes), words.dictionary, safe=False)


def _with_null(words: pa.Array) -> pa.DictionaryArray:
    """An entry for each of the words, and null."""
    return pa.DictionaryArray.from_arrays(pa.array([*range(len(words)), None], pa.int32()), words)


def _fits(amounts: pa.ChunkedArray) -> bool:
    """Whether 64 bits certainly hold the sum of all amounts."""
    return largest(amounts) * len(amounts) < 1 << 63


def _with_wide_amounts(rows: pa.Table) -> pa.Table:
    place = rows.column_names.index("amount")
    return rows.set_column(place, "amount", rows["amount"].cast(_WIDE))


def _null_above(sums: pa.ChunkedArray, largest: pa.Scalar) -> pa.ChunkedArray:
    return pc.if_else(pc.less_equal(pc.abs(sums), largest), sums, pa.scalar(None, sums.type))

"""The rows of `marts.kpis` in memory, one for each app, amount, dimension and value of it; they add up like amounts."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from appstore_analytics.contract.kpis.definition import Amount
from appstore_analytics.lake.kpis.classes import Classes
from appstore_analytics.lake.kpis.packing import packed, split
from appstore_analytics.lake.kpis.schema import KEYS, STRINGS, SUMS
from appstore_analytics.lake.kpis.sums import APP, CLASS, CODE, Sums, largest, measure_name
from appstore_analytics.lake.schema import DICTIONARY, MONEY_SCALE

_SUM_OF_MONEY = pa.decimal128(38, MONEY_SCALE)
_WIDE = pa.decimal256(76, 0)
_LARGEST_COUNT = pa.scalar(Decimal(2**63 - 1), _WIDE)
_LARGEST_AMOUNT = pa.scalar(Decimal("999999999999.999999"), _SUM_OF_MONEY)


def rows_of_sums(sums: Sums, classes: Classes) -> list[pa.Table]:
    """A table for each measure, with `APP` instead of app ids; sums keep their width."""
    amounts = [amount for of_class in classes.amounts for amount in of_class]
    measures = dict.fromkeys(measure_name(amount) for amount in amounts)
    slices = {"dimension": _taken(sums.dimensions, sums.table[CODE]), "value": _taken(sums.values, sums.table[CODE])}
    return [_rows(sums.table, slices, measure, classes) for measure in measures]


def in_order_of_apps(tables: Sequence[pa.Table], apps: pa.Array) -> pa.Table:
    """One table, sorted by `APP`, which is an index of `apps`; equal rows keep their order."""
    rows = _joined(tables)
    app = rows[APP].combine_chunks()
    rows = rows.take(pc.array_sort_indices(app)) if len(apps) > 1 else rows
    return rows.set_column(0, "app_id", pc.take(apps, rows[APP]))


def in_order(rows: pa.Table) -> pa.Table:
    """`rows` sorted by app, dimension, amount and value."""
    strings = {name: rows[name].cast(pa.string()) for name in STRINGS}  # Arrow does not sort by several dictionaries
    keys = [(name, "ascending") for name in ("app_id", "dimension", "kpi", "value")]
    return rows.take(pc.sort_indices(pa.table({"app_id": rows["app_id"], **strings}), keys))


def added(tables: Sequence[pa.Table]) -> pa.Table:
    """The sums of the rows of several tables that are equal in `KEYS`, in the order of the first ones."""
    rows = _joined(tables)
    columns = [rows["app_id"].combine_chunks().dictionary_encode(), *(rows[name].combine_chunks() for name in STRINGS)]
    numbers = pa.repeat(pa.scalar(0, pa.int64()), rows.num_rows)
    for column in columns:
        numbers = packed(numbers, pc.fill_null(column.indices, len(column.dictionary)), len(column.dictionary) + 1)
    sums = _summed(rows, numbers)
    rest, keys = sums["numbers"], {}
    for name, column in reversed(list(zip(KEYS, columns, strict=True))):
        rest, codes = split(rest, len(column.dictionary) + 1)
        keys[name] = _taken(_with_null(column.dictionary), codes)
    apps = keys["app_id"].dictionary_decode()
    return pa.table([apps, *(keys[name] for name in STRINGS), sums["amount"], sums["usd"]], names=rows.column_names)


def zeros(apps: pa.Array, amount: Amount, dimension: str) -> pa.Table:
    """A row of 0 for each app."""
    words = {"kpi": amount.name, "dimension": dimension, "value": None}
    strings = {
        name: pa.repeat(pa.scalar(word, pa.string()), len(apps)).cast(DICTIONARY) for name, word in words.items()
    }
    return pa.table({"app_id": apps, **strings, **_columns(pa.repeat(pa.scalar(0, pa.int64()), len(apps)), amount)})


def fitted(rows: pa.Table) -> pa.Table:
    """`rows` in the types of `SUMS`.

    A sum that exceeds its type is null, which is neither wrong nor zero.
    """
    amount, usd = rows["amount"], rows["usd"]
    if amount.type != pa.int64():
        amount = _null_above(amount.cast(_WIDE), _LARGEST_COUNT).cast(pa.int64())
    if usd.null_count < len(usd):  # most tables have no money
        usd = _null_above(usd, _LARGEST_AMOUNT)
    usd = usd.cast(SUMS.field("usd").type)
    return pa.table([rows["app_id"], *(rows[name].cast(DICTIONARY) for name in STRINGS), amount, usd], schema=SUMS)


def _summed(rows: pa.Table, numbers: pa.Array) -> pa.Table:
    """The sums of rows that are equal in `numbers`; a sum without any value is null."""
    amounts = (rows if _fits(rows["amount"]) else _with_wide_amounts(rows)).select(["amount", "usd"])
    filled = [name for name in amounts.column_names if amounts[name].null_count < len(amounts)]
    grouping = pa.TableGroupBy(amounts.append_column("numbers", numbers), ["numbers"], use_threads=False)
    sums = grouping.aggregate([(name, "sum") for name in filled])
    found = {name: sums[f"{name}_sum"] for name in filled}
    nulls = {name: pa.nulls(len(sums), amounts[name].type) for name in ("amount", "usd")}
    return pa.table({"numbers": sums["numbers"], **nulls, **found})


def _rows(sums: pa.Table, slices: Mapping[str, pa.Array], measure: str, classes: Classes) -> pa.Table:
    of_class = [next((each for each in some if measure_name(each) == measure), None) for some in classes.amounts]
    amounts = [amount for amount in of_class if amount is not None]
    kpi_of_class = pa.array([amounts.index(amount) if amount else None for amount in of_class], pa.int32())
    kpis = pa.DictionaryArray.from_arrays(kpi_of_class, pa.array([amount.name for amount in amounts]))
    kpi = _taken(kpis, sums[CLASS])
    columns = _columns(pc.fill_null(sums[measure], 0), amounts[0])
    rows = pa.table({APP: sums[APP], "kpi": kpi, **slices, **columns})
    return rows.filter(kpi.is_valid()) if kpi.null_count else rows


def _taken(words: pa.DictionaryArray, codes: pa.ChunkedArray) -> pa.Array:
    indices = pc.take(words.indices, codes.combine_chunks(), boundscheck=False)
    return pa.DictionaryArray.from_arrays(indices, words.dictionary, safe=False)


def _with_null(words: pa.Array) -> pa.DictionaryArray:
    """An entry for each of the words, and null."""
    return pa.DictionaryArray.from_arrays(pa.array([*range(len(words)), None], pa.int32()), words)


def _fits(amounts: pa.ChunkedArray) -> bool:
    """Whether 64 bits certainly hold the sum of all amounts."""
    return largest(amounts) * len(amounts) < 1 << 63


def _columns(sums: pa.ChunkedArray, amount: Amount) -> dict[str, pa.ChunkedArray]:
    if amount.is_money:
        return {"amount": pa.nulls(len(sums), pa.int64()), "usd": sums.cast(_SUM_OF_MONEY)}
    return {"amount": sums, "usd": pa.nulls(len(sums), _SUM_OF_MONEY)}


def _joined(tables: Sequence[pa.Table]) -> pa.Table:
    """The rows of all tables in one piece; their amounts are wide if those of any are."""
    if any(table["amount"].type != pa.int64() for table in tables):
        tables = [_with_wide_amounts(table) for table in tables]
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def _with_wide_amounts(rows: pa.Table) -> pa.Table:
    place = rows.column_names.index("amount")
    return rows.set_column(place, "amount", rows["amount"].cast(_WIDE))


def _null_above(sums: pa.ChunkedArray, largest: pa.Scalar) -> pa.ChunkedArray:
    return pc.if_else(pc.less_equal(pc.abs(sums), largest), sums, pa.scalar(None, sums.type))

"""The rows of `marts.kpis` in memory, one for each app, amount, dimension and value of it; they add up like amounts."""

from collections.abc import Sequence
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from appstore_analytics.contract.kpis.definition import Amount
from appstore_analytics.lake.kpis.schema import KEYS, STRINGS, SUMS
from appstore_analytics.lake.kpis.sums import APP, CODE, Sums, largest
from appstore_analytics.lake.schema import DICTIONARY, MONEY_SCALE

_SUM_OF_MONEY = pa.decimal128(38, MONEY_SCALE)
_WIDE = pa.decimal256(76, 0)
_LARGEST_COUNT = pa.scalar(Decimal(2**63 - 1), _WIDE)
_LARGEST_AMOUNT = pa.scalar(Decimal("999999999999.999999"), _SUM_OF_MONEY)


def rows_of_sums(sums: Sums, amounts: Sequence[Amount], apps: pa.Array) -> pa.Table:
    """A row for each sum, in the order of `apps`, of which `APP` is an index; sums keep their width."""
    rows = joined([_numbered(sums.rows[amount.name], amount, number) for number, amount in enumerate(amounts)])
    app = pc.take(sums.rows[APP], rows["row"].combine_chunks(), boundscheck=False)
    order = pc.array_sort_indices(app)
    rows = rows.combine_chunks().take(order)
    code = pc.take(sums.rows[CODE], rows["row"].combine_chunks(), boundscheck=False)
    names = pa.array([amount.name for amount in amounts])
    columns = {
        "app_id": pc.take(apps, pc.take(app, order, boundscheck=False), boundscheck=False),
        "kpi": pa.DictionaryArray.from_arrays(rows["kpi"].combine_chunks(), names),
        "dimension": _taken(sums.dimensions, code),
        "value": _taken(sums.values, code),
    }
    return pa.table({**columns, "amount": rows["amount"], "usd": rows["usd"]})


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
    numbers = pa.table({"app_id": rows["app_id"], **codes, "amount": rows["amount"], "usd": rows["usd"]})
    sums = pa.TableGroupBy(numbers, list(KEYS), use_threads=False).aggregate([("amount", "sum"), ("usd", "sum")])
    found = {name: _taken(_with_null(each.dictionary), sums[name].combine_chunks()) for name, each in words.items()}
    return pa.table({"app_id": sums["app_id"], **found, "amount": sums["amount_sum"], "usd": sums["usd_sum"]})


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """The rows of all tables; their amounts are wide if those of any are."""
    if any(table["amount"].type != pa.int64() for table in tables):
        tables = [_with_wide_amounts(table) for table in tables]
    return pa.concat_tables(tables)


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


def _numbered(sums: pa.Array, amount: Amount, number: int) -> pa.Table:
    """The sums that exist, with the number of their row and of their amount."""
    row = pc.indices_nonzero(sums.is_valid())
    kpi = pa.repeat(pa.scalar(number, pa.int32()), len(row))
    return pa.table({"row": row, "kpi": kpi, **_columns(sums.drop_null(), amount)})


def _taken(words: pa.DictionaryArray, codes: pa.Array) -> pa.Array:
    indices = pc.take(words.indices, codes, boundscheck=False)
    return pa.DictionaryArray.from_arrays(indices, words.dictionary, safe=False)


def _with_null(words: pa.Array) -> pa.DictionaryArray:
    """An entry for each of the words, and null."""
    return pa.DictionaryArray.from_arrays(pa.array([*range(len(words)), None], pa.int32()), words)


def _fits(amounts: pa.ChunkedArray) -> bool:
    """Whether 64 bits certainly hold the sum of all amounts."""
    return largest(amounts) * len(amounts) < 1 << 63


def _columns(sums: pa.Array, amount: Amount) -> dict[str, pa.Array]:
    if amount.is_money:
        return {"amount": pa.nulls(len(sums), pa.int64()), "usd": sums.cast(_SUM_OF_MONEY)}
    return {"amount": sums, "usd": pa.nulls(len(sums), _SUM_OF_MONEY)}


def _with_wide_amounts(rows: pa.Table) -> pa.Table:
    place = rows.column_names.index("amount")
    return rows.set_column(place, "amount", rows["amount"].cast(_WIDE))


def _null_above(sums: pa.ChunkedArray, largest: pa.Scalar) -> pa.ChunkedArray:
    return pc.if_else(pc.less_equal(pc.abs(sums), largest), sums, pa.scalar(None, sums.type))

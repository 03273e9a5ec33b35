"""Sorting rows by columns of few values: the numbers of the values are sorted, by counting where they span little."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

_COUNTED_KEYS = 65_536
"""Arrow sorts numbers that span no more than this by counting them, which takes a fifth of the time."""


def sorted_by(rows: pa.Table, columns: Sequence[str]) -> pa.Table:
    """`rows`, in one chunk, sorted by dates or dictionaries of strings, the first column before the second.

    Null comes before all values; rows that are equal in all `columns` keep their order. Rows that are sorted already
    are given back as they are.
    """
    order = None
    for key in _keys(rows, columns):
        if order is None:
            order = None if _is_sorted(key) else pc.array_sort_indices(key)
        elif not _is_sorted(reordered := key.take(order)):
            order = order.take(pc.array_sort_indices(reordered))
    return rows if order is None else rows.take(order)


def _is_sorted(key: pa.Array) -> bool:
    return not pc.any(pc.less(key[1:], key[:-1])).as_py()


def _keys(rows: pa.Table, columns: Sequence[str]) -> Iterator[pa.Array]:
    """Numbers that compare as the columns do, the least significant columns first.

    As many columns share a number as keep it below `_COUNTED_KEYS`.
    """
    key, keys = None, 1
    for name in reversed(columns):
        places, count = _places(rows[name])
        if key is not None and keys * count > _COUNTED_KEYS:
            yield key
            key, keys = None, 1
        key = places if key is None else pc.add(pc.multiply(places, pa.scalar(keys, pa.int32())), key)
        keys *= count
    if key is not None:
        yield key


def _places(column: pa.ChunkedArray) -> tuple[pa.Array, int]:
    """The place of each value among the values that the column may have, and how many places there are."""
    if not column.num_chunks:
        return pa.array([], pa.int32()), 1
    array = column.chunk(0)
    if pa.types.is_dictionary(array.type):
        ranks = pc.rank(array.dictionary).cast(pa.int32())  # from 1 on
        return pc.fill_null(ranks.take(array.indices), 0), len(ranks) + 1
    numbers = array.cast(pa.int32())
    bounds = pc.min_max(numbers)
    if not bounds["min"].is_valid:
        return pc.fill_null(numbers, 0), 1
    places = pc.fill_null(pc.subtract(numbers, pc.subtract(bounds["min"], 1)), 0)
    return places, bounds["max"].as_py() - bounds["min"].as_py() + 2

"""Rows in memory: record batches, which hold each column in one piece, with one dictionary where it is of strings."""

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

_ROWS_OF_AN_ENTRY = 4
"""A dictionary of fewer entries is written whole: to find those in use costs more than the room of the others."""

_COUNTED_ROWS = 16_384
"""Enough to see which strings are frequent, in a fraction of the time that all rows take."""


def in_one_batch(rows: pa.Table) -> pa.RecordBatch:
    """`rows` with one dictionary per column."""
    batches = rows.to_batches()
    if len(batches) > 1:
        batches = rows.unify_dictionaries().combine_chunks().to_batches()
    (batch,) = batches or [pa.RecordBatch.from_pylist([], rows.schema)]
    return batch


def with_frequent_strings_first(rows: pa.Table, strings: Iterable[str]) -> pa.Table:
    """`rows` whose dictionaries, of the columns `strings`, begin with what is frequent once they are one per column.

    A file says of each row which entry it has, in as few bits as the dictionary needs: where frequent strings have
    small numbers most bits are zero, and compression leaves less of them. What is frequent is counted in the first
    rows; a batch of no rows, ahead of all, has the dictionaries that the others' are then joined to.
    """
    first = rows.slice(0, _COUNTED_ROWS).to_batches()[0]
    ahead = first.slice(0, 0)
    for name in strings:
        column = first.column(name)
        counted = column.indices.drop_null().value_counts()
        order = pc.array_sort_indices(counted.field("counts"), order="descending")
        dictionary = column.dictionary.take(counted.field("values").take(order))
        none = pa.DictionaryArray.from_arrays(column.indices.slice(0, 0), dictionary)
        place = rows.schema.get_field_index(name)
        ahead = ahead.set_column(place, rows.schema.field(place), none)
    return pa.concat_tables([pa.Table.from_batches([ahead]), rows])


def with_own_dictionaries(rows: pa.RecordBatch, strings: Iterable[str]) -> pa.RecordBatch:
    """`rows` whose dictionaries, of the columns `strings`, hold their values, and no others where there are many.

    A slice keeps the dictionary of what it was cut from, and the Parquet writer would write all of it.
    """
    for name in strings:
        column = rows.column(name)
        if _ROWS_OF_AN_ENTRY * len(column.dictionary) > len(column):
            used = column.indices.dictionary_encode()
            values = pc.take(column.dictionary, used.dictionary, boundscheck=False)
            own = pa.DictionaryArray.from_arrays(used.indices, values, safe=False)
            place = rows.schema.get_field_index(name)
            rows = rows.set_column(place, rows.schema.field(place), own)
    return rows


def with_required_columns(rows: pa.RecordBatch) -> pa.RecordBatch:
    """`rows` whose schema says of each column without a null that it has none: a file then keeps no room for nulls."""
    columns = rows.columns
    fields = [field.with_nullable(column.null_count > 0) for field, column in zip(rows.schema, columns, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=pa.schema(fields))

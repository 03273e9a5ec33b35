"""Rows in memory: record batches, with each column in one piece, and one dictionary per column of strings."""

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

_ROWS_OF_AN_ENTRY = 4
"""A dictionary with fewer entries is written whole: finding those in use costs more than the space of the others."""

_COUNTED_ROWS = 16_384
"""Enough rows to find the frequent strings, in a fraction of the time that all rows would take."""


def in_one_batch(rows: pa.Table) -> pa.RecordBatch:
    """`rows` with one dictionary per column."""
    batches = rows.to_batches()
    if len(batches) > 1:
        batches = rows.unify_dictionaries().combine_chunks().to_batches()
    (batch,) = batches or [pa.RecordBatch.from_pylist([], rows.schema)]
    return batch


def with_frequent_strings_first(rows: pa.Table, strings: Iterable[str]) -> pa.Table:
    """`rows` whose dictionaries, in the columns `strings`, begin with frequent values when they are merged.

    A file stores the entry number of each row, in as few bits as the dictionary needs: if frequent strings have small
    numbers, most bits are zero and compress better. Frequency is counted in the first rows; an empty batch at the
    beginning has the dictionaries to which the others are then joined.
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
    """`rows` whose dictionaries, in the columns `strings`, hold only their own values if there are many.

    A slice keeps the whole dictionary of its source, and the Parquet writer would write all of it.
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
    """`rows` whose schema marks each column without nulls as not nullable, which saves definition levels in a file."""
    columns = rows.columns
    fields = [field.with_nullable(column.null_count > 0) for field, column in zip(rows.schema, columns, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=pa.schema(fields))

"""How a Parquet file of the lake is written: its bytes are a function of its rows, and of nothing else."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from appstore_analytics.lake.schema import in_memory

WRITER_VERSION = "1"
"""Raise it when the same rows would be written as other bytes: every Date is then published again."""

ROW_GROUP_ROWS = 250_000
"""Rows of a row group: a reader and a writer hold about this many in memory."""


class RowGroups:
    """A Parquet file that takes rows of any number and writes row groups of exactly `ROW_GROUP_ROWS`, the last fewer.

    `schema` is the file's, with plain strings; rows come with dictionaries in their place (`schema.in_memory`).
    Each row group carries only the strings that it holds, in the order in which they appear.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._writer = pq.ParquetWriter(
            path,
            in_memory(schema),
            compression="zstd",
            compression_level=1,
            store_schema=False,  # Arrow's own copy of the schema would say "dictionary", which is nobody's business
            write_batch_size=65_536,
        )
        self._waiting = [in_memory(schema).empty_table()]
        self._waiting_rows = 0
        self.rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def append(self, rows: pa.Table) -> None:
        """Write `rows` after those before."""
        self._waiting.append(rows)
        self._waiting_rows += rows.num_rows
        self.rows += rows.num_rows
        if self._waiting_rows >= ROW_GROUP_ROWS:
            self._write_full_groups()

    def finish(self, footer: Mapping[str, str]) -> None:
        """Write what still waits, and `footer` as the file's key-value metadata."""
        self._write_full_groups()
        if self._waiting_rows:
            self._write_group(pa.concat_tables(self._waiting))
        self._writer.add_key_value_metadata(dict(footer))

    def _write_full_groups(self) -> None:
        rows = pa.concat_tables(self._waiting)
        while rows.num_rows >= ROW_GROUP_ROWS:
            self._write_group(rows.slice(0, ROW_GROUP_ROWS))
            rows = rows.slice(ROW_GROUP_ROWS)
        self._waiting, self._waiting_rows = [rows], rows.num_rows

    def _write_group(self, rows: pa.Table) -> None:
        self._writer.write_table(with_own_dictionaries(rows), row_group_size=ROW_GROUP_ROWS)


def with_own_dictionaries(rows: pa.Table) -> pa.Table:
    """`rows` in one chunk, whose dictionaries hold the values of these rows only, in order of appearance.

    A slice keeps the dictionary of what it was cut from, and the Parquet writer would write all of it.
    """
    combined = rows.unify_dictionaries().combine_chunks()
    columns = [_with_own_dictionary(column) for column in combined.columns]
    return pa.Table.from_arrays(columns, schema=combined.schema)


def _with_own_dictionary(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.DictionaryArray:
    if not pa.types.is_dictionary(column.type) or not column.num_chunks:
        return column
    array = column.chunk(0)
    used = array.indices.dictionary_encode()
    return pa.DictionaryArray.from_arrays(used.indices, array.dictionary.take(used.dictionary))

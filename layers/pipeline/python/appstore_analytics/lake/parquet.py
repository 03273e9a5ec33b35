"""How a Parquet file of the lake is written: its bytes are a function of what it is given, and of nothing else."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from appstore_analytics.contract.tables import APP_ID, EXTRA
from appstore_analytics.lake.schema import date_columns, in_memory, number_columns, string_columns
from appstore_analytics.lake.sorting import sorted_by

WRITER_VERSION = "4"
"""Raise it when the same rows would be written as other bytes: every Date is then published again."""

ROW_GROUP_ROWS = 250_000
"""Rows of a row group: a reader and a writer hold about this many in memory."""

_FEW_ROWS = 2_500

_ROWS_OF_AN_ENTRY = 32
"""A dictionary of few entries for its rows is written whole: to find those in use costs more than the others' room."""

_BUFFER_BYTES = 1 << 20


class RowGroups:
    """A Parquet file that takes rows of any number and writes row groups of exactly `ROW_GROUP_ROWS`, the last fewer.

    `schema` is the file's, with plain strings; rows come with dictionaries in their place (`schema.in_memory`).
    Each row group carries the strings that it holds and at most a few others, and its rows are sorted by the string
    columns `sort_by`, the first before the second; rows that are equal in all of them stay in the order they came in.
    """

    def __init__(self, path: Path, schema: pa.Schema, sort_by: Sequence[str] = ()) -> None:
        self._schema = schema
        self._sort_by = sort_by
        # The writer writes a few bytes at a time: unbuffered, the system takes a third of the time of a small file.
        self._file = pa.BufferedOutputStream(pa.OSFile(str(path), "wb"), _BUFFER_BYTES)
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.Table] = []
        self._waiting_rows = 0
        self.rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()
        self._file.close()

    def append(self, rows: pa.Table) -> None:
        """Write `rows` after those before."""
        self._waiting.append(rows)
        self._waiting_rows += rows.num_rows
        self.rows += rows.num_rows
        if self._waiting_rows >= ROW_GROUP_ROWS:
            self._write_full_groups()

    def finish(self, footer: Mapping[str, str]) -> None:
        """Write what still waits, and `footer` as the file's key-value metadata."""
        if self._waiting_rows:
            self._write_group(pa.concat_tables(self._waiting))
        writer = self._writer or self._open_writer(in_memory(self._schema).empty_table())
        writer.add_key_value_metadata(dict(footer))

    def _write_full_groups(self) -> None:
        rows = pa.concat_tables(self._waiting)
        while rows.num_rows >= ROW_GROUP_ROWS:
            self._write_group(rows.slice(0, ROW_GROUP_ROWS))
            rows = rows.slice(ROW_GROUP_ROWS)
        self._waiting, self._waiting_rows = [rows], rows.num_rows

    def _write_group(self, rows: pa.Table) -> None:
        rows = with_own_dictionaries(sorted_by(in_one_chunk(rows), self._sort_by))
        self._open_writer(rows).write_table(rows, row_group_size=ROW_GROUP_ROWS)

    def _open_writer(self, rows: pa.Table) -> pq.ParquetWriter:
        """Made with the first row group, which tells how its columns are best laid out."""
        if self._writer is None:
            self._writer = pq.ParquetWriter(
                self._file,
                rows.schema,
                **_layout(rows),
                store_schema=False,  # Arrow's own copy of the schema would say "dictionary", which is nobody's business
                write_batch_size=65_536,
                max_rows_per_page=ROW_GROUP_ROWS,  # a page of fewer is read no sooner, and zstd begins anew in each
                write_statistics=_columns_to_skip_by(self._schema),
            )
        return self._writer


def _layout(rows: pa.Table) -> dict[str, Any]:
    """Dictionaries and zstd; of few rows zstd only for what it makes much smaller, the numbers, which then stand plain.

    Arrow makes the tables of zstd anew for each page, to write and to read it: of few rows that takes half of the time.
    """
    if rows.num_rows >= _FEW_ROWS or EXTRA.name in rows.column_names:
        return {"compression": "zstd", "compression_level": 1}
    numbers = [name for name in number_columns(rows.schema) if name != APP_ID.name]
    return {
        "compression": dict.fromkeys(rows.column_names, "snappy") | dict.fromkeys(numbers, "zstd"),
        "compression_level": dict.fromkeys(numbers, 1),
        "use_dictionary": [name for name in rows.column_names if name not in numbers],
    }


def _columns_to_skip_by(schema: pa.Schema) -> list[str]:
    """Those by which a reader can skip a row group. Apps and Dates lie together; of the rest a group holds all."""
    return [APP_ID.name, *date_columns(schema)]


def in_one_chunk(rows: pa.Table) -> pa.Table:
    """`rows` with one dictionary per column."""
    if all(column.num_chunks == 1 for column in rows.columns):
        return rows
    return rows.unify_dictionaries().combine_chunks()


def with_own_dictionaries(rows: pa.Table) -> pa.Table:
    """`rows`, in one chunk, whose dictionaries hold the values of these rows, and others only where these are few.

    A slice keeps the dictionary of what it was cut from, and the Parquet writer would write all of it.
    """
    for name in string_columns(rows.schema) if rows.num_rows else ():
        column = rows[name].chunk(0)
        if _ROWS_OF_AN_ENTRY * len(column.dictionary) > len(column):
            used = column.indices.dictionary_encode()
            values = pc.take(column.dictionary, used.dictionary, boundscheck=False)
            own = pa.DictionaryArray.from_arrays(used.indices, values, safe=False)
            rows = rows.set_column(rows.schema.get_field_index(name), name, own)
    return rows

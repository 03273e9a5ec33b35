"""The Parquet writer of the lake: the bytes of a file are a pure function of its rows and options."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from appstore_analytics.contract.tables import APP_ID, EXTRA
from appstore_analytics.lake.record_batches import in_one_batch, with_frequent_strings_first, with_own_dictionaries
from appstore_analytics.lake.schema import date_columns, in_memory, money_columns, number_columns, string_columns
from appstore_analytics.lake.sorting import sorted_by

WRITER_VERSION = "6"
"""Increase this when a change gives the same rows different bytes: every Date is then published again."""

ROW_GROUP_ROWS = 250_000
"""Rows of a row group: a reader and a writer hold about this many in memory."""

_FEW_ROWS = 2_500
_MANY_ROWS = 25_000
_ORDERED_ROWS = 100_000
"""From this number of rows on, counting the frequent strings pays off, because fewer bytes are compressed."""

_ZSTD_LEVEL = 1
_ZSTD = {"compression": "zstd", "compression_level": _ZSTD_LEVEL}
_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Layout:
    """The writer options for files of `schema`, which has plain strings; made once for many files.

    `strings` are the columns that rows have as dictionaries, `options_below` the options of Arrow's writer for files
    with fewer rows than the key.
    """

    schema: pa.Schema
    strings: Sequence[str]
    options_below: Sequence[tuple[float, Mapping[str, Any]]]

    def options(self, rows: int) -> Mapping[str, Any]:
        """The options of a file whose first row group has this number of rows."""
        return next(options for below, options in self.options_below if rows < below)


class RowGroups:
    """A Parquet file that takes any number of rows and writes row groups of exactly `ROW_GROUP_ROWS`, the last with
    fewer.

    Rows have the columns of `layout`, with dictionaries instead of strings (`schema.in_memory`), and all agree on which
    columns have nulls. Each row group has the strings of its rows and few others
    (`record_batches.with_own_dictionaries`), and its rows are sorted by the string columns `sort_by`, the first before
    the second; rows that are equal in all of them keep their order. `watch` is shown each row group.
    """

    def __init__(
        self,
        path: Path,
        layout: Layout,
        sort_by: Sequence[str] = (),
        watch: Callable[[pa.RecordBatch], None] = lambda _: None,
    ) -> None:
        self._layout = layout
        self._sort_by = sort_by
        self._watch = watch
        # The writer writes a few bytes at a time: unbuffered, the system takes a third of the time of a small file.
        self._file = pa.BufferedOutputStream(pa.OSFile(str(path), "wb"), _BUFFER_BYTES)
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = 0
        self.rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()
        self._file.close()

    def append(self, rows: pa.RecordBatch) -> None:
        """Append `rows`."""
        self._waiting.append(rows)
        self._waiting_rows += rows.num_rows
        self.rows += rows.num_rows
        if self._waiting_rows >= ROW_GROUP_ROWS:
            self._write_full_groups()

    def finish(self, footer: Mapping[str, str]) -> None:
        """Write the remaining rows, and `footer` as the file's key-value metadata."""
        if self._waiting_rows:
            self._write_group(pa.Table.from_batches(self._waiting))
        writer = self._writer or self._open_writer(in_memory(self._layout.schema), 0)
        writer.add_key_value_metadata(dict(footer))

    def _write_full_groups(self) -> None:
        rows = pa.Table.from_batches(self._waiting)
        while rows.num_rows >= ROW_GROUP_ROWS:
            self._write_group(rows.slice(0, ROW_GROUP_ROWS))
            rows = rows.slice(ROW_GROUP_ROWS)
        self._waiting, self._waiting_rows = rows.to_batches(), rows.num_rows

    def _write_group(self, rows: pa.Table) -> None:
        if rows.num_rows >= _ORDERED_ROWS:
            rows = with_frequent_strings_first(rows, self._layout.strings)
        group = with_own_dictionaries(sorted_by(in_one_batch(rows), self._sort_by), self._layout.strings)
        self._open_writer(group.schema, group.num_rows).write_batch(group, row_group_size=ROW_GROUP_ROWS)
        self._watch(group)

    def _open_writer(self, schema: pa.Schema, rows: int) -> pq.ParquetWriter:
        """The writer, made with the first row group, which determines the best encoding of the columns."""
        if self._writer is None:
            self._writer = pq.ParquetWriter(
                self._file,
                schema,
                **self._layout.options(rows),
                store_schema=False,  # Arrow's copy of the schema would say "dictionary", an internal detail
                write_batch_size=65_536,
                max_rows_per_page=ROW_GROUP_ROWS,  # smaller pages are not read faster, and zstd restarts in each
            )
        return self._writer


def table_layout(schema: pa.Schema) -> Layout:
    """Dictionaries and zstd, and statistics with which a reader can skip row groups.

    Apps and Dates are contiguous; a row group holds nearly all values of the other columns.
    """
    statistics = [APP_ID.name, *date_columns(schema)]
    return Layout(schema, string_columns(schema), ((inf, _ZSTD | {"write_statistics": statistics}),))


def part_layout(schema: pa.Schema) -> Layout:
    """The options that Arrow writes and reads fastest. Athena need not support them: only the pipeline reads parts.

    A part with many rows uses dictionaries, because its numbers repeat. One with fewer rows uses byte-stream-split, all
    first bytes before all second ones: most numbers are small, so most bytes are equal; only amounts of money still
    repeat. With few rows zstd spends half of the time on its tables, which Arrow builds again for each page, when
    writing and reading: there only money stays much smaller with it.
    """
    many = _ZSTD | {"write_statistics": False, "store_decimal_as_integer": True}
    if EXTRA.name in schema.names:  # a map: Arrow's writer would need its leaves by their paths
        return Layout(schema, string_columns(schema), ((inf, many),))
    strings, numbers, money = string_columns(schema), number_columns(schema), money_columns(schema)
    fewer = many | {"use_dictionary": [*strings, *money], "use_byte_stream_split": numbers}
    few = many | {
        "compression": dict.fromkeys(schema.names, "lz4") | dict.fromkeys(money, "zstd") if money else "lz4",
        "compression_level": dict.fromkeys(money, _ZSTD_LEVEL),
        "use_dictionary": strings,
        "use_byte_stream_split": [*numbers, *money],
    }
    return Layout(schema, strings, ((_FEW_ROWS, few), (_MANY_ROWS, fewer), (inf, many)))

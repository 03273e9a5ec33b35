"""Dates whose every row occurs more than once, all equally often.

Equal rows are legal, so they stay. But a file that repeats each of them may be one that Apple wrote twice, and a person
should hear of it. Most Dates are cleared by their largest count, which occurs once; the others are looked at closely.
"""

from collections.abc import Iterable, Iterator
from math import gcd
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_MOST_ROWS = 1_000_000
"""Of a Date with more rows of one app nothing is said: comparing them takes memory by the row."""


class RepeatedRows:
    """The rows of one part, as they are written. `count` names a column of whole numbers, if there is one."""

    def __init__(self, count: str | None) -> None:
        self._count = count
        self._rows = 0
        self._only: pa.RecordBatch | None = None
        self._largest: int | None = None
        self._rows_of_largest = 0

    def append(self, rows: pa.RecordBatch) -> None:
        """See rows that are written after those before."""
        self._only = None if self._rows else rows
        self._rows += rows.num_rows
        if self._count is not None:
            self._see(rows.column(self._count))

    def times(self, part: Path) -> int:
        """How often each row of the part occurs, where all occur equally often; else 1. `part` is the written file."""
        if self._rows > _MOST_ROWS or gcd(self._rows_of_largest, self._rows) == 1:
            return 1
        return _times(reversed(self._only.columns) if self._only else _columns(part), self._rows)

    def _see(self, counts: pa.Array) -> None:
        largest = pc.max(counts).as_py()
        if largest is None or (self._largest is not None and largest < self._largest):
            return
        before = self._rows_of_largest if largest == self._largest else 0
        self._largest, self._rows_of_largest = largest, before + pc.equal(counts, largest).true_count


def _columns(part: Path) -> Iterator[pa.Array]:
    """The columns of a file, one at a time, the last first."""
    with pq.ParquetFile(part) as file:
        for name in reversed(file.schema_arrow.names):  # measures come last and tell most
            yield file.read(columns=[name]).column(0).combine_chunks()


def _times(columns: Iterable[pa.Array], rows: int) -> int:
    """Rows are told apart column by column, until one is alone."""
    groups = pa.repeat(pa.scalar(0, pa.int64()), rows)
    sizes = pa.array([rows])
    for column in columns:
        values = _comparable(column)
        number = pc.fill_null(values.indices, len(values.dictionary)).cast(pa.int64())
        groups = pc.add(pc.multiply(groups, len(values.dictionary) + 1), number).dictionary_encode().indices
        groups = groups.cast(pa.int64())
        sizes = groups.value_counts().field("counts")
        if pc.min(sizes).as_py() == 1:
            return 1
    fewest, most = pc.min_max(sizes).as_py().values()
    return int(fewest) if fewest == most else 1


def _comparable(column: pa.Array) -> pa.DictionaryArray:
    if pa.types.is_map(column.type):
        column = pa.array([None if each is None else str(each) for each in column.to_pylist()], pa.string())
    return column if pa.types.is_dictionary(column.type) else column.dictionary_encode()

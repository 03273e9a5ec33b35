"""Dates of which every row occurs more than once, all equally often.

Equal rows are legal, so they are kept. But Apple may have written a file that repeats every row twice by mistake, so it
is reported. For most Dates the largest count occurs once, which settles the question; the others are compared in full.
"""

import hashlib
from collections.abc import Iterable, Iterator
from math import gcd
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_MOST_ROWS = 1_000_000
"""A Date with more rows of one app is not checked: the comparison takes memory for each row."""
_MAPS_AT_ONCE = 4_096
"""A map of 20 unknown columns takes kilobytes as a Python object; a million of them would fill the memory."""


class RepeatedRows:
    """Observes the rows of one part as they are written. `count` names a column of whole numbers, if there is one."""

    def __init__(self, count: str | None) -> None:
        self._count = count
        self._rows = 0
        self._only: pa.RecordBatch | None = None
        self._largest: int | None = None
        self._rows_of_largest = 0

    def append(self, rows: pa.RecordBatch) -> None:
        """Observe the next rows."""
        self._only = None if self._rows else rows
        self._rows += rows.num_rows
        if self._count is not None:
            self._see(rows.column(self._count))

    def times(self, part: Path) -> int:
        """The number of times that each row of the part occurs, if all occur equally often; otherwise 1. `part` is the
        written file."""
        if self._rows > _MOST_ROWS or gcd(self._rows_of_largest, self._rows) == 1:
            return 1
        return _times(_columns_of(self._only) if self._only else _columns(part), self._rows)

    def _see(self, counts: pa.Array) -> None:
        largest = pc.max(counts).as_py()
        if largest is None or (self._largest is not None and largest < self._largest):
            return
        before = self._rows_of_largest if largest == self._largest else 0
        self._largest, self._rows_of_largest = largest, before + pc.equal(counts, largest).true_count


def _columns_of(rows: pa.RecordBatch) -> Iterator[pa.Array]:
    """The columns of rows in memory, in the order of `_in_order`."""
    for name in _in_order(rows.schema):
        column = rows.column(name)
        if pa.types.is_map(column.type):
            starts = range(0, len(column), _MAPS_AT_ONCE)
            column = _digests(column.slice(start, _MAPS_AT_ONCE) for start in starts)
        yield column


def _columns(part: Path) -> Iterator[pa.Array]:
    """The columns of a file, one at a time, in the order of `_in_order`."""
    with pq.ParquetFile(part) as file:
        for name in _in_order(file.schema_arrow):
            if pa.types.is_map(file.schema_arrow.field(name).type):
                yield _digests(rows.column(0) for rows in file.iter_batches(_MAPS_AT_ONCE, columns=[name]))
            else:
                yield file.read(columns=[name]).column(0).combine_chunks()


def _in_order(schema: pa.Schema) -> list[str]:
    """The last column first, because measures come last and distinguish most; the map last, because it is slow."""
    maps = [field.name for field in schema if pa.types.is_map(field.type)]
    return [name for name in reversed(schema.names) if name not in maps] + maps


def _digests(pieces: Iterable[pa.Array]) -> pa.Array:
    """Sixteen bytes for each map, null without one; `pieces` are a few rows each."""
    return pa.concat_arrays([pa.array(map(_digest, piece.to_pylist()), pa.binary(16)) for piece in pieces])


def _digest(pairs: list[tuple[str, str]] | None) -> bytes | None:
    return None if pairs is None else hashlib.blake2b(repr(pairs).encode(), digest_size=16).digest()


def _times(columns: Iterable[pa.Array], rows: int) -> int:
    """Compares rows column by column, until one is unique."""
    groups = pa.repeat(pa.scalar(0, pa.int64()), rows)
    sizes = pa.array([rows])
    for column in columns:
        values = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        number = pc.fill_null(values.indices, len(values.dictionary)).cast(pa.int64())
        groups = pc.add(pc.multiply(groups, len(values.dictionary) + 1), number).dictionary_encode().indices
        groups = groups.cast(pa.int64())
        sizes = groups.value_counts().field("counts")
        if pc.min(sizes).as_py() == 1:
            return 1
    fewest, most = pc.min_max(sizes).as_py().values()
    return int(fewest) if fewest == most else 1

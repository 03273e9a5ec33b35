"""Conversion of one instance: its segments in, one Parquet part per Date out.

Memory is bounded by one run of rows, not by the instance: full runs are sorted by Date and spilled to the local disk.
"""

import heapq
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO, Self

import pyarrow as pa
import pyarrow.compute as pc

from appstore_analytics.contract.catalogue.definition import Column, ColumnType
from appstore_analytics.contract.errors import InstanceQuarantined
from appstore_analytics.contract.schema_modes import SchemaMode
from appstore_analytics.contract.tables import APP_ID, EXTRA, PROCESSING_DATE, CuratedTable
from appstore_analytics.lake.parquet import WRITER_VERSION, Layout, RowGroups, part_layout
from appstore_analytics.lake.parts import PartFile
from appstore_analytics.lake.record_batches import in_one_batch, with_required_columns
from appstore_analytics.lake.repeats import RepeatedRows
from appstore_analytics.lake.schema import arrow_type, part_schema
from appstore_analytics.lake.sorting import sorted_by
from appstore_analytics.lake.tsv import SegmentReader
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.rules.calendar import skipped_dates

_RUN_ROWS = 250_000
_SPILLED_ROWS = 8_192  # rows of every run in memory while the runs are merged
_WIDE_INTEGER = pa.decimal128(19, 0)
_INT64_VALUES = 2**63
_SORTED_BY = ("territory", "device", "source_type", "platform_version")
"""The columns that most queries use and that have few values: sorted by them, a part is a third smaller."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """The content of an instance.

    `rows_dropped` are the rows of Dates that were not selected, `digits_rounded` the amounts of money that had more
    than six decimals. Column names are Apple's headers: unknown ones as the file spells them, missing ones as the
    catalogue does. `skipped_dates` are the Dates without a row between the first and the last found. `repeated` says
    how often every row of a Date occurs. `segment_rows` are the rows of each segment.
    """

    rows_raw: int
    rows_dropped: int
    digits_rounded: int
    unknown_columns: tuple[str, ...]
    missing_columns: tuple[str, ...]
    skipped_dates: tuple[date, ...]
    repeated: Mapping[date, int]
    segment_rows: tuple[int, ...]
    parts: tuple[PartFile, ...]

    @property
    def rows_repeated(self) -> int:
        """The additional rows of such Dates, beyond the first copy of each."""
        return sum(part.rows - part.rows // self.repeated.get(part.day, 1) for part in self.parts)


def convert(
    segments: Iterable[BinaryIO],
    table: CuratedTable,
    app_id: int,
    vintage: Vintage,
    today: date,
    select: Callable[[Collection[date]], Collection[date]],
    scratch: Path,
    mode: SchemaMode = SchemaMode.EVOLVE,
) -> Conversion:
    """The parts of an instance, written into the empty folder `scratch`.

    `segments` are the gzip streams of the instance, in a stable order; they are read one after the other. `select` is
    called once with every Date found, and returns those that the instance covers. Raises InstanceQuarantined if the
    files break the contract of their report; with `mode` strict, also if a column is not in the catalogue. The
    same input gives the same bytes.
    """
    with _Runs(table, scratch) as runs:
        readers = _read(segments, table, app_id, mode, runs)
        schema = part_schema(table, has_extra=any(reader.unknown_columns for reader in readers))
        layout = part_layout(schema)
        _check_covered(runs.days, table, today)
        kept = set(select(runs.days))
        written = tuple(
            _part(rows, day, table, vintage, layout, runs, scratch)
            for day, rows in runs.by_day(lambda rows: _with_extra(_with_lineage(rows, app_id, vintage), schema))
            if day in kept
        )
        parts = tuple(part for part, _ in written)
        rows_raw = runs.rows
    return Conversion(
        rows_raw=rows_raw,
        rows_dropped=rows_raw - sum(part.rows for part in parts),
        digits_rounded=sum(reader.digits_rounded for reader in readers),
        unknown_columns=_sorted_union(reader.unknown_columns for reader in readers),
        missing_columns=_sorted_union(reader.missing_columns for reader in readers),
        skipped_dates=skipped_dates(runs.days, table.granularity),
        repeated={part.day: times for part, times in written if times > 1},
        segment_rows=tuple(reader.rows_read for reader in readers),
        parts=parts,
    )


class _Runs:
    """Rows with at most one run in memory; each full run is sorted by Date, and a single one also by `sort_by`."""

    def __init__(self, table: CuratedTable, scratch: Path) -> None:
        self._date_column = table.report.date_column
        self._sort_by = _sort_by(table)
        self._counts = [each.name for each in table.report.additive_measures if each.type is ColumnType.INT64]
        self._scratch = scratch
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = 0
        self._runs: list[Iterator[pa.RecordBatch]] = []
        self._days: set[date] = set()
        self._spilled_to: list[Path] = []
        self._largest_count = 0
        self.rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for path in self._spilled_to:
            path.unlink()

    @property
    def days(self) -> tuple[date, ...]:
        """Every Date found, in order."""
        return tuple(sorted(self._days))

    @property
    def left_to_sort_by(self) -> Sequence[str]:
        """The columns by which a Date's rows are not sorted yet: several runs have to be merged first."""
        return self._sort_by if self._spilled_to else ()

    @property
    def count(self) -> str | None:
        """A measure of whole numbers, if the report has one."""
        return next(iter(self._counts), None)

    @property
    def counts_fit(self) -> bool:
        """Whether 64 bits hold the sum over all rows of each measure of whole numbers."""
        return self._largest_count * self.rows < _INT64_VALUES

    def append(self, rows: pa.RecordBatch) -> None:
        """Add rows; a full run is sorted and spilled to the disk."""
        if self._waiting_rows >= _RUN_ROWS:
            self._runs.append(self._spilled(self._sorted_run(())))
        self._waiting.append(rows)
        self._waiting_rows += rows.num_rows
        self.rows += rows.num_rows

    def finish(self) -> None:
        """The last run stays in memory: most instances have only one."""
        if self._waiting:
            run = self._sorted_run(() if self._spilled_to else self._sort_by)
            # Several runs end up in one file, so they must agree on which columns can have nulls.
            self._runs.append(iter([run if self._spilled_to else with_required_columns(run)]))

    def by_day(
        self, complete: Callable[[pa.RecordBatch], pa.RecordBatch]
    ) -> Iterator[tuple[date, Iterator[pa.RecordBatch]]]:
        """The Dates in order, each with its rows run by run, once; `complete` adds the columns besides Apple's."""
        slices = heapq.merge(*(self._slices(map(complete, run)) for run in self._runs), key=itemgetter(0))
        for day, of_day in itertools.groupby(slices, key=itemgetter(0)):
            yield day, (rows for _, rows in of_day)

    def _sorted_run(self, sort_by: Sequence[str]) -> pa.RecordBatch:
        # One run can have segments with and without unknown columns.
        waiting = [pa.Table.from_batches([rows]) for rows in self._waiting]
        run = in_one_batch(pa.concat_tables(waiting, promote_options="default"))
        run = sorted_by(run, (self._date_column, *sort_by))
        self._waiting, self._waiting_rows = [], 0
        self._days.update(pc.run_end_encode(run.column(self._date_column)).values.to_pylist())
        for name in self._counts:
            bounds = pc.min_max(run.column(name)).as_py()
            self._largest_count = max(self._largest_count, abs(bounds["min"] or 0), abs(bounds["max"] or 0))
        return run

    def _spilled(self, run: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        path = self._scratch / f"run-{len(self._spilled_to)}.arrow"
        self._spilled_to.append(path)
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, run.schema) as file:
            file.write_table(pa.Table.from_batches([run]), max_chunksize=_SPILLED_ROWS)
        return _batches(path)

    def _slices(self, run: Iterator[pa.RecordBatch]) -> Iterator[tuple[date, pa.RecordBatch]]:
        for rows in run:
            days = pc.run_end_encode(rows.column(self._date_column))
            start = 0
            for day, end in zip(days.values.to_pylist(), days.run_ends.to_pylist(), strict=True):
                yield day, rows.slice(start, end - start)
                start = end


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    """A spilled run, read in small pieces; a memory map would end up entirely in memory."""
    with pa.OSFile(str(path)) as source, pa.ipc.open_stream(source) as file:
        yield from file


def _read(
    segments: Iterable[BinaryIO], table: CuratedTable, app_id: int, mode: SchemaMode, runs: _Runs
) -> list[SegmentReader]:
    readers = []
    for segment in segments:
        reader = SegmentReader(segment, table.report, app_id, mode)
        for rows in reader.rows():
            runs.append(rows)
        readers.append(reader)
    runs.finish()
    return readers


def _check_covered(days: Iterable[date], table: CuratedTable, today: date) -> None:
    for day in days:
        if not table.covers(day, today):
            raise InstanceQuarantined(
                f"{table.report.name}: the Date {day} is outside the range or period of the table {table.name} "
                f"(from {table.projection.first}, {table.granularity.lower()}); Athena would not see it."
            )


def _part(
    of_day: Iterable[pa.RecordBatch],
    day: date,
    table: CuratedTable,
    vintage: Vintage,
    layout: Layout,
    runs: _Runs,
    scratch: Path,
) -> tuple[PartFile, int]:
    """The part, and how often each of its rows occurs if all occur equally often."""
    path = scratch / f"{day.isoformat()}.parquet"
    sums: dict[str, Decimal] = {}
    repeats = RepeatedRows(runs.count)
    with RowGroups(path, layout, runs.left_to_sort_by) as file:
        for rows in of_day:
            file.append(rows)
            repeats.append(rows)
            _add(sums, rows, table.report.additive_measures, counts_fit=runs.counts_fit)
        file.finish({"vintage": str(vintage), "writer": WRITER_VERSION})
    part = PartFile(day, path, file.rows, {name: f"{total:f}" for name, total in sums.items()})
    return part, repeats.times(path)


def _sort_by(table: CuratedTable) -> list[str]:
    present = {column.name for column in table.report.columns}
    return [name for name in _SORTED_BY if name in present]


def _with_lineage(rows: pa.RecordBatch, app_id: int, vintage: Vintage) -> pa.RecordBatch:
    lineage = {APP_ID: app_id, PROCESSING_DATE: vintage.processing_date}
    for position, (column, value) in enumerate(lineage.items()):
        data_type = arrow_type(column.type)
        values = pa.repeat(pa.scalar(value, data_type), rows.num_rows)
        rows = rows.add_column(position, pa.field(column.name, data_type, nullable=False), values)
    return rows


def _with_extra(rows: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """`rows` of a segment without unknown columns, merged with a segment that has some: their `extra` is null."""
    if EXTRA.name not in schema.names or EXTRA.name in rows.column_names:
        return rows
    return rows.append_column(EXTRA.name, pa.nulls(rows.num_rows, arrow_type(EXTRA.type)))


def _add(sums: dict[str, Decimal], rows: pa.RecordBatch, measures: Iterable[Column], *, counts_fit: bool) -> None:
    """The exact sum. Whole numbers whose sum might not fit into 64 bits are widened first, which costs time."""
    for measure in measures:
        values = rows.column(measure.name)
        if measure.type is ColumnType.INT64 and not counts_fit:
            values = values.cast(_WIDE_INTEGER)
        total: Decimal | int | None = pc.sum(values).as_py()  # None without any value
        if total is not None:
            sums[measure.name] = sums.get(measure.name, Decimal(0)) + total


def _sorted_union(columns: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(sorted(set(itertools.chain.from_iterable(columns))))

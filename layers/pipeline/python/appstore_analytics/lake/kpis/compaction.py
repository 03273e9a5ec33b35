"""Compaction: the KPI objects of a month's Dates are copied into one object, as many apps at a time as fit in memory.

    list the rows' objects ─► HEAD the month ─► made of exactly them ─────────────────────────► nothing to do
                                             └► HEAD each Date's rows, GET its KPIs ─► of the same digest ─► copy
                                                                                    └► else: leave the Date out

Two functions that compact one month at once both write what is right: the last one's object stays.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import groupby
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from appstore_analytics.contract.kpis.stored import PORTFOLIO, TOTAL, definitions
from appstore_analytics.contract.layout import TableDate, TableMonth
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.kpis.damaged import damage_named
from appstore_analytics.lake.kpis.months import DT, MONTH_SCHEMA, Copied, first_amount, month_footer, month_metadata
from appstore_analytics.lake.kpis.packing import packed
from appstore_analytics.lake.kpis.schema import DEFINITIONS, KEYS, STRINGS
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.published import DIGEST, published_objects
from appstore_analytics.lake.record_batches import in_one_batch, with_own_dictionaries

DETAIL_ROWS, TOTAL_ROWS = 100_000, 20_000
"""The most rows of a row group: the details of some apps, of which readers want one; the totals of more apps."""

_ROWS_AT_ONCE = 500_000
READS_AT_ONCE = 16
_ORDER = ("dimension", "kpi", "value")


def months_to_compact(bucket: Bucket, table: CuratedTable) -> dict[TableMonth, list[TableDate]]:
    """The months, newest first, whose object is not made of exactly the rows that are published now; their Dates."""
    published = {TableDate(table.name, day): stored.etag for day, stored in published_objects(bucket, table).items()}
    months = {month: list(dates) for month, dates in groupby(published, lambda one: one.month)}

    def is_due(month: TableMonth) -> bool:
        standing = bucket.head(month.key)
        etags = {one.day: published[one] for one in months[month]}
        return standing is None or dict(standing.metadata) != month_metadata(table, etags)

    newest_first = sorted(months, reverse=True)
    with ThreadPoolExecutor(READS_AT_ONCE) as pool:
        return {
            month: months[month] for month, due in zip(newest_first, pool.map(is_due, newest_first), strict=True) if due
        }


def compact(
    bucket: Bucket, table: CuratedTable, month: TableMonth, dates: Sequence[TableDate], scratch: Path
) -> tuple[date, ...]:
    """Write the object of a month from the KPI objects of `dates`; those that it has. Without any, none is written.

    Left out is a Date without KPIs of today's definitions, and one that is being replaced. A second run writes the
    same. Raises KpisUnreadableError if the bytes of a KPI object are damaged.
    """
    path = scratch / f"{month.first:%Y-%m}.parquet"
    with damage_named():
        with ThreadPoolExecutor(READS_AT_ONCE) as pool:
            days = [day for day in pool.map(partial(_fetch, bucket, table), dates) if day is not None]
        if not days:
            return ()
        footer = month_footer(table, {day.day: Copied(day.etag, day.is_completed) for day in days})
        _write(days, first_amount(table), footer, path)
    with path.open("rb") as body:
        bucket.write(month.key, body, metadata=month_metadata(table, {day.day: day.etag for day in days}))
    path.unlink()
    return tuple(day.day for day in days)


@dataclass
class _Day:
    """The KPI object of a Date, and the ETag of the rows' object that it is of."""

    day: date
    etag: str
    content: bytes
    _decoded: tuple[int, pa.Table] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._file = pq.ParquetFile(pa.BufferReader(self.content), read_dictionary=list(STRINGS))
        metadata = self._file.metadata
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        self._bounds = [(each.min, each.max) for each in (group.column(0).statistics for group in groups[:-1])]
        self.rows = metadata.num_rows
        last = self._read(len(groups) - 1) if groups else MONTH_SCHEMA.empty_table()
        is_total = pc.equal(last["dimension"], TOTAL)
        self.totals, self.portfolio = last.filter(is_total), last.filter(pc.invert(is_total))

    @property
    def apps(self) -> list[int]:
        """The apps with rows."""
        found: list[int] = pc.unique(self.totals["app_id"]).to_pylist()
        return [app_id for app_id in found if app_id != PORTFOLIO]

    @property
    def is_completed(self) -> bool:
        """See StoredKpis."""
        return any(is_final is not False for is_final in pc.unique(self.totals["is_final"]).to_pylist())

    def details(self, first: int, last: int) -> Iterator[pa.Table]:
        """The details of the apps from `first` to `last`. Ranges that follow each other decode each row group once."""
        for number, (lowest, highest) in enumerate(self._bounds):
            if lowest <= last and highest >= first:
                if self._decoded is None or self._decoded[0] != number:
                    self._decoded = number, self._read(number)
                apps = self._decoded[1]["app_id"]
                yield self._decoded[1].filter(pc.and_(pc.greater_equal(apps, first), pc.less_equal(apps, last)))

    def _read(self, row_group: int) -> pa.Table:
        rows = self._file.read_row_group(row_group, use_threads=False)
        return rows.append_column(DT, pa.repeat(pa.scalar(self.day, pa.date32()), rows.num_rows))


def _fetch(bucket: Bucket, table: CuratedTable, table_date: TableDate) -> _Day | None:
    """None unless the KPIs are of today's definitions and of the rows that are published."""
    rows = bucket.head(table_date.curated_key)
    if rows is None:
        return None
    found = bucket.read_stored(table_date.kpis_key)
    if found is None:
        return None
    content, kpis = found
    told = kpis.metadata.get(DEFINITIONS), kpis.metadata.get(DIGEST)
    if told != (definitions(table), rows.metadata.get(DIGEST)):
        return None
    return _Day(table_date.day, rows.etag, content)


def _write(days: Sequence[_Day], first: str, footer: Mapping[str, str], path: Path) -> None:
    apps = sorted({app_id for day in days for app_id in day.apps})
    at_once = max(1, _ROWS_AT_ONCE * len(apps) // max(1, sum(day.rows for day in days)))
    with pq.ParquetWriter(
        path,
        MONTH_SCHEMA,
        compression="zstd",
        compression_level=1,
        store_schema=False,
        use_dictionary=[*KEYS, DT],
        write_statistics=["app_id", "kpi", "dimension"],
    ) as writer:
        for start in range(0, len(apps), at_once):
            some = apps[start : start + at_once]
            _append(writer, [piece for day in days for piece in day.details(some[0], some[-1])], DETAIL_ROWS)
        _append(writer, [day.portfolio for day in days], DETAIL_ROWS)
        for totals in zip(*(_totals(day, first) for day in days), strict=True):
            _append(writer, totals, TOTAL_ROWS)
        writer.add_key_value_metadata(dict(footer))


def _totals(day: _Day, first: str) -> tuple[pa.Table, pa.Table]:
    """Those that a question for all apps together needs, and the others."""
    is_needed = pc.or_(pc.equal(day.totals["app_id"], PORTFOLIO), pc.equal(day.totals["kpi"], first))
    return day.totals.filter(is_needed), day.totals.filter(pc.invert(is_needed))


def _append(writer: pq.ParquetWriter, pieces: Sequence[pa.Table], row_group_rows: int) -> None:
    """Write rows by app, then dimension, amount and value; of equal ones those of earlier Dates first."""
    rows = in_one_batch(pa.concat_tables([MONTH_SCHEMA.empty_table(), *pieces]))
    rows = rows.take(pc.array_sort_indices(_places(rows)))
    for start in range(0, rows.num_rows, row_group_rows):
        writer.write_batch(with_own_dictionaries(rows.slice(start, row_group_rows), STRINGS))


def _places(rows: pa.RecordBatch) -> pa.Array:
    """A number for each row by which they are sorted: words in the order in which they first occur, null last."""
    apps = rows.column("app_id")
    place = pc.index_in(apps, pc.unique(apps).sort()).cast(pa.int64())
    for name in _ORDER:
        words = rows.column(name)
        size = len(words.dictionary) + 1
        place = packed(place, pc.fill_null(words.indices, size - 1).cast(pa.int64()), size)
    return place

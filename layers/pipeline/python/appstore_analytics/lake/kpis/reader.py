"""Stored KPI amounts, read from S3 only if they match the published rows and today's definitions.

For many Dates of a month, the reader takes the copies in the month's object that were made from the published rows:

    LIST the rows' objects ─► GET the end of the month's object ─► same rows? ─► GET the row groups of the apps
                                                                   no ─► read the Date by itself

It reads a Date by itself as follows:

    HEAD the rows' object ─► GET the end of the KPI object ─► same digest? ─► GET the row groups of the apps asked for
                                                            no ─► HEAD the rows' object again ─► BEING_REPLACED
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from appstore_analytics.contract.kpis.stored import PORTFOLIO, TOTAL, definitions
from appstore_analytics.contract.layout import TableDate, TableMonth
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.lake.kpis.damaged import KpisUnreadableError, damage_named
from appstore_analytics.lake.kpis.months import DT, Copied, copied_dates, first_amount
from appstore_analytics.lake.kpis.schema import DEFINITIONS, STRINGS
from appstore_analytics.lake.objects import Bucket, ObjectAbsentError, ObjectReplacedError
from appstore_analytics.lake.published import DIGEST, published_objects
from appstore_analytics.lake.remote_file import RemoteFile
from appstore_analytics.model.kpis import Number, Storage, StoredKpis

LEAST_DATES_OF_A_MONTH = 8
"""For fewer, the requests for single Dates are fewer or cheaper than a listing."""

_END_OF_A_MONTH = 256 << 10
"""Of a few dozen apps the footer and every total; of a thousand the footer."""

_ROWS_AT_ONCE = 400_000
READS_AT_ONCE = 16
_ATTEMPTS = 3

_Etags = Mapping[date, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A selection: amounts by name; apps, where PORTFOLIO is all of them together; and a dimension, or TOTAL."""

    amounts: frozenset[str]
    app_ids: frozenset[int]
    dimension: str = TOTAL


class _OfDate(NamedTuple):
    """Two fields of StoredKpis."""

    is_final: dict[int, bool | None]
    amounts: dict[tuple[str, str | None], dict[int, Number | None]]


def read_kpis(bucket: Bucket, table_dates: Collection[TableDate], wanted: Wanted) -> Iterator[StoredKpis]:
    """The stored amounts of these Dates and tables, in their order."""
    with ThreadPoolExecutor(READS_AT_ONCE) as pool:
        found = _of_months(bucket, wanted, table_dates, pool)
        alone = pool.map(partial(_read, bucket, wanted), (one for one in table_dates if one not in found))
        for one in table_dates:
            yield found[one] if one in found else next(alone)


# From months


def _of_months(
    bucket: Bucket, wanted: Wanted, table_dates: Collection[TableDate], pool: ThreadPoolExecutor
) -> dict[TableDate, StoredKpis]:
    """What months can answer."""
    dates_of: defaultdict[TableMonth, set[date]] = defaultdict(set)
    for one in table_dates:
        dates_of[one.month].add(one.day)
    months = [month for month, days in dates_of.items() if len(days) >= LEAST_DATES_OF_A_MONTH]
    since = {month.table: month.first for month in sorted(months, reverse=True)}
    published = dict(zip(since, pool.map(partial(_published, bucket), since.items()), strict=True))

    def read(month: TableMonth) -> dict[date, StoredKpis]:
        return _read_month(bucket, wanted, month, dates_of[month], published[month.table])

    return {
        TableDate(month.table, day): stored
        for month, answers in zip(months, pool.map(read, months), strict=True)
        for day, stored in answers.items()
    }


def _published(bucket: Bucket, since: tuple[str, date]) -> _Etags:
    name, first = since
    return {day: stored.etag for day, stored in published_objects(bucket, tables_by_name()[name], first).items()}


def _read_month(
    bucket: Bucket, wanted: Wanted, month: TableMonth, days: Collection[date], published: _Etags
) -> dict[date, StoredKpis]:
    """The Dates without rows, and those of which the month has copies of the rows' object that is published."""
    absent = {day: StoredKpis(TableDate(month.table, day), Storage.ABSENT) for day in days if day not in published}
    for _ in range(_ATTEMPTS):
        try:
            with damage_named(), closing(RemoteFile(bucket, month.key, _END_OF_A_MONTH)) as file:
                parquet = _opened(file)
                copied = copied_dates(tables_by_name()[month.table], parquet.metadata.metadata)
                current = {day: copied[day] for day in days if day in copied and copied[day].rows == published.get(day)}
                return absent | (_copied(parquet, month, current, wanted) if current else {})
        except (ObjectAbsentError, KpisUnreadableError):
            break
        except ObjectReplacedError:
            continue
    return absent


def _copied(
    parquet: pq.ParquetFile, month: TableMonth, current: Mapping[date, Copied], wanted: Wanted
) -> dict[date, StoredKpis]:
    dimensions, days = pa.array({TOTAL, wanted.dimension}), pa.array(current, pa.date32())

    def asked(row_groups: list[int]) -> pa.Table:
        rows = _rows(parquet, row_groups)
        return rows.filter(pc.and_(pc.is_in(rows["dimension"], dimensions), pc.is_in(rows[DT], days)))

    row_groups = _row_groups_of_month(parquet.metadata, first_amount(tables_by_name()[month.table]), wanted)
    pieces = [asked(some) for some in _in_pieces(parquet.metadata, row_groups)]
    rows = pa.concat_tables(pieces) if pieces else _rows(parquet, [])
    found = _by_date(rows, month.table, wanted)
    return {
        day: StoredKpis(TableDate(month.table, day), Storage.CURRENT, copied.is_completed, *found[day])
        for day, copied in current.items()
    }


def _in_pieces(metadata: pq.FileMetaData, row_groups: list[int]) -> Iterator[list[int]]:
    """The row groups in runs that fit in memory, besides those of the other months that are read at the same time."""
    some: list[int] = []
    rows = 0
    for number in row_groups:
        some.append(number)
        rows += metadata.row_group(number).num_rows
        if rows >= _ROWS_AT_ONCE:
            yield some
            some, rows = [], 0
    if some:
        yield some


def _row_groups_of_month(metadata: pq.FileMetaData, first: str, wanted: Wanted) -> list[int]:
    """Those with totals of the apps, of every app's first amount for all together; and those with details of the apps.

    The order of the columns is that of MONTH_SCHEMA.
    """
    apps, found = sorted(wanted.app_ids), []
    for number in range(metadata.num_row_groups):
        row_group = metadata.row_group(number)
        amounts, dimensions = row_group.column(1).statistics, row_group.column(2).statistics
        if dimensions.min == TOTAL:
            is_needed = (PORTFOLIO in wanted.app_ids and amounts.min == first) or _has_any(row_group, apps)
        else:
            is_needed = dimensions.min <= wanted.dimension <= dimensions.max and _has_any(row_group, apps)
        if is_needed:
            found.append(number)
    return found


# From the objects of single Dates


def _read(bucket: Bucket, wanted: Wanted, table_date: TableDate) -> StoredKpis:
    for _ in range(_ATTEMPTS):
        rows = bucket.head(table_date.curated_key)
        if rows is None:
            return StoredKpis(table_date, Storage.ABSENT)
        try:
            with damage_named(), closing(RemoteFile(bucket, table_date.kpis_key)) as file:
                if file.stored.metadata.get(DEFINITIONS) != definitions(tables_by_name()[table_date.table]):
                    return StoredKpis(table_date, Storage.NOT_BUILT)
                if file.stored.metadata.get(DIGEST) == rows.metadata.get(DIGEST):
                    return _stored(_opened(file), table_date, wanted)
        except (ObjectAbsentError, KpisUnreadableError):
            return StoredKpis(table_date, Storage.NOT_BUILT)
        except ObjectReplacedError:
            continue
    return StoredKpis(table_date, Storage.BEING_REPLACED)


def _stored(parquet: pq.ParquetFile, table_date: TableDate, wanted: Wanted) -> StoredKpis:
    rows = _rows(parquet, _row_groups(parquet.metadata, wanted))
    rows = rows.append_column(DT, pa.repeat(pa.scalar(table_date.day, pa.date32()), rows.num_rows))
    finals = pc.unique(rows.filter(pc.equal(rows["dimension"], TOTAL))["is_final"]).to_pylist()
    is_completed = any(is_final is not False for is_final in finals)
    of_day = _by_date(rows, table_date.table, wanted)[table_date.day]
    return StoredKpis(table_date, Storage.CURRENT, is_completed, *of_day)


def _row_groups(metadata: pq.FileMetaData, wanted: Wanted) -> list[int]:
    """The last row group, which has the totals and the portfolio; for a dimension also those with rows of the apps."""
    last = metadata.num_row_groups - 1
    if last < 0:
        return []
    apps = sorted(wanted.app_ids - {PORTFOLIO})
    if wanted.dimension == TOTAL or not apps:
        return [last]
    return [*(number for number in range(last) if _has_any(metadata.row_group(number), apps)), last]


# From either


def _opened(file: RemoteFile) -> pq.ParquetFile:
    return pq.ParquetFile(pa.PythonFile(file, mode="r"), read_dictionary=list(STRINGS), pre_buffer=True)


def _rows(parquet: pq.ParquetFile, row_groups: list[int]) -> pa.Table:
    return parquet.read_row_groups(row_groups, use_threads=False) if row_groups else parquet.schema_arrow.empty_table()


def _has_any(row_group: pq.RowGroupMetaData, apps: Collection[int]) -> bool:
    bounds = row_group.column(0).statistics
    return any(bounds.min <= app_id <= bounds.max for app_id in apps)


def _by_date(rows: pa.Table, table: str, wanted: Wanted) -> Mapping[date, _OfDate]:
    """By Date whether the apps' rows are final, and the amounts. All rows of an amount become numbers at once."""
    found: defaultdict[date, _OfDate] = defaultdict(lambda: _OfDate({}, {}))
    rows = rows.take(pc.array_sort_indices(rows[DT].combine_chunks()))
    kpis, apps = rows["kpi"].cast(pa.string()), pa.array(sorted(wanted.app_ids), pa.int64())
    # Every row of an app says alike whether it is final, and an app with rows has the total of every amount.
    is_first = pc.equal(kpis, first_amount(tables_by_name()[table]))
    one_of_each = pc.and_(pc.equal(rows["dimension"], TOTAL), is_first)
    if PORTFOLIO not in wanted.app_ids:
        one_of_each = pc.and_(one_of_each, pc.is_in(rows["app_id"], apps))
    of_apps = rows.filter(one_of_each)
    app_ids, finals = of_apps["app_id"].to_pylist(), of_apps["is_final"].to_pylist()
    for day, at in _runs(of_apps):
        found[day].is_final.update(zip(app_ids[at], finals[at], strict=True))
    is_asked = pc.and_(pc.equal(rows["dimension"], wanted.dimension), pc.is_in(rows["app_id"], apps))
    for name in wanted.amounts:
        _take_amounts(name, rows.filter(pc.and_(is_asked, pc.equal(kpis, name))), wanted, found)
    return found


def _take_amounts(name: str, rows: pa.Table, wanted: Wanted, found: Mapping[date, _OfDate]) -> None:
    """One amount; totals, which thousands of apps have, a Date at a time."""
    app_ids, numbers = rows["app_id"].to_pylist(), _numbers(rows)
    values = [] if wanted.dimension == TOTAL else rows["value"].to_pylist()
    for day, at in _runs(rows):
        amounts = found[day].amounts
        if wanted.dimension == TOTAL:
            amounts[name, None] = dict(zip(app_ids[at], numbers[at], strict=True))
            continue
        for app_id, value, number in zip(app_ids[at], values[at], numbers[at], strict=True):
            amounts.setdefault((name, value), {})[app_id] = number


def _runs(rows: pa.Table) -> Iterator[tuple[date, slice]]:
    """The Dates of rows in their order, and which rows they have."""
    runs, start = pc.run_end_encode(rows[DT].combine_chunks()), 0
    for day, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
        yield day, slice(start, end)
        start = end


def _numbers(rows: pa.Table) -> list[Number | None]:
    """A count is in one column, money in the other."""
    counts: list[Number | None] = rows["amount"].to_pylist()
    if rows["usd"].null_count == rows.num_rows:
        return counts
    return [usd if count is None else count for count, usd in zip(counts, rows["usd"].to_pylist(), strict=True)]

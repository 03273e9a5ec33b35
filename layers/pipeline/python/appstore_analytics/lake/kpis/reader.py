"""Stored KPI amounts, read from S3 only if they match the published rows and today's definitions.

HEAD the rows' object ─► GET the end of the KPI object ─► same digest? ─► GET the row groups of the apps asked for
                                                        no ─► HEAD the rows' object again ─► BEING_REPLACED
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from appstore_analytics.contract.kpis.stored import PORTFOLIO, TOTAL, definitions
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.lake.kpis.objects import DEFINITIONS
from appstore_analytics.lake.kpis.rows import STRINGS
from appstore_analytics.lake.objects import Bucket, ObjectAbsentError, ObjectReplacedError
from appstore_analytics.lake.published import DIGEST
from appstore_analytics.lake.remote_file import RemoteFile
from appstore_analytics.model.kpis import Number, Storage, StoredKpis

_AT_ONCE = 16
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """A selection: amounts by name; apps, where PORTFOLIO is all of them together; and a dimension, or TOTAL."""

    amounts: frozenset[str]
    app_ids: frozenset[int]
    dimension: str = TOTAL


def read_kpis(bucket: Bucket, table_dates: Collection[TableDate], wanted: Wanted) -> Iterator[StoredKpis]:
    """The stored amounts of these Dates and tables, in their order."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(partial(_read, bucket, wanted), table_dates)


def _read(bucket: Bucket, wanted: Wanted, table_date: TableDate) -> StoredKpis:
    for _ in range(_ATTEMPTS):
        rows = bucket.head(table_date.curated_key)
        if rows is None:
            return StoredKpis(table_date, Storage.ABSENT)
        try:
            with closing(RemoteFile(bucket, table_date.kpis_key)) as file:
                if file.stored.metadata.get(DEFINITIONS) != definitions(tables_by_name()[table_date.table]):
                    return StoredKpis(table_date, Storage.NOT_BUILT)
                if file.stored.metadata.get(DIGEST) == rows.metadata.get(DIGEST):
                    return _stored(file, table_date, wanted)
        except ObjectAbsentError:
            return StoredKpis(table_date, Storage.NOT_BUILT)
        except ObjectReplacedError:
            continue
    return StoredKpis(table_date, Storage.BEING_REPLACED)


def _stored(file: RemoteFile, table_date: TableDate, wanted: Wanted) -> StoredKpis:
    parquet = pq.ParquetFile(pa.PythonFile(file, mode="r"), read_dictionary=list(STRINGS), pre_buffer=True)
    groups = _row_groups(parquet.metadata, wanted)
    rows = parquet.read_row_groups(groups, use_threads=False) if groups else parquet.schema_arrow.empty_table()
    totals = rows.filter(pc.equal(rows["dimension"], TOTAL)).select(["app_id", "is_final"])
    apps = pa.TableGroupBy(totals, "app_id", use_threads=False).aggregate([("is_final", "min")]).to_pydict()
    is_asked = pc.and_(
        pc.equal(rows["dimension"], wanted.dimension),
        pc.and_(
            pc.is_in(rows["kpi"].cast(pa.string()), pa.array(sorted(wanted.amounts), pa.string())),
            pc.is_in(rows["app_id"], pa.array(sorted(wanted.app_ids), pa.int64())),
        ),
    )
    return StoredKpis(
        table_date,
        Storage.CURRENT,
        dict(zip(apps["app_id"], apps["is_final_min"], strict=True)),  # all rows of an app have the same value
        _amounts(rows.filter(is_asked), wanted),
    )


def _amounts(rows: pa.Table, wanted: Wanted) -> dict[tuple[str, str | None], dict[int, Number | None]]:
    """By amount and value, and by app. Totals, one column at a time, because there can be thousands of apps."""
    if wanted.dimension == TOTAL:
        names = rows["kpi"].cast(pa.string())
        apart = {name: rows.filter(pc.equal(names, name)) for name in wanted.amounts}
        return {
            (name, None): dict(zip(of["app_id"].to_pylist(), _numbers(of), strict=True))
            for name, of in apart.items()
            if of.num_rows
        }
    found: dict[tuple[str, str | None], dict[int, Number | None]] = defaultdict(dict)
    keys = (rows[name].to_pylist() for name in ("kpi", "value", "app_id"))
    for name, value, app_id, number in zip(*keys, _numbers(rows), strict=True):
        found[name, value][app_id] = number
    return found


def _numbers(rows: pa.Table) -> list[Number | None]:
    """A count is in one column, money in the other."""
    counts: list[Number | None] = rows["amount"].to_pylist()
    if rows["usd"].null_count == rows.num_rows:
        return counts
    return [usd if count is None else count for count, usd in zip(counts, rows["usd"].to_pylist(), strict=True)]


def _row_groups(metadata: pq.FileMetaData, wanted: Wanted) -> list[int]:
    """The last row group, which has the totals and the portfolio; for a dimension also those with rows of the apps."""
    last = metadata.num_row_groups - 1
    if last < 0:
        return []
    apps = sorted(wanted.app_ids - {PORTFOLIO})
    if wanted.dimension == TOTAL or not apps:
        return [last]
    return [*(number for number in range(last) if _has_any(metadata.row_group(number), apps)), last]


def _has_any(row_group: pq.RowGroupMetaData, apps: Collection[int]) -> bool:
    bounds = row_group.column(0).statistics
    return any(bounds.min <= app_id <= bounds.max for app_id in apps)

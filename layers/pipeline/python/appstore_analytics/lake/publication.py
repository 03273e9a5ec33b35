"""Publication: the parts of all apps of one Date become the one object that Athena reads, at once.

    ETags of both objects ─► list the parts ─► the object has the same digest ───────────────────► UNCHANGED
              ▲                             ├► no parts ─► announce ─► remove on these ETags ────► REMOVED
              │                             └► GET each on its listed ETag, merge, note
              └─ lost: another writer was first ◄── announce ─► swap on these ETags ─────────────► PUBLISHED

The rows' object is a pure function of the parts, of the table's schema and of the writer's version; its digest names
these three. The KPI object is made of the same rows (`lake/kpis/`) and is swapped, and removed, before them: a Date's
KPIs are as new as its rows, or the Date stays dirty. The ETags are read before the listing: a write between the two
makes the swap fail.
"""

import hashlib
import io
import json
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import groupby
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from appstore_analytics.contract.errors import InstanceQuarantined, ObjectContended
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.tables import EXTRA, INSTANCE_ID, IS_NEWEST_VINTAGE, CuratedTable
from appstore_analytics.lake.kpis.objects import KpiObject, footer
from appstore_analytics.lake.kpis.rollup import Rollup
from appstore_analytics.lake.objects import Bucket, ObjectReplacedError, StoredObject
from appstore_analytics.lake.parquet import WRITER_VERSION, RowGroups, table_layout
from appstore_analytics.lake.parts import batch_of_part
from appstore_analytics.lake.published import DIGEST, note, read_note
from appstore_analytics.lake.schema import in_memory, memory_type, string_columns, table_schema
from appstore_analytics.model.parts import Batch
from appstore_analytics.model.vintage import Vintage

_ATTEMPTS = 12
_FETCHES_AT_ONCE = 8
_FETCHED_AHEAD = 16
_KEPT_IN_MEMORY_BYTES = 1 << 20
_OBJECT_NAME, _KPIS_NAME = "data.parquet", "kpis.parquet"


class PublicationState(StrEnum):
    """The outcome for a Date."""

    PUBLISHED = "published"
    UNCHANGED = "unchanged"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the restatement ledger: the current batch and the one it replaced; None if there is none.

    If every vintage is kept, no batch is replaced: one is only added or removed.
    """

    now: Batch | None
    before: Batch | None


@dataclass(frozen=True, slots=True)
class Publication:
    """The batches of a Date, sorted by app id and vintage, and the changes of this publication."""

    state: PublicationState
    digest: str
    batches: tuple[Batch, ...]
    changes: tuple[Change, ...] = ()

    @property
    def rows(self) -> int:
        """The rows of all batches."""
        return sum(batch.rows for batch in self.batches)


def publish(
    bucket: Bucket,
    table: CuratedTable,
    day: date,
    scratch: Path,
    announce: Callable[[Publication], None] = lambda _: None,
) -> Publication:
    """Rebuild the table's object of `day` from the parts. `scratch` is an empty folder with room for the object.

    `announce` receives each publication before it happens, so that a crash cannot lose its changes. A second run finds
    the same digest and reads no part: UNCHANGED. Raises ObjectContended if other writers replaced parts or the object
    too often, InstanceQuarantined if a part no longer fits the table's schema.
    """
    attempted: Publication | None = None
    for _ in range(_ATTEMPTS):
        try:
            publication, is_standing = _attempt(bucket, table, TableDate(table.name, day), scratch, announce)
        except ObjectReplacedError:
            continue
        if is_standing and publication.state is PublicationState.UNCHANGED and attempted is not None:
            # The answer to our own write was lost, or another writer wrote the same.
            return attempted if attempted.digest == publication.digest else publication
        if is_standing:
            return publication
        attempted = publication
    raise ObjectContended(f"{table.name}, {day}: replaced {_ATTEMPTS} times while it was to be published.")


def _attempt(
    bucket: Bucket,
    table: CuratedTable,
    table_date: TableDate,
    scratch: Path,
    announce: Callable[[Publication], None],
) -> tuple[Publication, bool]:
    """One pass through the picture above, and whether it succeeded."""
    standing, kpis = bucket.head(table_date.curated_key), KpiObject.look(bucket, table, table_date)
    parts = sorted(bucket.list(table_date.parts_prefix), key=lambda part: part.key)
    before = read_note(bucket, table_date, standing)
    if not parts:
        return _remove(bucket, table_date, standing, kpis, before or (), announce)
    digest = _digest(parts, table)
    # A lost note is written again, with the object: the counts to compare with must never be missing.
    if standing is not None and standing.metadata.get(DIGEST) == digest and before is not None:
        is_current = kpis.is_current(digest) or kpis.rebuild(standing, digest, scratch)
        return Publication(PublicationState.UNCHANGED, digest, before), is_current
    batches = _merge(bucket, table, table_date, parts, digest, scratch)
    bucket.write(table_date.publication_key(digest), note(batches), content_type="application/json")
    changes = _changes(before or (), batches, keeps_vintages=table.keeps_vintages)
    publication = Publication(PublicationState.PUBLISHED, digest, batches, changes)
    announce(publication)
    if not kpis.swap(scratch / _KPIS_NAME, digest):
        return publication, False
    with (scratch / _OBJECT_NAME).open("rb") as body:
        expected = None if standing is None else standing.etag
        metadata = {DIGEST: digest, "rows": str(publication.rows)}
        return publication, bucket.swap(table_date.curated_key, body, expected=expected, metadata=metadata)


def _remove(
    bucket: Bucket,
    table_date: TableDate,
    standing: StoredObject | None,
    kpis: KpiObject,
    before: tuple[Batch, ...],
    announce: Callable[[Publication], None],
) -> tuple[Publication, bool]:
    if standing is None:
        return Publication(PublicationState.UNCHANGED, "", ()), kpis.remove()
    removed = Publication(PublicationState.REMOVED, "", (), tuple(Change(None, batch) for batch in before))
    announce(removed)
    return removed, kpis.remove() and bucket.remove(table_date.curated_key, expected=standing.etag)


def _digest(parts: Sequence[StoredObject], table: CuratedTable) -> str:
    """Identifies the bytes that the object must have. Equal ETags mean equal vintages, which are in a part's footer."""
    made_of = {
        "parts": [[part.key, part.etag] for part in parts],
        # Whether the object has `extra` follows from the parts.
        "columns": [[column.name, column.type] for column in table.columns if column is not EXTRA],
        "writer": WRITER_VERSION,
    }
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()


class _ExtraFoundError(Exception):
    """A part has `extra`, but the object that is being written does not."""


@dataclass(frozen=True, slots=True)
class _FetchedPart:
    batch: Batch
    content: pa.NativeFile


def _merge(
    bucket: Bucket,
    table: CuratedTable,
    table_date: TableDate,
    parts: Sequence[StoredObject],
    digest: str,
    scratch: Path,
) -> tuple[Batch, ...]:
    """Write the rows of all parts, sorted by app id and vintage, and their KPIs; what the parts' own metadata say.

    With `extra` if a part has it: Apple adds a column to every app's files, so that one of the first parts shows it.
    """
    try:
        return _write_merged(bucket, table, table_date, parts, digest, scratch, table_schema(table))
    except _ExtraFoundError:
        schema = table_schema(table, has_extra=True)
        return _write_merged(bucket, table, table_date, parts, digest, scratch, schema)


def _write_merged(
    bucket: Bucket,
    table: CuratedTable,
    table_date: TableDate,
    parts: Sequence[StoredObject],
    digest: str,
    scratch: Path,
    schema: pa.Schema,
) -> tuple[Batch, ...]:
    batches = []
    target = in_memory(schema)
    with (
        Rollup(table, table_date.day, scratch / _KPIS_NAME) as rollup,
        RowGroups(scratch / _OBJECT_NAME, table_layout(schema), watch=rollup.add) as file,
        closing(_fetched(bucket, table_date, parts, scratch)) as fetched,
    ):
        for of_one_app in fetched:
            newest = max(part.batch.vintage for part in of_one_app)
            for part in of_one_app:
                for rows in _rows(part, table, target, newest):
                    file.append(rows)
                batches.append(part.batch)
        file.finish({DIGEST: digest, "writer": WRITER_VERSION})
        rollup.finish(footer(table, digest))
    return tuple(batches)


def _fetched(
    bucket: Bucket, table_date: TableDate, parts: Sequence[StoredObject], scratch: Path
) -> Generator[list[_FetchedPart], None, None]:
    """The parts app by app, in numerical order of the apps; a few apps are fetched ahead.

    Raises ObjectReplacedError if a part was replaced in the meantime.
    """

    def app_id(part: StoredObject) -> int:
        return table_date.app_id_of_part(part.key)

    apps = groupby(sorted(parts, key=app_id), key=app_id)
    pool = ThreadPoolExecutor(_FETCHES_AT_ONCE)
    try:
        ahead: deque[Future[list[_FetchedPart]]] = deque()
        for app, of_app in apps:
            ahead.append(pool.submit(_fetch_app, bucket, app, list(of_app), scratch))
            if len(ahead) > _FETCHED_AHEAD:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _fetch_app(bucket: Bucket, app_id: int, parts: Sequence[StoredObject], scratch: Path) -> list[_FetchedPart]:
    fetched = [_fetch(bucket, app_id, part, scratch / f"{app_id}-{number}") for number, part in enumerate(parts)]
    return sorted(fetched, key=lambda part: part.batch.vintage)


def _fetch(bucket: Bucket, app_id: int, part: StoredObject, path: Path) -> _FetchedPart:
    """Reads a small part into memory: making and removing a file takes as long as reading the part."""
    if part.size_bytes <= _KEPT_IN_MEMORY_BYTES:
        memory = io.BytesIO()
        stored = bucket.fetch(part.key, memory, if_match=part.etag)
        return _FetchedPart(batch_of_part(stored, app_id), pa.BufferReader(memory.getbuffer()))
    with path.open("wb") as file:
        stored = bucket.fetch(part.key, file, if_match=part.etag)
    content = pa.OSFile(str(path))
    path.unlink()  # an open file stays readable until it is closed
    return _FetchedPart(batch_of_part(stored, app_id), content)


def _rows(part: _FetchedPart, table: CuratedTable, target: pa.Schema, newest: Vintage) -> Iterator[pa.RecordBatch]:
    """The rows of a part in the table's schema; `newest` is the newest vintage of its app and Date."""
    with part.content:
        file = _opened(part.content, target)
        for number in range(file.num_row_groups):
            rows = file.read_row_group(number, use_threads=False)
            if EXTRA.name in rows.column_names and EXTRA.name not in target.names:
                raise _ExtraFoundError
            if table.keeps_vintages:
                rows = _with_vintage(rows, part.batch.vintage, newest)
            yield from _in_schema(rows, target, table).to_batches()


def _with_vintage(rows: pa.Table, vintage: Vintage, newest: Vintage) -> pa.Table:
    values = {INSTANCE_ID: pa.scalar(vintage.instance_id), IS_NEWEST_VINTAGE: pa.scalar(vintage == newest)}
    for column, value in values.items():
        cells = pa.repeat(value, rows.num_rows).cast(memory_type(column.type))
        rows = rows.append_column(column.name, cells)
    return rows


def _opened(content: pa.NativeFile, target: pa.Schema) -> pq.ParquetFile:
    """A part with its strings as dictionaries. Reading the part's own list of columns takes a fifth of the time."""
    strings = [name for name in string_columns(target) if name != INSTANCE_ID.name]  # which no part has
    try:
        return pq.ParquetFile(content, read_dictionary=strings)
    except KeyError:  # A column is missing: the part comes from an older catalogue.
        return pq.ParquetFile(content, read_dictionary=string_columns(pq.read_schema(content)))


def _in_schema(rows: pa.Table, schema: pa.Schema, table: CuratedTable) -> pa.Table:
    """`rows` of an older catalogue in the current one: a new column is null, a dropped one is left out."""
    if rows.schema.names == schema.names and rows.schema.types == schema.types:
        # A part marks columns without nulls as not nullable, but the object marks none.
        return pa.Table.from_arrays(rows.columns, schema=schema)
    present = set(rows.column_names)
    try:
        columns = [
            rows[field.name].cast(field.type) if field.name in present else pa.nulls(rows.num_rows, field.type)
            for field in schema
        ]
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InstanceQuarantined(
            f"{table.name}: a part of an older catalogue does not fit the table's types ({error}); "
            "convert its instance again."
        ) from error
    return pa.Table.from_arrays(columns, schema=schema)


def _changes(before: Sequence[Batch], now: Sequence[Batch], *, keeps_vintages: bool) -> tuple[Change, ...]:
    def place(batch: Batch) -> tuple[int, Vintage | None]:
        return batch.app_id, batch.vintage if keeps_vintages else None

    stood = {place(batch): batch for batch in before}
    stands = {place(batch): batch for batch in now}
    came = (Change(batch, stood.get(key)) for key, batch in stands.items() if stood.get(key) != batch)
    went = (Change(None, batch) for key, batch in stood.items() if key not in stands)
    return (*came, *went)

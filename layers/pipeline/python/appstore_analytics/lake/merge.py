"""The build of a publication: the parts of all apps of one Date, merged into files; readers see nothing of it yet.

The rows are sorted by app id and vintage, and the KPIs are made of the same rows (`lake/kpis/`). The files are a pure
function of the parts, of the table's schema and of the writer's version, which the digest names.
"""

import hashlib
import io
import json
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from appstore_analytics.contract.errors import InstanceQuarantined
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.tables import EXTRA, INSTANCE_ID, IS_NEWEST_VINTAGE, CuratedTable
from appstore_analytics.lake.date_objects import Built
from appstore_analytics.lake.kpis.rollup import Rollup
from appstore_analytics.lake.kpis.schema import footer
from appstore_analytics.lake.objects import Bucket, StoredObject
from appstore_analytics.lake.parquet import WRITER_VERSION, RowGroups, table_layout
from appstore_analytics.lake.parts import batch_of_part
from appstore_analytics.lake.published import DIGEST
from appstore_analytics.lake.schema import in_memory, memory_type, string_columns, table_schema
from appstore_analytics.model.parts import Batch
from appstore_analytics.model.vintage import Vintage

FETCHES_AT_ONCE = 8
_FETCHED_AHEAD = 16
_KEPT_IN_MEMORY_BYTES = 1 << 20


def digest_of(parts: Sequence[StoredObject], table: CuratedTable) -> str:
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


@dataclass(frozen=True, slots=True)
class Merge:
    """The merge of one Date. `scratch` is an empty folder with room for the files."""

    bucket: Bucket
    table: CuratedTable
    table_date: TableDate
    scratch: Path

    def build(self, parts: Sequence[StoredObject], digest: str) -> Built:
        """Write the rows of all parts and their KPIs. The batches come from the parts' own metadata.

        The rows have `extra` if a part has it: Apple adds a column to every app's files, so that one of the first parts
        shows it. ObjectReplacedError if a part was replaced since it was listed, InstanceQuarantined if one no longer
        fits the table's schema.
        """
        built = Built(digest, self.scratch / "data.parquet", self.scratch / "kpis.parquet")
        try:
            return self._write(parts, built, table_schema(self.table))
        except _ExtraFoundError:
            return self._write(parts, built, table_schema(self.table, has_extra=True))

    def _write(self, parts: Sequence[StoredObject], built: Built, schema: pa.Schema) -> Built:
        batches = []
        target = in_memory(schema)
        with (
            Rollup(self.table, self.table_date.day, built.kpis) as rollup,
            RowGroups(built.rows, table_layout(schema), watch=rollup.add) as file,
            closing(self._fetched(parts)) as fetched,
        ):
            for of_one_app in fetched:
                newest = max(part.batch.vintage for part in of_one_app)
                for part in of_one_app:
                    for rows in self._rows(part, target, newest):
                        file.append(rows)
                    batches.append(part.batch)
            file.finish({DIGEST: built.digest, "writer": WRITER_VERSION})
            rollup.finish(footer(self.table, built.digest))
        return replace(built, batches=tuple(batches))

    def _fetched(self, parts: Sequence[StoredObject]) -> Generator[list[_FetchedPart], None, None]:
        """The parts app by app, in numerical order of the apps; a few apps are fetched ahead."""

        def app_id(part: StoredObject) -> int:
            return self.table_date.app_id_of_part(part.key)

        apps = groupby(sorted(parts, key=app_id), key=app_id)
        pool = ThreadPoolExecutor(FETCHES_AT_ONCE)
        try:
            ahead: deque[Future[list[_FetchedPart]]] = deque()
            for app, of_app in apps:
                ahead.append(pool.submit(self._fetch_app, app, list(of_app)))
                if len(ahead) > _FETCHED_AHEAD:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _fetch_app(self, app_id: int, parts: Sequence[StoredObject]) -> list[_FetchedPart]:
        fetched = [self._fetch(app_id, part, self.scratch / f"{app_id}-{number}") for number, part in enumerate(parts)]
        return sorted(fetched, key=lambda part: part.batch.vintage)

    def _fetch(self, app_id: int, part: StoredObject, path: Path) -> _FetchedPart:
        """Reads a small part into memory: making and removing a file takes as long as reading the part."""
        if part.size_bytes <= _KEPT_IN_MEMORY_BYTES:
            memory = io.BytesIO()
            stored = self.bucket.fetch(part.key, memory, if_match=part.etag)
            return _FetchedPart(batch_of_part(stored, app_id), pa.BufferReader(memory.getbuffer()))
        with path.open("wb") as file:
            stored = self.bucket.fetch(part.key, file, if_match=part.etag)
        content = pa.OSFile(str(path))
        path.unlink()  # an open file stays readable until it is closed
        return _FetchedPart(batch_of_part(stored, app_id), content)

    def _rows(self, part: _FetchedPart, target: pa.Schema, newest: Vintage) -> Iterator[pa.RecordBatch]:
        """The rows of a part in the table's schema; `newest` is the newest vintage of its app and Date."""
        with part.content:
            file = opened(part.content, target)
            for number in range(file.num_row_groups):
                rows = file.read_row_group(number, use_threads=False)
                if EXTRA.name in rows.column_names and EXTRA.name not in target.names:
                    raise _ExtraFoundError
                if self.table.keeps_vintages:
                    rows = _with_vintage(rows, part.batch.vintage, newest)
                yield from _in_schema(rows, target, self.table).to_batches()


def _with_vintage(rows: pa.Table, vintage: Vintage, newest: Vintage) -> pa.Table:
    values = {INSTANCE_ID: pa.scalar(vintage.instance_id), IS_NEWEST_VINTAGE: pa.scalar(vintage == newest)}
    for column, value in values.items():
        cells = pa.repeat(value, rows.num_rows).cast(memory_type(column.type))
        rows = rows.append_column(column.name, cells)
    return rows


def opened(content: pa.NativeFile, target: pa.Schema) -> pq.ParquetFile:
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

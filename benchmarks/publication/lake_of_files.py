"""A bucket of the lake on the local disk, with parts: this measures our work without a network."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import BinaryIO

from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.tables import CuratedTable, tables_by_name
from appstore_analytics.lake.conversion import convert
from appstore_analytics.lake.objects import Bucket, ObjectReplacedError, StoredObject
from appstore_analytics.lake.parquet import WRITER_VERSION
from appstore_analytics.lake.parts import write_parts
from appstore_analytics.model.parts import PartVersion
from appstore_analytics.model.vintage import Vintage
from benchmarks.measuring.progress import say
from benchmarks.samples.data import APP_ID, segment
from benchmarks.setup import BUILD

_TODAY = date(2026, 11, 23)


class BucketOfFiles(Bucket):
    """The S3 calls of parts and publication, on files; metadata is in separate files. Only one writer at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bytes_written = 0
        self._looked_up: dict[str, StoredObject] = {}

    def head(self, key: str) -> StoredObject | None:
        """As in S3. Looked up once, because the metadata files are not part of the measurement."""
        if key not in self._looked_up and (stored := self._look_up(key)):
            self._looked_up[key] = stored
        return self._looked_up.get(key)

    def _look_up(self, key: str) -> StoredObject | None:
        path = self.folder / key
        if not path.exists():
            return None
        etag, *entries = _beside(path).read_text(encoding="utf-8").split("\n")
        metadata = dict(entry.split("=", 1) for entry in entries if entry)
        status = path.stat()
        return StoredObject(key, etag, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC), metadata)

    def read(self, key: str) -> bytes | None:
        """As in S3."""
        path = self.folder / key
        return path.read_bytes() if path.exists() else None

    def fetch(self, key: str, target: BinaryIO, *, if_match: str) -> StoredObject:
        """As in S3."""
        stored = self.head(key)
        if stored is None or stored.etag != if_match:
            raise ObjectReplacedError(key)
        target.write((self.folder / key).read_bytes())
        return stored

    def write(
        self,
        key: str,
        body: bytes | BinaryIO,
        *,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,  # noqa: ARG002 (a file has none)
        content_md5: str | None = None,  # noqa: ARG002
    ) -> str:
        """Write the object; returns its ETag."""
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        content = body if isinstance(body, bytes) else body.read()
        path.write_bytes(content)
        self.bytes_written += len(content)
        etag = f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
        lines = [etag, *(f"{name}={value}" for name, value in (metadata or {}).items())]
        _beside(path).write_text("\n".join(lines), encoding="utf-8")
        self._looked_up.pop(key, None)
        return etag

    def swap(
        self,
        key: str,
        body: bytes | BinaryIO,
        *,
        expected: str | None,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,  # noqa: ARG002
    ) -> bool:
        """Replace the object if its ETag is still `expected`."""
        standing = self.head(key)
        if (None if standing is None else standing.etag) != expected:
            return False
        self.write(key, body, metadata=metadata)
        return True

    def remove(self, key: str, *, expected: str) -> bool:  # noqa: ARG002 (only one writer)
        """Delete the object."""
        path = self.folder / key
        path.unlink()
        _beside(path).unlink()
        self._looked_up.pop(key, None)
        return True

    def list(self, prefix: str, after: str = "") -> Iterator[StoredObject]:
        """As in S3."""
        for path in sorted((self.folder / prefix).parent.rglob("*.parquet")):
            key = str(path.relative_to(self.folder))
            if key.startswith(prefix) and key > after and (stored := self.head(key)):
                yield replace(stored, metadata={})


class NoJournal:
    """Does nothing, because nothing is rolled back here."""

    run_id = "benchmark"

    def note(self, befores: Mapping[date, PartVersion | None]) -> None:
        """Nothing."""

    def is_taken_back(self, day: date, standing: PartVersion) -> bool:  # noqa: ARG002 (the protocol's)
        """No."""
        return False


def kept_parts(table_name: str, apps: int, rows_of_app: int) -> Path:
    """A lake with the parts of the last Date, made once for each version of the writer."""
    folder = BUILD / f"parts-{table_name}-{apps}-{rows_of_app}-{WRITER_VERSION}"
    if not folder.exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        draft = Path(mkdtemp(dir=BUILD))
        fill_with_parts(BucketOfFiles(draft), table_name, apps, rows_of_app, dates=1)
        draft.rename(folder)
    return folder


def fill_with_parts(bucket: Bucket, table_name: str, apps: int, rows_of_app: int, dates: int) -> None:
    """The parts of a number of apps, each converted from its own segment."""
    table = tables_by_name()[table_name]
    for app_id in range(APP_ID, APP_ID + apps):
        say(f"Making the parts of {app_id - APP_ID:,} of {apps:,} apps")
        path = segment(table_name, rows_of_app, app_id, dates)
        convert_into(bucket, table, app_id, path, Vintage(date(2026, 11, 21), AccessType.ONGOING, "instance-1"))
        path.unlink()


def convert_into(bucket: Bucket, table: CuratedTable, app_id: int, segment_path: Path, vintage: Vintage) -> None:
    """One segment's parts."""
    with TemporaryDirectory() as scratch, segment_path.open("rb") as stream:
        conversion = convert([stream], table, app_id, vintage, _TODAY, lambda days: days, Path(scratch))
        write_parts(bucket, table, app_id, vintage, conversion.parts, NoJournal())


def copy_objects(source: BucketOfFiles, target: Bucket) -> None:
    """Copy every part, with its metadata."""
    for listed in source.list("parts/"):
        stored = source.head(listed.key)
        if stored:
            target.write(stored.key, source.read(stored.key) or b"", metadata=stored.metadata)


def curated(bucket: BucketOfFiles, table_name: str, day: date) -> Path:
    """The path of the object of a Date."""
    return bucket.folder / TableDate(table_name, day).curated_key


def _beside(path: Path) -> Path:
    return path.with_suffix(".metadata")

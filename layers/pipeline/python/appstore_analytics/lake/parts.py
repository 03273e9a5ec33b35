"""Parts: one app's rows of one Date, where the newest vintage wins as a whole.

    look ─► a newer vintage ───────────────────────► REFUSED
         ├► this vintage with the same bytes ──────► UNCHANGED
         ├► anything older ─► journal ─► swap on its ETag ──────► REPLACED   lost: look again
         └► no part ─► journal ─► create if still absent ───────► WRITTEN    lost: look again

An instance replaces all rows of a Date, including those that have disappeared, because Apple's newer file is not a
delta. So any order, repetition or crash of writers ends with the same bytes. The version that a write replaces is
journalled before the write, so that a rollback can restore it. The parts of an instance take these steps in parallel: a
snapshot can have a thousand, and each call to S3 has its own latency.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Protocol, Self, TypeVar

from appstore_analytics.contract.errors import ObjectContended
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.objects import Bucket, ObjectAbsentError, StoredObject
from appstore_analytics.model.parts import Batch, JournalLine, PartOutcome, PartVersion
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.rules.part_history import to_put_back

_ATTEMPTS = 12
_CALLS = ThreadPoolExecutor(8, "parts")
"""Its threads outlive an instance, because starting them takes as long as the few calls that most instances make."""

_T = TypeVar("_T")

_RUN = "run"
_VINTAGE = "vintage"
_ROWS = "rows"
_SUMS = "sums"
_MD5 = "md5"


@dataclass(frozen=True, slots=True)
class PartFile:
    """A part on the local disk, ready to be written.

    `sums`: per additive measure (by column name) the exact sum as a decimal string, `12` or `12.500000`; a measure
    that is null in every row is absent, as SQL's SUM of no values is NULL.
    """

    day: date
    path: Path
    rows: int
    sums: Mapping[str, str]


class PartJournal(Protocol):
    """The journal of one instance's writes, for the run that owns them."""

    @property
    def run_id(self) -> str:
        """The owning run, recorded in each part."""

    def note(self, befores: Mapping[date, PartVersion | None]) -> None:
        """Record the versions that are about to be replaced, by Date."""

    def is_taken_back(self, day: date, standing: PartVersion) -> bool:
        """Whether the current version of this Date was taken back by a rollback that could not replace it."""


def write_parts(
    bucket: Bucket,
    table: CuratedTable,
    app_id: int,
    vintage: Vintage,
    parts: Iterable[PartFile],
    journal: PartJournal,
) -> dict[date, PartOutcome]:
    """Write each part unless a newer vintage of the app and Date is there; returns the outcomes by Date.

    A second run finds its own parts: UNCHANGED. Raises ObjectContended if other writers were first too often.
    """
    writers = [_Writer.of(part, table, app_id, vintage) for part in parts]
    waiting = writers
    for _ in range(_ATTEMPTS):
        _at_once(lambda writer: writer.look(bucket), waiting)
        waiting = [writer for writer in waiting if not writer.has_ended(journal)]
        journal.note({writer.part.day: writer.version for writer in waiting if not writer.is_noted(journal)})
        swapped = _at_once(lambda writer: writer.swap(bucket, journal.run_id), waiting)
        waiting = [writer for writer, is_done in zip(waiting, swapped, strict=True) if not is_done]
        if not waiting:
            return {writer.part.day: writer.outcome for writer in writers if writer.outcome}
    raise ObjectContended(f"{waiting[0].key} was replaced {_ATTEMPTS} times while vintage {vintage} was to be written.")


def _at_once(call: Callable[["_Writer"], _T], writers: Iterable["_Writer"]) -> list[_T]:
    """The result of each call. Waits for all calls before it raises an error: otherwise Lambda would freeze a write and
    resume it later."""
    calls = [_CALLS.submit(call, writer) for writer in writers]
    wait(calls)
    return [each.result() for each in calls]


@dataclass(slots=True)
class _Writer:
    """One part being written: the object at its key at the last look, and the outcome if it is known."""

    part: PartFile
    vintage: Vintage
    key: str
    metadata: Mapping[str, str]
    standing: StoredObject | None = None
    outcome: PartOutcome | None = None

    @classmethod
    def of(cls, part: PartFile, table: CuratedTable, app_id: int, vintage: Vintage) -> Self:
        """The writer of a part of one instance."""
        with part.path.open("rb") as content:
            md5 = hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        return cls(part, vintage, part_key(table, app_id, vintage, part.day), _metadata(vintage, part, md5))

    @property
    def version(self) -> PartVersion | None:
        """The version to replace."""
        return None if self.standing is None else part_version(self.standing)

    def look(self, bucket: Bucket) -> None:
        """Read the current object at the key."""
        self.standing = bucket.head(self.key)

    def has_ended(self, journal: PartJournal) -> bool:
        """Whether the current object is kept."""
        if self.standing is not None and _is_done(self.standing, self.metadata, self.part.day, journal):
            # After an earlier attempt: the answer to our own write was lost, or an identical write was first.
            self.outcome = self.outcome or PartOutcome.UNCHANGED
            return True
        if self.version is not None and self.version.vintage > self.vintage:
            self.outcome = PartOutcome.REFUSED
            return True
        self.outcome = PartOutcome.WRITTEN if self.version is None else PartOutcome.REPLACED
        return False

    def is_noted(self, journal: PartJournal) -> bool:
        """Whether the run replaces its own earlier write, whose journal line already names the version before both."""
        return self.version is not None and self.version.is_write_of(journal.run_id, self.vintage)

    def swap(self, bucket: Bucket, run_id: str) -> bool:
        """Replace the object seen at the last look; False if another writer got there first."""
        expected = None if self.standing is None else self.standing.etag
        with self.part.path.open("rb") as body:
            return bucket.swap(self.key, body, expected=expected, metadata={**self.metadata, _RUN: run_id})


def _is_done(standing: StoredObject, metadata: Mapping[str, str], day: date, journal: PartJournal) -> bool:
    """Whether the part is already there. A version that a rollback took back but could not replace is written again."""
    if not metadata.items() <= standing.metadata.items():
        return False
    version = part_version(standing)
    return version.run_id == journal.run_id or not journal.is_taken_back(day, version)


class PutBack(StrEnum):
    """What was done with a part whose writes were rolled back."""

    RESTORED = "restored"
    DELETED = "deleted"
    UNCHANGED = "unchanged"
    EXPIRED = "expired"


def put_parts_back(
    bucket: Bucket, key: str, line_of: Callable[[PartVersion], JournalLine | None]
) -> tuple[PutBack, PartVersion | None]:
    """Replace the part as long as it is a write that was rolled back. Returns what was done, and the current write.

    `line_of` finds the journal line of a write. The part is read again after each swap: another rollback can have taken
    back the write that was just restored. EXPIRED: S3 no longer keeps the version to restore. ObjectContended: other
    writers were first too often.
    """
    done = PutBack.UNCHANGED
    for _ in range(_ATTEMPTS):
        standing = bucket.head(key)
        version = None if standing is None else part_version(standing)
        line = version and line_of(version)
        if standing is None or not (line and line.taken_back_by):
            return done, version
        target = to_put_back(line, line_of)
        try:
            swapped = _put_back(bucket, standing, target)
        except ObjectAbsentError:
            return PutBack.EXPIRED, version
        if swapped:
            done = PutBack.DELETED if target is None else PutBack.RESTORED
    raise ObjectContended(f"{key} was replaced {_ATTEMPTS} times while it was to be restored.")


def _put_back(bucket: Bucket, standing: StoredObject, version: PartVersion | None) -> bool:
    """Replace `standing` by `version`, or delete it if that is None; False if another writer got there first.

    ObjectAbsentError if S3 no longer keeps that version.
    """
    if version is None:
        return bucket.remove(standing.key, expected=standing.etag)
    content, metadata = bucket.read_version(standing.key, version.version_id)
    return bucket.swap(standing.key, content, expected=standing.etag, metadata=metadata)


def part_version(standing: StoredObject) -> PartVersion:
    """The write that made this object, from its metadata."""
    metadata = standing.metadata
    return PartVersion(metadata.get(_RUN, ""), Vintage.parse(metadata[_VINTAGE]), standing.version_id, standing.etag)


def batch_of_part(stored: StoredObject, app_id: int) -> Batch:
    """The batch in a part, from its metadata."""
    metadata = stored.metadata
    return Batch(app_id, Vintage.parse(metadata[_VINTAGE]), int(metadata[_ROWS]), json.loads(metadata[_SUMS]))


def part_key(table: CuratedTable, app_id: int, vintage: Vintage, day: date) -> str:
    """The key of an instance's part."""
    table_date = TableDate(table.name, day)
    if table.keeps_vintages:
        return table_date.vintage_part_key(str(app_id), vintage.processing_date, vintage.instance_id)
    return table_date.part_key(str(app_id))


def _metadata(vintage: Vintage, part: PartFile, md5: str) -> dict[str, str]:
    return {
        _VINTAGE: str(vintage),
        _ROWS: str(part.rows),
        _SUMS: json.dumps(part.sums, sort_keys=True),
        _MD5: md5,
    }

"""Parts: one app's rows of one Date, in which the newest vintage wins, whole.

    look ─► a newer vintage stands ─────────────────► REFUSED
         ├► this vintage stands with the same bytes ─► UNCHANGED
         ├► anything older stands ─► journal ─► swap on its ETag ─► REPLACED   lost: look again
         └► nothing stands ─► journal ─► create if still absent ──► WRITTEN    lost: look again

An instance replaces all rows of a Date, those that vanished included, because Apple's newer file is not a delta. So any
order, any repetition and any crash of writers end with the same bytes. What a write replaces is journalled before it
happens, with the version that S3 keeps of it, so that a rollback can put it back. The parts of an instance take these
steps together: a snapshot may have a thousand, and S3 answers each call in its own time.
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
"""Its threads outlive an instance: to start them takes as long as the few calls that most instances make."""

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
    """Where the writes of one instance are noted, in the name of the run that answers for them."""

    @property
    def run_id(self) -> str:
        """That run; a part carries it."""

    def note(self, befores: Mapping[date, PartVersion | None]) -> None:
        """Writes are about to take the place of what stands, by Date."""

    def is_taken_back(self, day: date, standing: PartVersion) -> bool:
        """Whether what stands for this Date is what a rollback could not put away."""


def write_parts(
    bucket: Bucket,
    table: CuratedTable,
    app_id: int,
    vintage: Vintage,
    parts: Iterable[PartFile],
    journal: PartJournal,
) -> dict[date, PartOutcome]:
    """Let each part stand for this app and its Date unless a newer vintage does; what became of them, by Date.

    A second run finds its own parts: UNCHANGED. Raises ObjectContended when other writers were first too often.
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
    """What each call answers. It waits for all before one may fail: Lambda would freeze a write, and thaw it later."""
    calls = [_CALLS.submit(call, writer) for writer in writers]
    wait(calls)
    return [each.result() for each in calls]


@dataclass(slots=True)
class _Writer:
    """One part on its way: what stood at its key at the last look, and what became of it as far as is known."""

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
        """What is to be replaced."""
        return None if self.standing is None else part_version(self.standing)

    def look(self, bucket: Bucket) -> None:
        """See what stands."""
        self.standing = bucket.head(self.key)

    def has_ended(self, journal: PartJournal) -> bool:
        """Whether what stands is to stay."""
        if self.standing is not None and _is_done(self.standing, self.metadata, self.part.day, journal):
            # If we have already tried, the answer to our own write was lost on the way, or a twin of ours was first.
            self.outcome = self.outcome or PartOutcome.UNCHANGED
            return True
        if self.version is not None and self.version.vintage > self.vintage:
            self.outcome = PartOutcome.REFUSED
            return True
        self.outcome = PartOutcome.WRITTEN if self.version is None else PartOutcome.REPLACED
        return False

    def is_noted(self, journal: PartJournal) -> bool:
        """Whether the run writes over its own earlier write: the line of that one names what stood before both."""
        return self.version is not None and self.version.is_write_of(journal.run_id, self.vintage)

    def swap(self, bucket: Bucket, run_id: str) -> bool:
        """Put the part in the place of what stood at the last look; False when somebody was first."""
        expected = None if self.standing is None else self.standing.etag
        with self.part.path.open("rb") as body:
            return bucket.swap(self.key, body, expected=expected, metadata={**self.metadata, _RUN: run_id})


def _is_done(standing: StoredObject, metadata: Mapping[str, str], day: date, journal: PartJournal) -> bool:
    """Whether the part stands already. What a rollback took back and could not put away is written anew."""
    if not metadata.items() <= standing.metadata.items():
        return False
    version = part_version(standing)
    return version.run_id == journal.run_id or not journal.is_taken_back(day, version)


class PutBack(StrEnum):
    """What became of a part at whose key writes were taken back."""

    RESTORED = "restored"
    DELETED = "deleted"
    UNCHANGED = "unchanged"
    EXPIRED = "expired"


def put_parts_back(
    bucket: Bucket, key: str, line_of: Callable[[PartVersion], JournalLine | None]
) -> tuple[PutBack, PartVersion | None]:
    """Let what stands give way as long as it is a write that was taken back; what became of it, and what stands now.

    `line_of` finds the journal line of a write. After each swap it looks again: another rollback may have taken back
    just what was put there. EXPIRED: S3 no longer keeps what is to stand there. ObjectContended: others were first too
    often.
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
    """Let `version` stand in the place of `standing`, or nothing; False when somebody was first.

    ObjectAbsentError when S3 no longer keeps that version.
    """
    if version is None:
        return bucket.remove(standing.key, expected=standing.etag)
    content, metadata = bucket.read_version(standing.key, version.version_id)
    return bucket.swap(standing.key, content, expected=standing.etag, metadata=metadata)


def part_version(standing: StoredObject) -> PartVersion:
    """Which write stands there, as its metadata says."""
    metadata = standing.metadata
    return PartVersion(metadata.get(_RUN, ""), Vintage.parse(metadata[_VINTAGE]), standing.version_id, standing.etag)


def batch_of_part(stored: StoredObject, app_id: int) -> Batch:
    """What a part holds, as its metadata says."""
    metadata = stored.metadata
    return Batch(app_id, Vintage.parse(metadata[_VINTAGE]), int(metadata[_ROWS]), json.loads(metadata[_SUMS]))


def part_key(table: CuratedTable, app_id: int, vintage: Vintage, day: date) -> str:
    """Where the part of an instance lies."""
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

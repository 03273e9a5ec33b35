"""Publication: the parts of all apps of one Date become the one object that Athena reads, at once.

    look at both objects ─► list the parts ─► the rows have the same digest ─────────────────────► UNCHANGED
              ▲                            ├► no parts ─► announce ─► remove on these ETags ─────► REMOVED
              │                            └► build from the parts (lake/merge.py), note
              └─ lost: another writer was first ◄── announce ─► swap on these ETags ─────────────► PUBLISHED
                                                                (lake/date_objects.py)

The ETags are read before the listing: a write between the two makes the swap fail.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

from appstore_analytics.contract.errors import ObjectContended
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.date_objects import DateObjects
from appstore_analytics.lake.merge import Merge, digest_of
from appstore_analytics.lake.objects import Bucket, ObjectReplacedError
from appstore_analytics.model.parts import Batch
from appstore_analytics.model.vintage import Vintage

_ATTEMPTS = 12

Announce = Callable[["Publication"], None]


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
    bucket: Bucket, table: CuratedTable, day: date, scratch: Path, announce: Announce = lambda _: None
) -> Publication:
    """Rebuild the table's object of `day` from the parts. `scratch` is an empty folder with room for the object.

    `announce` receives each publication before it happens, so that a crash cannot lose its changes. A second run finds
    the same digest and reads no part: UNCHANGED. Raises ObjectContended if other writers replaced parts or the object
    too often, InstanceQuarantined if a part no longer fits the table's schema.
    """
    attempted: Publication | None = None
    for _ in range(_ATTEMPTS):
        try:
            publication, is_current = _attempt(Merge(bucket, table, TableDate(table.name, day), scratch), announce)
        except ObjectReplacedError:
            continue
        if is_current and publication.state is PublicationState.UNCHANGED and attempted is not None:
            # The answer to our own write was lost, or another writer wrote the same.
            return attempted if attempted.digest == publication.digest else publication
        if is_current:
            return publication
        attempted = publication
    raise ObjectContended(f"{table.name}, {day}: replaced {_ATTEMPTS} times while it was to be published.")


def _attempt(merge: Merge, announce: Announce) -> tuple[Publication, bool]:
    """One pass through the picture above, and whether it succeeded."""
    objects = DateObjects.look(merge.bucket, merge.table, merge.table_date)
    parts = sorted(merge.bucket.list(merge.table_date.parts_prefix), key=lambda part: part.key)
    if not parts:
        return _remove(objects, announce)
    digest = digest_of(parts, merge.table)
    # If the object's note is lost, the object is written again together with its note.
    if objects.has_rows_of(digest):
        unchanged = Publication(PublicationState.UNCHANGED, digest, objects.batches or ())
        return unchanged, objects.complete(digest, merge.scratch)
    built = merge.build(parts, digest)
    objects.write_note(built)
    changes = _changes(objects.batches or (), built.batches, keeps_vintages=merge.table.keeps_vintages)
    publication = Publication(PublicationState.PUBLISHED, digest, built.batches, changes)
    announce(publication)
    return publication, objects.replace(built)


def _remove(objects: DateObjects, announce: Announce) -> tuple[Publication, bool]:
    if objects.rows is None:
        return Publication(PublicationState.UNCHANGED, "", ()), objects.remove()
    changes = tuple(Change(None, batch) for batch in objects.batches or ())
    removed = Publication(PublicationState.REMOVED, "", (), changes)
    announce(removed)
    return removed, objects.remove()


def _changes(before: Sequence[Batch], now: Sequence[Batch], *, keeps_vintages: bool) -> tuple[Change, ...]:
    def place(batch: Batch) -> tuple[int, Vintage | None]:
        return batch.app_id, batch.vintage if keeps_vintages else None

    earlier = {place(batch): batch for batch in before}
    current = {place(batch): batch for batch in now}
    came = (Change(batch, earlier.get(key)) for key, batch in current.items() if earlier.get(key) != batch)
    went = (Change(None, batch) for key, batch in earlier.items() if key not in current)
    return (*came, *went)

"""The note on each published object: the batches that it was made of, named by the object's digest.

Separate from publication.py, because comparing counts does not need Arrow.
"""

import json
from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from appstore_analytics.contract.layout import TableDate, curated_location, day_of, parts_location
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.objects import Bucket, StoredObject
from appstore_analytics.model.parts import Batch
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.rules.counts import BatchKey, Counts

DIGEST = "digest"
"""The metadata key with the name of an object's note."""


def read_publication(bucket: Bucket, table: CuratedTable, day: date) -> tuple[Batch, ...]:
    """The batches of the current object of `day`; none without an object."""
    table_date = TableDate(table.name, day)
    return read_note(bucket, table_date, bucket.head(table_date.curated_key)) or ()


def published_dates(bucket: Bucket, table: CuratedTable) -> list[date]:
    """The Dates of a table that have an object, oldest first."""
    return list(published_objects(bucket, table))


def published_objects(bucket: Bucket, table: CuratedTable, since: date | None = None) -> dict[date, StoredObject]:
    """The objects of a table by Date, oldest first; with `since` only those from that Date on."""
    location = curated_location(table.name)
    after = f"{location}dt={since.isoformat()}" if since else ""
    return {day_of(each.key): each for each in bucket.list(location, after)}


def stored_dates(bucket: Bucket, table: CuratedTable) -> list[date]:
    """The Dates of a table that have a part or an object and so can be published, oldest first."""
    folders = (
        folder
        for location in (parts_location(table.name), curated_location(table.name))
        for folder in bucket.folders(location)
    )
    return sorted({date.fromisoformat(folder.removeprefix("dt=")) for folder in folders})


def published_counts(lake: Bucket, table: CuratedTable, days: Collection[date]) -> dict[BatchKey, Counts]:
    """The converter's counts of these Dates' current parts, by app and Date; several vintages of an app add up."""
    expected: dict[BatchKey, Counts] = {}
    for day in days:
        for batch in read_publication(lake, table, day):
            sums = {name: None if text is None else Decimal(text) for name, text in batch.sums.items()}
            before = expected.get((batch.app_id, day))
            expected[batch.app_id, day] = (
                Counts(batch.rows, sums) if before is None else before + Counts(batch.rows, sums)
            )
    return expected


def note(batches: Sequence[Batch]) -> bytes:
    """The note on an object that is made of these batches; the same batches give the same bytes."""
    entries = [
        {"app_id": batch.app_id, "vintage": str(batch.vintage), "rows": batch.rows, "sums": dict(batch.sums)}
        for batch in batches
    ]
    return json.dumps({"batches": entries}, sort_keys=True).encode()


def read_note(bucket: Bucket, table_date: TableDate, standing: StoredObject | None) -> tuple[Batch, ...] | None:
    """The batches of the object `standing`; None without an object or if its note is lost."""
    if standing is None or DIGEST not in standing.metadata:
        return None
    content = bucket.read(table_date.publication_key(standing.metadata[DIGEST]))
    return None if content is None else tuple(_batch(entry) for entry in json.loads(content)["batches"])


def _batch(entry: dict[str, Any]) -> Batch:
    return Batch(entry["app_id"], Vintage.parse(entry["vintage"]), entry["rows"], entry["sums"])

"""What a published object was made of: the note beside it, named by the object's digest.

Apart from publication.py, because whoever compares counts needs no Arrow.
"""

import json
from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from appstore_analytics.contract.layout import TableDate, curated_location, parts_location
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.objects import Bucket, StoredObject
from appstore_analytics.model.parts import Batch
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.rules.counts import BatchKey, Counts

DIGEST = "digest"
"""The metadata in which an object carries the name of its note."""


def read_publication(bucket: Bucket, table: CuratedTable, day: date) -> tuple[Batch, ...]:
    """The batches of which the object that stands for `day` now was made; none when no object stands there."""
    table_date = TableDate(table.name, day)
    return read_note(bucket, table_date, bucket.head(table_date.curated_key)) or ()


def published_dates(bucket: Bucket, table: CuratedTable) -> list[date]:
    """The Dates of a table for which an object stands, oldest first."""
    return list(published_objects(bucket, table))


def published_objects(bucket: Bucket, table: CuratedTable, since: date | None = None) -> dict[date, StoredObject]:
    """The objects of a table by Date, oldest first; those from a Date on, if one is given."""
    location = curated_location(table.name)
    after = f"{location}dt={since.isoformat()}" if since else ""
    return {date.fromisoformat(each.key.split("dt=", 1)[1][:10]): each for each in bucket.list(location, after)}


def stored_dates(bucket: Bucket, table: CuratedTable) -> list[date]:
    """The Dates of a table that have a part or an object, oldest first: all that can be published."""
    folders = (
        folder
        for location in (parts_location(table.name), curated_location(table.name))
        for folder in bucket.folders(location)
    )
    return sorted({date.fromisoformat(folder.removeprefix("dt=")) for folder in folders})


def published_counts(lake: Bucket, table: CuratedTable, days: Collection[date]) -> dict[BatchKey, Counts]:
    """What the converter counted of these Dates' current parts, by app and Date; several vintages of an app add up."""
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
    """The batches of which the object `standing` was made; None without an object or when its note is lost."""
    if standing is None or DIGEST not in standing.metadata:
        return None
    content = bucket.read(table_date.publication_key(standing.metadata[DIGEST]))
    return None if content is None else tuple(_batch(entry) for entry in json.loads(content)["batches"])


def _batch(entry: dict[str, Any]) -> Batch:
    return Batch(entry["app_id"], Vintage.parse(entry["vintage"]), entry["rows"], entry["sums"])

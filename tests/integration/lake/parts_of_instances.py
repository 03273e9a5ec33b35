"""Instances whose parts are written and published."""

import io
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.objects import Bucket, StoredObject
from appstore_analytics.lake.parts import write_parts
from appstore_analytics.model.parts import PartOutcome, PartVersion
from appstore_analytics.model.vintage import Vintage
from tests.lake_samples import APP, DAY, ENGAGEMENT, converted, row, tsv

OTHER_APP = 999  # numerically before, alphabetically after


@dataclass(frozen=True)
class Instance:
    vintage: Vintage
    counts: tuple[int, ...]
    app_id: int = APP
    day: str = "2026-11-20"
    zone: str = ""  # in a column that the catalogue does not know


@dataclass
class Noted:
    """A journal in memory: what each write of a run replaces."""

    run_id: str = "run-1"
    befores: list[PartVersion | None] = field(default_factory=list)
    taken_back: bool = False

    def note(self, befores: Mapping[date, PartVersion | None]) -> None:
        self.befores += befores.values()

    def is_taken_back(self, *_: object) -> bool:
        return self.taken_back


def land(
    bucket: Bucket,
    scratch: Path,
    instance: Instance,
    table: CuratedTable = ENGAGEMENT,
    journal: Noted | None = None,
) -> list[PartOutcome]:
    measure = table.report.additive_measures[0].name
    date_column = table.report.date_column
    rows = [
        row(table, instance.app_id, **{measure: str(count), date_column: instance.day}) for count in instance.counts
    ]
    if instance.zone:
        rows = [each | {"Zone": instance.zone} for each in rows]
    result = converted([tsv(rows)], scratch, table, instance.app_id, instance.vintage)
    journal = journal or Noted()
    return [*write_parts(bucket, table, instance.app_id, instance.vintage, result.parts, journal).values()]


def published_rows(bucket: Bucket, table: CuratedTable = ENGAGEMENT, day: date = DAY) -> list[dict[str, Any]]:
    content = bucket.read(TableDate(table.name, day).curated_key)
    assert content is not None
    rows: list[dict[str, Any]] = pq.read_table(io.BytesIO(content)).to_pylist()
    return rows


def counts(bucket: Bucket) -> list[tuple[int, int]]:
    return [(each["app_id"], each["counts"]) for each in published_rows(bucket)]


def overwriting(bucket: Bucket, key: str, metadata: dict[str, str]) -> Iterator[None]:
    """Another writer who puts something else at `key` again and again."""
    for number in itertools.count():
        bucket.write(key, b"%d" % number, metadata=metadata)
        yield


class Interrupted(Bucket):
    """A bucket in which another writer acts just before the next calls of one method."""

    def __init__(self, bucket: Bucket, method: str, acts: Iterator[Any]) -> None:
        super().__init__(bucket._client, bucket.name)
        self._method, self._acts = method, acts

    def swap(self, key: str, *args: Any, **options: Any) -> bool:
        self._act("swap")
        return super().swap(key, *args, **options)

    def fetch(self, *args: Any, **options: Any) -> StoredObject:
        self._act("fetch")
        return super().fetch(*args, **options)

    def _act(self, method: str) -> None:
        if method == self._method:
            next(self._acts, None)

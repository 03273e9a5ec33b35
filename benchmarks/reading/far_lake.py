"""A lake on the local disk that answers as late as S3 does, and counts what it is asked."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from threading import Lock
from typing import TypeVar

from appstore_analytics.contract.layout import CURATED_PREFIX, MONTHS_PREFIX, TableDate
from appstore_analytics.lake.objects import ObjectAbsentError, StoredObject
from benchmarks.publication.lake_of_files import BucketOfFiles
from benchmarks.samples.data import LAST_DATE

LATENCY = timedelta(milliseconds=30)
_DAY = re.compile(r"dt=\d{4}-\d\d-\d\d")
_T = TypeVar("_T")


class FarLake(BucketOfFiles):
    """The requests of reading and compacting KPIs. Every Date has the objects of the last one: a year fits on a disk.

    `days` are listed. Without `has_months` no month is found.
    """

    def __init__(
        self, folder: Path, days: int = 1, *, has_months: bool = True, latency: timedelta | None = None
    ) -> None:
        super().__init__(folder)
        self._days, self._has_months = days, has_months
        self._latency = LATENCY if latency is None else latency
        self._lock = Lock()
        self.requests = self.lists = self.bytes_read = 0

    def head(self, key: str) -> StoredObject | None:
        """As S3 answers."""
        return self._asked(lambda: self._head(key))

    def read_stored(self, key: str) -> tuple[bytes, StoredObject] | None:
        """As S3 answers."""
        return self._asked(lambda: self._whole(key))

    def end(self, key: str, size_bytes: int) -> tuple[bytes, StoredObject]:
        """As S3 answers."""
        return self._asked(lambda: self._end(key, size_bytes))

    def range(self, key: str, start: int, stop: int, *, if_match: str) -> bytes:  # noqa: ARG002 (nothing is written)
        """As S3 answers."""
        return self._asked(lambda: self._piece(key, start, stop))

    def list(self, prefix: str, after: str = "") -> Iterator[StoredObject]:
        """The rows' objects of every Date, as S3 lists them; a thousand are one request."""
        table = prefix.removeprefix(CURATED_PREFIX).rstrip("/")
        stored = self._asked(lambda: self._head(TableDate(table, LAST_DATE).curated_key))
        with self._lock:
            self.lists += 1
        keys = (TableDate(table, day).curated_key for day in dates(self._days))
        return iter([replace(stored, key=key, metadata={}) for key in sorted(keys) if key > after] if stored else [])

    def _head(self, key: str) -> StoredObject | None:
        if key.startswith(MONTHS_PREFIX):
            return super().head(key) if self._has_months else None
        return super().head(_of_the_last_date(key))

    def _end(self, key: str, size_bytes: int) -> tuple[bytes, StoredObject]:
        stored = self._head(key)
        if stored is None:
            raise ObjectAbsentError(key)
        return self._piece(stored.key, max(stored.size_bytes - size_bytes, 0), stored.size_bytes), stored

    def _whole(self, key: str) -> tuple[bytes, StoredObject] | None:
        stored = self._head(key)
        return (self._piece(stored.key, 0, stored.size_bytes), stored) if stored else None

    def _piece(self, key: str, start: int, stop: int) -> bytes:
        with (self.folder / _of_the_last_date(key)).open("rb") as file:
            file.seek(start)
            content = file.read(stop - start)
        with self._lock:
            self.bytes_read += len(content)
        return content

    def _asked(self, answer: Callable[[], _T]) -> _T:
        with self._lock:
            self.requests += 1
        time.sleep(self._latency.total_seconds())
        return answer()


def dates(count: int) -> list[date]:
    """This number of Dates up to the last one."""
    return [LAST_DATE - timedelta(days=age) for age in range(count)]


def _of_the_last_date(key: str) -> str:
    return _DAY.sub(f"dt={LAST_DATE.isoformat()}", key)

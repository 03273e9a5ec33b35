"""AWS's counts for one usual daily run, by step, measured at two sizes and extrapolated to any size.

All of it grows as `fixed + per_app × apps`: a test compares a third size.
"""

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.kpis.stored import amounts_of
from appstore_analytics.contract.layout import CURATED_PREFIX, PARTS_PREFIX, RAW_PREFIX, TableDate
from appstore_analytics.contract.tables import curated_tables
from appstore_analytics.lake.published import published_dates
from appstore_analytics.registry.keys import instance_key, is_instance, parse_instance_key
from appstore_analytics.rules.due import INSTANCE_LIFE_DAYS
from benchmarks.measuring.progress import say
from benchmarks.usage.days import Days, aws_in_process
from local.apple import WorldSettings

ROWS_PER_DATE = 100
"""The rows of one small app in one table."""

_TODAY = date(2026, 11, 16)
_S3_WRITES = frozenset({"PutObject", "ListObjectsV2", "ListObjectVersions", "CopyObject", "CreateMultipartUpload"})
_S3_FREE = frozenset({"DeleteObject"})
_WRITE_UNIT_BYTES, _READ_UNIT_BYTES = 1024, 4096

_STEP_BY_ROUTE: Mapping[str, str] = {
    "GET /v1/apps": "plan_run",
    "GET /v1/analyticsReports/{id}/instances": "list_instances",
    "GET /v1/analyticsReportInstances/{id}/segments": "download_segments",
    "GET /v1/apps/{id}/appStoreVersions": "list_releases",
}
"""The step that makes a call to Apple on a usual day."""


class Unit(StrEnum):
    """The counts of a step."""

    CALLS = "calls"
    S3_WRITES = "S3 writes"
    S3_READS = "S3 reads"
    WRITE_UNITS = "DynamoDB write units"
    READ_UNITS = "DynamoDB read units"
    REQUESTS = "requests to DynamoDB"
    APPLE_CALLS = "calls to Apple"
    QUERIES = "queries of Athena"


class Stored(StrEnum):
    """The bytes that a day adds."""

    RAW = RAW_PREFIX
    PARTS = PARTS_PREFIX
    CURATED = CURATED_PREFIX
    OTHER = "all else"
    ITEMS = "items of the registry"


Counts = Counter[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class DayCounted:
    """One usual day of this many apps: units by step, bytes by kind, the parts and rows of the run."""

    apps: int
    units: Counts
    stored: Mapping[Stored, float]
    parts: int
    rows: int
    dates: int


@dataclass(frozen=True, slots=True)
class Linear:
    """`fixed` of a day, whatever the number of apps, and `per_app` more for each."""

    fixed: float
    per_app: float

    def of(self, apps: int) -> float:
        """The count of a day with this many apps."""
        return self.fixed + self.per_app * apps

    @classmethod
    def through(cls, few: tuple[int, float], many: tuple[int, float]) -> "Linear":
        """The straight line through two counts, each with its number of apps."""
        per_app = (many[1] - few[1]) / (many[0] - few[0])
        return cls(few[1] - per_app * few[0], per_app)


@dataclass
class _Teller:
    """Counts the calls that it receives; the sizes of updated items are known when the day is over."""

    units: Counts = field(default_factory=Counter)
    updated: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def called(self, step: str) -> None:
        """A Lambda call."""
        self.units[step, Unit.CALLS] += 1

    def told(self, step: str, service: str, operation: str, body: Any, answer: Mapping[str, Any]) -> None:
        """A call to AWS."""
        if service == "s3":
            if operation not in _S3_FREE:
                self.units[step, Unit.S3_WRITES if operation in _S3_WRITES else Unit.S3_READS] += 1
            return
        if service == "athena":
            self.units[step, Unit.QUERIES] += 1
            return
        self._told_dynamodb(step, operation, body, answer)

    def _told_dynamodb(self, step: str, operation: str, body: Any, answer: Mapping[str, Any]) -> None:
        self.units[step, Unit.REQUESTS] += 1
        request = json.loads(body)
        if operation == "PutItem":
            self.units[step, Unit.WRITE_UNITS] += _units(request["Item"], _WRITE_UNIT_BYTES)
        elif operation == "BatchWriteItem":
            for put in (put for puts in request["RequestItems"].values() for put in puts):
                self.units[step, Unit.WRITE_UNITS] += _units(put["PutRequest"]["Item"], _WRITE_UNIT_BYTES)
        elif operation in ("UpdateItem", "DeleteItem"):
            self.updated[step, request["Key"]["pk"]["S"], request["Key"]["sk"]["S"]] += 1
        elif operation in ("GetItem", "Query"):
            read = answer.get("Items") or answer.get("Item") or {}
            self.units[step, Unit.READ_UNITS] += _units(read, _READ_UNIT_BYTES)
        else:
            raise ValueError(f"It is not known what {operation} costs.")

    def finish(self, items: Mapping[tuple[str, str], Any]) -> None:
        """The cost of an update depends on the size of the whole item, which is largest at the end of the day."""
        for (step, pk, sk), times in self.updated.items():
            self.units[step, Unit.WRITE_UNITS] += times * _units(items.get((pk, sk), {}), _WRITE_UNIT_BYTES)


def count_day(apps: int, reports: tuple[str, ...], rows_per_date: int = ROWS_PER_DATE) -> DayCounted:
    """A usual day of an account that has been fetched for as long as Apple keeps instances."""
    settings = WorldSettings(
        today=_TODAY,
        apps=apps,
        rows_per_date=rows_per_date,
        dates_per_instance=None,
        segments_per_instance=1,
        calls_per_hour=10**6,
    )
    teller = _Teller()
    say(f"Counting a day of {apps} apps")
    with aws_in_process():
        days = Days(settings, reports)
        days.run()
        days.next_day()
        _grow_old(days)
        _grow_a_month(days)
        before = _sizes(days)
        days.told, days.called = teller.told, teller.called
        day = days.next_day()
        after, items = _sizes(days), _items(days)
    teller.finish(items)
    for route, calls in day.calls.items():
        teller.units[_STEP_BY_ROUTE[route], Unit.APPLE_CALLS] += calls
    report = day.report
    return DayCounted(
        apps,
        teller.units,
        {kind: after[kind] - before[kind] for kind in Stored},
        parts=report["parts_written"] + report["parts_replaced"],
        rows=report["rows_curated"],
        dates=report["dates_published"],
    )


def lines_of(few: DayCounted, many: DayCounted) -> dict[tuple[str, str], Linear]:
    """Every unit of every step, for any number of apps."""
    keys = sorted({*few.units, *many.units})
    return {key: Linear.through((few.apps, few.units[key]), (many.apps, many.units[key])) for key in keys}


def _grow_old(days: Days) -> None:
    """Fill the ledger with the instances of five weeks, as copies of the newest: listing reads them all."""
    table = days.registry.table
    items = [item for item in table.scan()["Items"] if is_instance(item)]
    with table.batch_writer() as writer:
        for item in items:
            app_id, newest = parse_instance_key(item)
            for age in range(1, INSTANCE_LIFE_DAYS + 7):
                day, instance_id = newest.processing_date - timedelta(days=age), f"{newest.instance_id}-{age}"
                older = replace(newest, processing_date=day, instance_id=instance_id)
                writer.put_item(Item={**item, **instance_key(app_id, older)})


def _grow_a_month(days: Days) -> None:
    """Publish older Dates, as copies of the oldest, back to the first of the month: months are made of all."""
    first = _TODAY.replace(day=1)
    for table in filter(amounts_of, curated_tables(days.reports, (Granularity.DAILY,))):
        oldest = TableDate(table.name, published_dates(days.lake, table)[0])
        for age in range(1, (oldest.day - first).days + 1):
            older = TableDate(table.name, oldest.day - timedelta(days=age))
            for key, copy in ((oldest.kpis_key, older.kpis_key), (oldest.curated_key, older.curated_key)):
                if stored := days.lake.head(key):
                    days.lake.write(copy, days.lake.read(key) or b"", metadata=stored.metadata)


def _items(days: Days) -> dict[tuple[str, str], Any]:
    found: dict[tuple[str, str], Any] = {}
    page = days.registry.table.scan()
    while True:
        found |= {(str(item["pk"]), str(item["sk"])): item for item in page["Items"]}
        if "LastEvaluatedKey" not in page:
            return found
        page = days.registry.table.scan(ExclusiveStartKey=page["LastEvaluatedKey"])


def _sizes(days: Days) -> dict[Stored, float]:
    sizes = dict.fromkeys(Stored, 0.0)
    for bucket in (days.raw, days.lake):
        for stored in bucket.list(""):
            kind = next((kind for kind in Stored if stored.key.startswith(kind)), Stored.OTHER)
            sizes[kind] += stored.size_bytes
    sizes[Stored.ITEMS] = sum(_bytes(item) for item in _items(days).values())
    return sizes


def _units(value: Any, unit_bytes: int) -> int:
    return max(1, math.ceil(_bytes(value) / unit_bytes))


def _bytes(value: Any) -> int:
    """About what DynamoDB counts: names and values as text."""
    return len(json.dumps(value, default=str))

"""Sample segments: invented rows with cardinalities like those of real reports; the same arguments give the same bytes.

The value of each row is drawn by Zipf's law: the first of a pool is drawn about as often as all the others together.
Dates are drawn too, so the rows of a Date are not next to each other, which is the harder case.
"""

import gzip
import os
import random
import zlib
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from appstore_analytics.contract.catalogue.definition import Column, ColumnType, Role
from appstore_analytics.contract.tables import CuratedTable, tables_by_name

DATA = Path(__file__).resolve().parents[2] / ".build" / "benchmarks" / "data"
APP_ID = 1_000_000_001
LAST_DATE = date(2026, 11, 20)

_VERSION = 1
"""Increase this when the same arguments would give different bytes."""

_DATES_OF_DAILY_INSTANCE = 4
_DATES_OF_SNAPSHOT = 365
_ROWS_OF_SNAPSHOT = 1_000_000
_ROWS_AT_ONCE = 500_000
_POOL = 4_096

_TERRITORIES = tuple(f"{first}{second}" for first in "UGDFJBICAN" for second in "SBERPTNAUHLKMOIVY")
_SYSTEMS = (
    *(f"iOS {major}.{minor}" for major in (26, 18, 17, 16) for minor in range(6, -1, -1)),
    "tvOS 26.5",
    "visionOS 26.5",
    "macOS 26.5",
)
_STRINGS: dict[str, Sequence[str]] = {
    "app_name": ("Harbor Notes",),
    "app_version": tuple(f"{major}.{minor}.{patch}" for major in (4, 3) for minor in range(6) for patch in range(4)),
    "campaign": ("", *(f"letter-{number:02}" for number in range(40))),
    "content_name": ("Plus Monthly", "Plus Yearly", "Family Yearly", *(f"Pack {number}" for number in range(60))),
    "device": ("iPhone", "iPad", "Desktop", "Apple TV", "Apple Vision"),
    "download_info": ("", "Offer code", "Pre-order", "TestFlight"),
    "download_type": ("Auto-update", "Redownload", "First-time download", "Manual update", "Restore"),
    "engagement_type": ("", "Tap", "Share", "Open"),
    "event": ("Impression", "Page view", "Tap"),
    "install_package_type": ("Full install", "Full package update", "Diff package update"),
    "install_status": ("Success", "Failure"),
    "page_title": ("", "Harbor Notes", *(f"Product page {number}" for number in range(30))),
    "page_type": ("Product page", "No page", "Store sheet", "In-app event", 'Customer review modal open ("more")'),
    "payment_method": ("Credit or debit card", "Apple Pay", "Carrier billing", ""),
    "platform_version": _SYSTEMS,
    "pre_order": ("",),
    "purchase_type": ("In-app purchase", "Subscription", "Paid app"),
    "source_info": ("", *(f"com.example.app{number}" for number in range(300))),
    "source_type": ("App Store search", "App Store browse", "App referrer", "Web referrer", "Unavailable"),
    "app_download_source_type": ("", "App Store search", "App Store browse", "App referrer", "Web referrer"),
    "app_download_source_info": ("", *(f"example{number}.org" for number in range(200))),
    "territory": _TERRITORIES,
}


def segment(table_name: str, rows: int, app_id: int = APP_ID, dates: int = 0) -> Path:
    """A segment of an app with this many rows, as Apple would send it; made on first use.

    `dates` are the Dates up to `LAST_DATE`; by default the number in a daily instance or, for many rows, in a snapshot.
    """
    dates = dates or (_DATES_OF_SNAPSHOT if rows >= _ROWS_OF_SNAPSHOT else _DATES_OF_DAILY_INSTANCE)
    path = DATA / f"{table_name}-{rows}-{app_id}-{dates}-{_VERSION}.txt.gz"
    if not path.exists():
        DATA.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}")
        _write(draft, tables_by_name()[table_name], rows, app_id, dates)
        draft.rename(path)
    return path


def _write(path: Path, table: CuratedTable, rows: int, app_id: int, dates: int) -> None:
    pools = _pools(table, dates) | {"app_apple_identifier": pa.array([str(app_id)])}
    # Without the file name and the time that gzip usually stores.
    with path.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as file:
        file.write("\t".join(column.header for column in table.report.columns).encode() + b"\n")
        for start in range(0, rows, _ROWS_AT_ONCE):
            count = min(_ROWS_AT_ONCE, rows - start)
            columns = [_drawn(pool, count, (table.name, app_id, name, start)) for name, pool in pools.items()]
            lines = pc.binary_join_element_wise(*columns, "\t")
            file.write(pc.binary_join(pa.ListArray.from_arrays([0, count], lines), "\n")[0].as_buffer())
            file.write(b"\n")


def _drawn(pool: pa.Array, count: int, seed: tuple[object, ...]) -> pa.Array:
    drawn = pc.random(count, initializer=zlib.crc32(repr(seed).encode()))
    return pool.take(pc.cast(pc.multiply(drawn, float(len(pool))), pa.int32(), safe=False))


@cache
def _pools(table: CuratedTable, dates: int) -> dict[str, pa.Array]:
    """The possible cells of each column, the same for every app."""
    return {column.name: _pool(column, table, dates) for column in table.report.columns}


def _pool(column: Column, table: CuratedTable, dates: int) -> pa.Array:
    random_ = random.Random(f"{table.name} {APP_ID} {column.name}")  # noqa: S311 (sample data)
    if column.name == table.report.date_column:
        return pa.array([str(LAST_DATE - timedelta(days=days)) for days in range(dates)])
    if column.name == "app_apple_identifier":
        return pa.array([str(APP_ID)])
    if column.type is ColumnType.STRING:
        values = _STRINGS[column.name]
        return pa.array(random_.choices(values, [1 / rank for rank in range(1, len(values) + 1)], k=_POOL))
    return pa.array([_number(column, random_) for _ in range(_POOL)])


def _number(column: Column, random_: random.Random) -> str:
    if column.type is ColumnType.DATE:
        return str(LAST_DATE - timedelta(days=random_.randrange(30))) if random_.random() < 0.6 else ""
    if column.type is ColumnType.MONEY:
        amount = min(99_999, random_.paretovariate(0.9))
        return f"{amount:.2f}" if random_.random() < 0.9 else f"{amount:.6f}"
    if column.role is Role.IDENTIFIER:
        return str(6_400_000_000 + random_.randrange(60))
    scale = 60 if "duration" in column.name else 1
    return str(min(999_999, int(scale * random_.paretovariate(0.9))))

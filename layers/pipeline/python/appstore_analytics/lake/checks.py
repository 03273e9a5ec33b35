"""The stored freshness checks, one object a day: `appstore.freshness`, read as far as needed."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from appstore_analytics.contract.layout import appstore_location
from appstore_analytics.lake.objects import Bucket, StoredObject
from appstore_analytics.model.remembered import Remembered
from appstore_analytics.rules.freshness import Freshness

_TEXT = ("checked_at", "table_name", "verdict", "reason", "newest_due_date")
_SCHEMA = pa.schema(
    [("app_id", pa.int64()), *((name, pa.string()) for name in _TEXT), ("missing_dates", pa.list_(pa.string()))]
)


@dataclass(frozen=True, slots=True)
class CheckedFeed:
    """One table of one app in a check: `newest_due` is None if nothing was due, `missing` has the newest."""

    app_id: str
    table_name: str
    verdict: Freshness
    reason: str
    newest_due: date | None
    missing: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `feeds` are all of them, or only those that lacked a Date; `newest_due` is by table.

    `not_due` are the apps and tables for which no Date was due yet.
    """

    checked_at: str
    app_ids: frozenset[str]
    newest_due: dict[str, date]
    not_due: frozenset[tuple[str, str]]
    feeds: tuple[CheckedFeed, ...]


def stored_checks(bucket: Bucket, since: date | None = None) -> dict[date, StoredObject]:
    """The last check of each day, oldest first; those from a day on, if one is given."""
    prefix = f"{appstore_location('freshness')}dt="
    after = f"{prefix}{since.isoformat()}" if since else ""
    return {date.fromisoformat(each.key.removeprefix(prefix)[:10]): each for each in bucket.list(prefix, after)}


def newest_check(bucket: Bucket, as_of: date) -> StoredObject | None:
    """The last check of the last two days; None if there was none."""
    return next(reversed(stored_checks(bucket, as_of - timedelta(days=1)).values()), None)


def read_check(bucket: Bucket, stored: StoredObject, remembered: Remembered, *, whole: bool) -> Check:
    """A check with all feeds, or only with those that lacked a Date. Each object is read once."""
    return remembered.get((stored.key, stored.etag, whole), lambda: _read(bucket, stored.key, whole=whole))


def _read(bucket: Bucket, key: str, *, whole: bool) -> Check:
    content = bucket.read(key) or b""
    rows = _rows(content) if content else _SCHEMA.empty_table()
    checked_at = pc.max(rows["checked_at"]).as_py() or ""
    apps = frozenset(map(str, rows["app_id"].unique().to_pylist()))
    due = pa.TableGroupBy(rows, "table_name", use_threads=False).aggregate([("newest_due_date", "max")]).to_pylist()
    newest_due = {
        each["table_name"]: date.fromisoformat(each["newest_due_date_max"])
        for each in due
        if each["newest_due_date_max"]
    }
    early = rows.filter(pc.is_null(rows["newest_due_date"])).select(["app_id", "table_name"]).to_pylist()
    not_due = frozenset((str(each["app_id"]), each["table_name"]) for each in early)
    lacking = rows if whole else rows.filter(pc.greater(pc.list_value_length(rows["missing_dates"]), 0))
    return Check(checked_at, apps, newest_due, not_due, tuple(_feeds(lacking)))


def _rows(content: bytes) -> pa.Table:
    options = pj.ParseOptions(explicit_schema=_SCHEMA, unexpected_field_behavior="ignore")
    reading = pj.ReadOptions(use_threads=False, block_size=max(len(content), 1))
    return pj.read_json(io.BytesIO(content), read_options=reading, parse_options=options)


def _feeds(rows: pa.Table) -> Iterator[CheckedFeed]:
    columns = rows.to_pydict()
    names = ("app_id", "table_name", "verdict", "reason", "newest_due_date", "missing_dates")
    for app_id, table, verdict, reason, due, missing in zip(*(columns[name] for name in names), strict=True):
        newest = date.fromisoformat(due) if due else None
        days = tuple(date.fromisoformat(day) for day in missing or ())
        yield CheckedFeed(str(app_id), table, Freshness(verdict), reason or "", newest, days)

"""The stored freshness checks: all rows of a check, or what it found lacking, read as far as needed.

The last line of what is lacking names the ETag of the rows that it was made of. If these were replaced since, or it was
never written, the rows are read.
"""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from appstore_analytics.contract.layout import appstore_location, check_key, day_of
from appstore_analytics.lake.check_rows import LACKING_COLUMNS
from appstore_analytics.lake.objects import Bucket, StoredObject
from appstore_analytics.model.remembered import Remembered
from appstore_analytics.rules.freshness import Freshness

_PREFIX = f"{appstore_location('freshness')}dt="
_KINDS = {"app_id": pa.int64(), "missing_dates": pa.list_(pa.string())}
_SCHEMA = pa.schema([(name, _KINDS.get(name, pa.string())) for name in LACKING_COLUMNS])


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
    after = f"{_PREFIX}{since.isoformat()}" if since else ""
    return {day_of(each.key): each for each in bucket.list(_PREFIX, after)}


def newest_check(bucket: Bucket, as_of: date) -> StoredObject | None:
    """The last check of the last two days; None if there was none."""
    return next(reversed(stored_checks(bucket, as_of - timedelta(days=1)).values()), None)


def read_check(bucket: Bucket, stored: StoredObject, remembered: Remembered, *, whole: bool) -> Check:
    """A check with all feeds, or only with those that lacked a Date. Each object is read once."""
    return remembered.get((stored.key, stored.etag, whole), lambda: _read(bucket, stored, whole=whole))


def _read(bucket: Bucket, stored: StoredObject, *, whole: bool) -> Check:
    content = None if whole else bucket.read(check_key(day_of(stored.key)))
    rows, _, last = (content or b"").rstrip().rpartition(b"\n")
    about = _about(last)
    if about.get("rows") == stored.etag:
        due = {table: date.fromisoformat(day) for table, day in about["newest_due"].items()}
        return _check(about["checked_at"], frozenset(map(str, about["app_ids"])), due, _rows(rows), whole=False)
    table = _rows(bucket.read(stored.key) or b"")
    apps = frozenset(map(str, table["app_id"].unique().to_pylist()))
    return _check(pc.max(table["checked_at"]).as_py() or "", apps, _newest_due(table), table, whole=whole)


def _about(line: bytes) -> dict[str, Any]:
    """What the last line says of all rows; empty if it is damaged, because the rows say the same."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _newest_due(rows: pa.Table) -> dict[str, date]:
    due = pa.TableGroupBy(rows, "table_name", use_threads=False).aggregate([("newest_due_date", "max")]).to_pylist()
    found = ((each["table_name"], each["newest_due_date_max"]) for each in due)
    return {table: date.fromisoformat(day) for table, day in found if day}


def _check(
    checked_at: str, app_ids: frozenset[str], newest_due: dict[str, date], rows: pa.Table, *, whole: bool
) -> Check:
    early = rows.filter(pc.is_null(rows["newest_due_date"])).select(["app_id", "table_name"]).to_pylist()
    not_due = frozenset((str(each["app_id"]), each["table_name"]) for each in early)
    lacking = rows if whole else rows.filter(pc.greater(pc.list_value_length(rows["missing_dates"]), 0))
    return Check(checked_at, app_ids, newest_due, not_due, tuple(_feeds(lacking)))


def _rows(content: bytes) -> pa.Table:
    if not content:
        return _SCHEMA.empty_table()
    options = pj.ParseOptions(explicit_schema=_SCHEMA, unexpected_field_behavior="ignore")
    reading = pj.ReadOptions(use_threads=False, block_size=len(content))
    return pj.read_json(io.BytesIO(content), read_options=reading, parse_options=options)


def _feeds(rows: pa.Table) -> Iterator[CheckedFeed]:
    columns = rows.to_pydict()
    names = ("app_id", "table_name", "verdict", "reason", "newest_due_date", "missing_dates")
    for app_id, table, verdict, reason, due, missing in zip(*(columns[name] for name in names), strict=True):
        newest = date.fromisoformat(due) if due else None
        days = tuple(date.fromisoformat(day) for day in missing or ())
        yield CheckedFeed(str(app_id), table, Freshness(verdict), reason or "", newest, days)

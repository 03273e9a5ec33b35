"""Objects that the steps of one run share in S3: the plan, the Maps' manifests, rows of records."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache, partial
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from appstore_analytics.contract.errors import ConfigurationRefused
from appstore_analytics.contract.layout import RUNS_PREFIX, appstore_key, report_key, run_key
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.tables import APPSTORE_TABLES
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.model.former_state import former_report_key
from appstore_analytics.model.plan import RunPlan

_JSON = "application/json"
_JSON_LINES = "application/jsonl"
_ROWS = "rows"
_NO_NOTICES = '{"notices": [], "calls": 0}'
_ROWS_IN_MEMORY_BYTES = 1 << 20


def write_plan(bucket: Bucket, plan: RunPlan) -> None:
    """Write a run's plan. A second run writes the same."""
    bucket.write(run_key(plan.run_id, "plan.json"), json.dumps(plan.to_json()).encode(), content_type=_JSON)


def read_plan(bucket: Bucket, run_id: str) -> RunPlan:
    """The plan of a run."""
    plan = find_plan(bucket, run_id)
    if plan is None:
        raise ConfigurationRefused(f"The run {run_id} has no plan in the lake bucket: start a new execution.")
    return plan


def plans_read_once(bucket: Bucket) -> Callable[[str], RunPlan]:
    """`read_plan` for a function that stays warm over many items of one run: a written plan never changes."""
    return lru_cache(maxsize=1)(partial(read_plan, bucket))


def find_plan(bucket: Bucket, run_id: str) -> RunPlan | None:
    """The plan of a run; None if there is no such run, or its plan has expired."""
    text = bucket.read(run_key(run_id, "plan.json"))
    return None if text is None else RunPlan.from_json(json.loads(text))


def report_key_of(bucket: Bucket, plan: RunPlan) -> str | None:
    """The key of a run's report; None until the run has ended."""
    keys = (report_key(plan.operation, plan.run_id), former_report_key(plan.operation, plan.run_id))
    return next((key for key in keys if bucket.head(key)), None)


def write_manifest(
    bucket: Bucket, run_id: str, map_name: MapName, events: Iterable[Mapping[str, str]], *, left: bool = False
) -> str:
    """Write the manifest of a Distributed Map, a JSON array; returns its key. Items that are `left` have their own."""
    key = run_key(run_id, f"manifests/{map_name.lower()}-left.json") if left else _manifest_key(run_id, map_name)
    bucket.write(key, json.dumps(list(events)).encode(), content_type=_JSON)
    return key


def planned_at(bucket: Bucket, run_id: str) -> dict[MapName, datetime]:
    """The time at which the manifest of each Map was last written, in the order of the Maps."""
    written = {stored.key: stored.modified_at for stored in bucket.list(run_key(run_id, "manifests/"))}
    keys = {map_name: _manifest_key(run_id, map_name) for map_name in MapName}
    return {map_name: written[key] for map_name, key in keys.items() if key in written}


def _manifest_key(run_id: str, map_name: MapName) -> str:
    return run_key(run_id, f"manifests/{map_name.lower()}.json")


def write_rows(bucket: Bucket, key: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as JSON lines. Without rows nothing is written."""
    with open_rows(bucket, key) as file:
        for row in rows:
            file.append(row)


@dataclass(slots=True)
class RowsFile:
    """Rows of one object. `etag` is that of the written object; empty until then, and without rows."""

    append: Callable[[Mapping[str, Any]], None]
    etag: str = ""


@contextmanager
def open_rows(bucket: Bucket, key: str, numbers: Collection[str] = ()) -> Iterator[RowsFile]:
    """Append rows one by one; at the end they are written as JSON lines, if there are any.

    They are kept in a temporary file, so that any number of them takes little memory. The columns `numbers` are written
    as numbers if they are text.
    """
    written = 0
    with cast(BinaryIO, SpooledTemporaryFile(max_size=_ROWS_IN_MEMORY_BYTES)) as file:

        def append(row: Mapping[str, Any]) -> None:
            nonlocal written
            typed = {name: _typed(value, name in numbers) for name, value in row.items()}
            file.write(json.dumps(typed, ensure_ascii=False, default=str).encode() + b"\n")
            written += 1

        rows = RowsFile(append)
        yield rows
        if written:
            file.seek(0)
            rows.etag = bucket.write(key, file, content_type=_JSON_LINES)


def open_records(bucket: Bucket, table: str, day: date, run_id: str) -> AbstractContextManager[RowsFile]:
    """Append a run's rows of an `appstore` table one by one, see `open_rows`.

    Columns that the table declares as numbers are written as numbers, including app ids: Athena's OpenX reader parses
    text as a number, but Hive's JsonSerDe, Spark and DuckDB do not.
    """
    (declared,) = (each for each in APPSTORE_TABLES if each.name == table)
    numbers = frozenset(name for name, kind in declared.columns if kind == "bigint")
    return open_rows(bucket, appstore_key(table, day, run_id), numbers)


def write_records(bucket: Bucket, table: str, day: date, run_id: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a run's rows of an `appstore` table, see `open_records`."""
    with open_records(bucket, table, day, run_id) as records:
        for row in rows:
            records.append(row)


def _typed(value: Any, is_number: bool) -> Any:
    return int(value) if is_number and isinstance(value, str) else value


def announce_changes(bucket: Bucket, key: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write the rows that a publication changes, before it happens."""
    lines = [json.dumps(row, ensure_ascii=False, default=str) for row in rows]
    body = "".join(f"{line}\n" for line in lines).encode()
    bucket.write(key, body, metadata={_ROWS: str(len(lines))}, content_type=_JSON_LINES)


def announced_changes(bucket: Bucket, key: str) -> int | None:
    """The number of rows announced for a publication; None if it was not announced."""
    stored = bucket.head(key)
    return None if stored is None else int(stored.metadata[_ROWS])


def withdraw_changes(bucket: Bucket, key: str) -> None:
    """Blank an announcement that had no effect, because another function published the Date."""
    announce_changes(bucket, key, ())


def write_notices(bucket: Bucket, run_id: str, step: str, notices: Iterable[str], calls: int = 0) -> None:
    """Leave sentences for the run report, from a step without items, and its number of calls to Apple.

    A second run replaces them.
    """
    body = json.dumps({"notices": list(notices), "calls": calls}, ensure_ascii=False)
    bucket.write(run_key(run_id, f"notices/{step}.json"), body.encode(), content_type=_JSON)


def read_notices(bucket: Bucket, run_id: str) -> tuple[tuple[str, ...], int]:
    """The sentences that steps without items left for the run report, and their numbers of calls to Apple."""
    left = [json.loads(bucket.read(stored.key) or _NO_NOTICES) for stored in bucket.list(run_key(run_id, "notices/"))]
    return tuple(notice for each in left for notice in each["notices"]), sum(each["calls"] for each in left)


def newest_run(bucket: Bucket, operation: Operation) -> RunPlan | None:
    """The plan of the last run of `operation`; None if none is recorded."""
    for run_id in sorted(bucket.folders(RUNS_PREFIX), reverse=True):
        plan = find_plan(bucket, run_id)
        if plan is not None and plan.operation is operation:
            return plan
    return None


def read_rows(bucket: Bucket, prefix: str) -> Iterator[dict[str, Any]]:
    """The rows of every JSON-lines object below a prefix."""
    for stored in bucket.list(prefix):
        for line in (bucket.read(stored.key) or b"").splitlines():
            yield json.loads(line)

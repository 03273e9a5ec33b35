"""What the steps of one run leave for each other in S3: the plan, the Maps' manifests, rows of records."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from appstore_analytics.contract.errors import ConfigurationRefused
from appstore_analytics.contract.layout import run_key
from appstore_analytics.contract.messages import MapName, RunPlan
from appstore_analytics.lake.objects import Bucket

_JSON = "application/json"
_JSON_LINES = "application/jsonl"


def write_plan(bucket: Bucket, plan: RunPlan) -> None:
    """Write a run's plan. A second time writes the same."""
    bucket.write(run_key(plan.run_id, "plan.json"), json.dumps(plan.to_json()).encode(), content_type=_JSON)


def read_plan(bucket: Bucket, run_id: str) -> RunPlan:
    """The plan of a run."""
    text = bucket.read(run_key(run_id, "plan.json"))
    if text is None:
        raise ConfigurationRefused(f"The run {run_id} has no plan in the lake bucket: start a new execution.")
    return RunPlan.from_json(json.loads(text))


def write_manifest(bucket: Bucket, run_id: str, map_name: MapName, events: Iterable[Mapping[str, str]]) -> str:
    """Write what a Distributed Map reads, one JSON array; its key."""
    key = _manifest_key(run_id, map_name)
    bucket.write(key, json.dumps(list(events)).encode(), content_type=_JSON)
    return key


def planned_at(bucket: Bucket, run_id: str) -> dict[MapName, datetime]:
    """When the manifest of each Map was written last, in the order of the Maps."""
    written = {stored.key: stored.modified_at for stored in bucket.list(run_key(run_id, "manifests/"))}
    keys = {map_name: _manifest_key(run_id, map_name) for map_name in MapName}
    return {map_name: written[key] for map_name, key in keys.items() if key in written}


def _manifest_key(run_id: str, map_name: MapName) -> str:
    return run_key(run_id, f"manifests/{map_name.lower()}.json")


def write_rows(bucket: Bucket, key: str, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows as JSON lines; how many. Nothing is written where there are none."""
    lines = [json.dumps(row, ensure_ascii=False, default=str) for row in rows]
    if lines:
        bucket.write(key, "".join(f"{line}\n" for line in lines).encode(), content_type=_JSON_LINES)
    return len(lines)


def read_rows(bucket: Bucket, prefix: str) -> Iterator[dict[str, Any]]:
    """The rows of every JSON-lines object below a prefix."""
    for stored in bucket.list(prefix):
        for line in (bucket.read(stored.key) or b"").splitlines():
            yield json.loads(line)

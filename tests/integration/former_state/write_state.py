"""Wrote `state_0_1_0.json`, with the code of commit 559e4d5 (version 0.1.0) and not with today's.

    git worktree add --detach ../former 559e4d5 && cd ../former
    PYTHONPATH=layers/pipeline/python:. python <this file> > state_0_1_0.json

Daily runs that ended, and an interrupted one of the next day: the LAND manifest is written, its instances have landed,
and one is converted.
"""

import base64
import json
import sys
from datetime import date
from typing import Any

from appstore_analytics.contract.messages import MapName

from appstore_analytics.steps.plan_items import plan_items
from local.apple import World, WorldSettings
from tests.aws_in_process import aws_in_process
from tests.integration.pipeline_in_process import CRASHES, DOWNLOADS, Pipeline


def state() -> dict[str, Any]:
    world = World(WorldSettings(today=date(2025, 6, 1), apps=2))
    pipeline = Pipeline(world, (DOWNLOADS, CRASHES))
    pipeline.daily()
    for _ in range(2):
        world.advance()
    ended = pipeline.plan()
    pipeline.run(ended)
    summary = pipeline.summarize(ended)
    world.advance()
    interrupted = pipeline.plan()
    for map_name in (MapName.REGISTER, MapName.LAND):
        answer = plan_items(interrupted.run_id, map_name, pipeline.registry, pipeline.lake, pipeline.clock.now)
        manifest = json.loads(pipeline.lake.read(str(answer["manifest_key"])) or b"")
        if map_name is MapName.REGISTER:
            pipeline.run_map(map_name, manifest)
    items = pipeline.land_items(interrupted)
    for item in items:
        pipeline.download(item)
    pipeline.convert(items[0])
    return {
        "ended": ended.run_id,
        "summary": summary,
        "interrupted": interrupted.run_id,
        "manifest": manifest,
        "registry": [_plain(item) for item in pipeline.registry.table.scan()["Items"]],
        "raw": _objects(pipeline.raw),
        "lake": _objects(pipeline.lake),
    }


def _objects(bucket: Any) -> dict[str, Any]:
    """The newest version of each object, with its metadata."""
    found = {}
    for stored in bucket.list(""):
        body = base64.b64encode(bucket.read(stored.key)).decode()
        found[stored.key] = {"metadata": dict(bucket.head(stored.key).metadata), "body": body}
    return found


def _plain(value: Any) -> Any:
    """DynamoDB's values as JSON; a set is {"set": [...]}."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, set):
        return {"set": sorted(map(_plain, value))}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value if isinstance(value, str | bool | None.__class__) else int(value)


if __name__ == "__main__":
    with aws_in_process():
        json.dump(state(), sys.stdout, indent=1, sort_keys=True)

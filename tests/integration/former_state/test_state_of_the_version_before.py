"""A lake and a registry that version 0.1.0 wrote (write_state.py) can be read: running runs, journals, parts, notes."""

import base64
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.maps import MapName
from appstore_analytics.lake.run_notes import find_plan, read_rows
from appstore_analytics.model.instances import InstanceStatus
from appstore_analytics.model.items import LandItem
from appstore_analytics.model.plan import RunPlan
from tests.integration.pipeline_in_process import CRASHES, DOWNLOADS, Pipeline

STATE: dict[str, Any] = json.loads(Path(__file__).with_name("state_0_1_0.json").read_text(encoding="utf-8"))


def _value(plain: Any) -> Any:
    if isinstance(plain, dict):
        return set(plain["set"]) if plain.keys() == {"set"} else {name: _value(each) for name, each in plain.items()}
    return [_value(each) for each in plain] if isinstance(plain, list) else plain


@pytest.fixture
def pipeline(start: Callable[..., Pipeline]) -> Pipeline:
    pipeline = start({"today": date(2025, 6, 4), "apps": 2}, reports=(DOWNLOADS, CRASHES))
    for item in STATE["registry"]:
        pipeline.registry.table.put_item(Item=_value(item))
    for bucket, objects in ((pipeline.raw, STATE["raw"]), (pipeline.lake, STATE["lake"])):
        for key, stored in objects.items():
            bucket.write(key, base64.b64decode(stored["body"]), metadata=stored["metadata"])
    return pipeline


def _plan(pipeline: Pipeline, run: str) -> RunPlan:
    plan = find_plan(pipeline.lake, STATE[run])
    assert plan is not None
    return plan


def _finish(pipeline: Pipeline, plan: RunPlan) -> dict[str, str]:
    """The rest of a run whose LAND manifest has been written."""
    pipeline.run_map(MapName.LAND, STATE["manifest"])
    pipeline.run(plan, MapName.PUBLISH, MapName.VERIFY)
    return pipeline.summarize(plan)


def test_a_run_under_way_is_finished_from_its_manifest(pipeline: Pipeline) -> None:
    plan = _plan(pipeline, "interrupted")
    assert _finish(pipeline, plan) == {"status": "SUCCEEDED", "cause": ""}
    items = pipeline.land_items(plan)
    assert {pipeline.instance(item).status for item in items} == {InstanceStatus.CONVERTED}
    rows = [row for row in read_rows(pipeline.lake, "appstore/instances/") if row["run_id"] == plan.run_id]
    assert {(row["app_id"], row["access_type"], row["processing_date"], row["instance_id"]) for row in rows} == {
        (int(item.app_id), AccessType.ONGOING, "2025-06-04", item.vintage.instance_id) for item in items
    }
    assert {row["instance_id"] for row in read_rows(pipeline.lake, "appstore/segments/")} >= {
        item.vintage.instance_id for item in items
    }


def test_listing_again_plans_no_item_a_second_time(pipeline: Pipeline) -> None:
    plan = _plan(pipeline, "interrupted")
    for item in pipeline.land_items(plan):
        assert not pipeline.registry.runs.plan(item, table="downloads")
    assert len(pipeline.land_items(plan)) == len(STATE["manifest"])


def test_a_caught_error_is_written_into_the_record_that_a_manifest_names(pipeline: Pipeline) -> None:
    for event in STATE["manifest"]:
        record = pipeline.registry.runs.get(LandItem.from_event(event))
        assert record is not None
        assert record.record == event["record"]


def test_a_run_of_before_is_rolled_back_and_reprocessed(pipeline: Pipeline) -> None:
    ended = _plan(pipeline, "ended")
    _finish(pipeline, _plan(pipeline, "interrupted"))
    before = set(pipeline.bytes_of("curated/"))
    handled = pipeline.land_items(ended)
    pipeline.rollback(ended)
    assert {pipeline.instance(item).status for item in handled} == {InstanceStatus.ROLLED_BACK}
    pipeline.whole(operation="reprocess", run_id=ended.run_id)
    assert {pipeline.instance(item).status for item in handled} == {InstanceStatus.CONVERTED}
    assert set(pipeline.bytes_of("curated/")) == before

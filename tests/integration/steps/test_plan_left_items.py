"""Items that Express children leave are planned once more: at once, or when Apple's quota allows it."""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.contract.waits import WaitFor
from appstore_analytics.model.items import LandItem, RegisterItem
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.steps.plan_items import plan_items
from local.apple import World, WorldSettings
from tests.aws_in_process import aws_in_process
from tests.integration.pipeline_in_process import ACCOUNT, Pipeline

CALLS_PER_HOUR = 10
USABLE = 9


@pytest.fixture
def pipeline() -> Iterator[Pipeline]:
    with aws_in_process():
        world = World(WorldSettings(today=datetime(2025, 6, 2).date(), apps=12))  # noqa: DTZ001
        yield Pipeline(world, calls_per_hour=CALLS_PER_HOUR)


def planned(pipeline: Pipeline) -> RunPlan:
    plan = pipeline.plan()
    plan_items(plan.run_id, MapName.REGISTER, pipeline.registry, pipeline.lake, pipeline.clock.now)
    return plan


def left(pipeline: Pipeline, plan: RunPlan, map_name: MapName = MapName.REGISTER) -> dict[str, Any]:
    answer = plan_items(plan.run_id, map_name, pipeline.registry, pipeline.lake, pipeline.clock.now, left=True)
    manifest = json.loads(pipeline.lake.read(str(answer["manifest_key"])) or b"")
    assert len(manifest) == answer["items"]
    return {**answer, "apps": [event["app_id"] for event in manifest]}


def end(pipeline: Pipeline, plan: RunPlan, app_id: str, verdict: Verdict) -> None:
    pipeline.registry.runs.finish(RegisterItem(plan.run_id, ACCOUNT, app_id), verdict)


def use_up(pipeline: Pipeline, calls: int) -> None:
    pipeline.registry.call_budget(ACCOUNT).reserve(calls, USABLE, pipeline.clock.now)


def test_only_items_without_a_verdict_are_left_and_none_is_planned_anew(pipeline: Pipeline) -> None:
    plan = planned(pipeline)
    for app_id in [*pipeline.world.apps][2:]:
        end(pipeline, plan, app_id, Verdict.NOT_READY)
    answer = left(pipeline, plan)
    assert sorted(answer["apps"]) == [*pipeline.world.apps][:2]
    assert "available_at" not in answer
    assert answer["manifest_key"].endswith("/manifests/register-left.json")


def test_where_nothing_is_left_nobody_waits_although_the_hour_is_used_up(pipeline: Pipeline) -> None:
    plan = planned(pipeline)
    for app_id in pipeline.world.apps:
        end(pipeline, plan, app_id, Verdict.UNCHANGED)
    use_up(pipeline, USABLE)
    assert left(pipeline, plan) == {
        "manifest_key": f"runs/{plan.run_id}/manifests/register-left.json",
        "items": 0,
        "after": "",
        "apps": [],
    }


def test_a_used_up_hour_is_waited_for_once_with_no_more_items_than_it_carries(pipeline: Pipeline) -> None:
    plan = planned(pipeline)
    use_up(pipeline, USABLE)
    answer = left(pipeline, plan)
    instant = datetime.fromisoformat(answer["available_at"])
    assert timedelta(minutes=60) < instant - pipeline.clock.now <= timedelta(minutes=61)
    assert answer["items"] == USABLE
    (wait,) = pipeline.registry.waits.of_run(plan.run_id)
    assert (wait.waits_for, wait.since) == (WaitFor.APPLES_HOUR, pipeline.clock.now)
    pipeline.summarize(plan)
    assert pipeline.report()["notices"] == [wait.past]
    assert pipeline.report()["waits"][0]["waits_for"] == "Apple's hour"
    pipeline.clock.now = instant
    assert "available_at" not in left(pipeline, plan)
    use_up(pipeline, USABLE)  # all of it is there


def test_few_items_do_not_wait_for_more_calls_than_they_take(pipeline: Pipeline) -> None:
    plan = planned(pipeline)
    for app_id in [*pipeline.world.apps][2:]:
        end(pipeline, plan, app_id, Verdict.UNCHANGED)
    use_up(pipeline, USABLE - 2 * 2)  # each may check its request and lists one table
    assert "available_at" not in left(pipeline, plan)
    use_up(pipeline, 1)
    assert "available_at" in left(pipeline, plan)


def test_a_key_that_rests_after_a_429_is_waited_for(pipeline: Pipeline) -> None:
    plan = planned(pipeline)
    pipeline.registry.call_budget(ACCOUNT).close(30, pipeline.clock.now)
    instant = datetime.fromisoformat(left(pipeline, plan)["available_at"])
    assert timedelta(seconds=30) <= instant - pipeline.clock.now <= timedelta(seconds=32)


def test_a_reprocess_needs_no_calls_and_waits_for_none(pipeline: Pipeline) -> None:
    plan = pipeline.plan(operation="reprocess", app_ids=[*pipeline.world.apps][:1])
    vintage = Vintage(date(2025, 6, 1), AccessType.ONGOING, "i1")
    pipeline.registry.runs.plan(LandItem(plan.run_id, ACCOUNT, "1000000001", vintage))
    use_up(pipeline, USABLE)
    answer = left(pipeline, plan, MapName.LAND)
    assert (answer["items"], "available_at" in answer) == (1, False)


def test_throttling_is_waited_for_by_its_name(pipeline: Pipeline) -> None:
    plan = planned(pipeline)
    pipeline.registry.call_budget(ACCOUNT).close(300, pipeline.clock.now)
    left(pipeline, plan)
    (wait,) = pipeline.registry.waits.of_run(plan.run_id)
    assert wait.now.startswith("waits for the end of Apple's throttling until 2025-06-02 12:05")


def test_an_hour_that_apple_says_is_smaller_carries_fewer_items(pipeline: Pipeline) -> None:
    plan = planned(pipeline)
    pipeline.registry.call_budget(ACCOUNT).learn_limit(5)
    use_up(pipeline, 4)
    assert left(pipeline, plan)["items"] == 4

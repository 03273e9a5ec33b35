"""A snapshot that was converted for one backfill, and is refused when a second one needs more of its Dates."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.schema_modes import SchemaModes
from appstore_analytics.lake.run_notes import read_rows
from appstore_analytics.model.instances import InstanceStatus
from appstore_analytics.model.items import LandItem
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.steps.plan_items import plan_items
from local.apple import FaultKind
from local.apple.files import NEW_HEADER
from tests.integration.pipeline_in_process import APP, Pipeline

STRICT = SchemaModes(exceptions=("downloads",))
FIRST, SECOND, THIRD = ({"start_date": f"2025-05-0{day}", "end_date": f"2025-05-0{day}"} for day in (1, 3, 5))
FIRST_DATES, SECOND_DATES, THIRD_DATES = (f"2025-05-0{day}/2025-05-0{day}" for day in (1, 3, 5))


@pytest.fixture
def pipeline(start: Callable[..., Pipeline]) -> Pipeline:
    """Its snapshot has an unknown column, and was converted for the first Date."""
    pipeline = start({"history_start": date(2025, 5, 1), "rows_per_date": 1})
    pipeline.run(pipeline.plan(operation="backfill", app_ids=[APP], **FIRST), MapName.REGISTER)
    pipeline.world.advance(1)
    pipeline.fault(FaultKind.HEADER_ADDED, "/segments$")
    pipeline.whole(operation="backfill", app_ids=[APP], **FIRST)
    assert days(pipeline) == [1]
    return pipeline


def days(pipeline: Pipeline) -> list[int]:
    """The days in May that are in the tables."""
    return [int(key.split("dt=2025-05-")[1][:2]) for key in pipeline.bytes_of("curated/")]


def refused(pipeline: Pipeline, **payload: Any) -> tuple[RunPlan, LandItem, dict[str, Any]]:
    """A run that only the snapshot makes fail; its plan, the snapshot's item and its row in `appstore.instances`."""
    plan = pipeline.plan(**payload)
    pipeline.run(plan)
    assert pipeline.summarize(plan)["status"] == "FAILED"
    (item,) = pipeline.land_items(plan)
    (key,) = (stored.key for stored in pipeline.lake.list("appstore/instances/") if plan.run_id in stored.key)
    (row,) = read_rows(pipeline.lake, key)
    return plan, item, row


def asked(pipeline: Pipeline, dates: dict[str, str]) -> tuple[RunPlan, LandItem, dict[str, Any]]:
    return refused(pipeline, operation="backfill", app_ids=[APP], **dates)


def nothing_is_tried_again(pipeline: Pipeline) -> bool:
    """Whether daily runs succeed and ignore the snapshot."""
    return all(pipeline.land_items(pipeline.whole()) == [] for _ in range(2))


def test_it_fails_the_run_that_asked_and_no_later_one_and_its_parts_stand(pipeline: Pipeline) -> None:
    before = pipeline.bytes_of("parts/")
    pipeline.schema_modes = STRICT
    plan, item, row = asked(pipeline, SECOND)
    assert row["verdict"] == "quarantined"
    assert f"does not know the column '{NEW_HEADER}'" in row["reason"]
    assert nothing_is_tried_again(pipeline)
    instance = pipeline.instance(item)
    assert instance.status is InstanceStatus.CONVERTED
    assert (instance.converted_dates, instance.quarantined_dates) == ({FIRST_DATES}, {SECOND_DATES})
    assert pipeline.bytes_of("parts/") == before
    pipeline.rollback(plan)  # it wrote nothing
    assert pipeline.bytes_of("parts/") == before
    assert pipeline.instance(item) == instance


def test_its_first_parts_are_still_the_run_s_that_wrote_them(pipeline: Pipeline) -> None:
    pipeline.schema_modes = STRICT
    _, item, _ = asked(pipeline, SECOND)
    pipeline.whole(operation="rollback", run_id=pipeline.instance(item).converted_by)
    assert days(pipeline) == []
    assert pipeline.instance(item).status is InstanceStatus.ROLLED_BACK


def test_a_reprocess_converts_it_for_all_that_was_asked_once_it_can_be(pipeline: Pipeline) -> None:
    pipeline.schema_modes = STRICT
    plan, item, _ = asked(pipeline, SECOND)
    refused(pipeline, operation="reprocess", run_id=plan.run_id)  # too early
    assert nothing_is_tried_again(pipeline)
    pipeline.schema_modes = SchemaModes()
    pipeline.whole(operation="reprocess", run_id=plan.run_id)
    assert days(pipeline) == [1, 3]
    instance = pipeline.instance(item)
    assert (instance.converted_dates, instance.quarantined_dates) == ({FIRST_DATES, SECOND_DATES}, set())
    assert nothing_is_tried_again(pipeline)


def test_a_reprocess_that_dies_leaves_it_due(pipeline: Pipeline) -> None:
    pipeline.schema_modes = STRICT
    plan, item, _ = asked(pipeline, SECOND)
    pipeline.schema_modes = SchemaModes()
    died = pipeline.plan(operation="reprocess", run_id=plan.run_id)
    plan_items(died.run_id, MapName.LAND, pipeline.registry, pipeline.lake, pipeline.clock.now)
    assert pipeline.instance(item).status is InstanceStatus.CONVERTED
    pipeline.whole()
    assert days(pipeline) == [1, 3]


def test_a_backfill_of_other_dates_takes_it_up_again(pipeline: Pipeline) -> None:
    pipeline.schema_modes = STRICT
    asked(pipeline, SECOND)
    _, item, _ = asked(pipeline, THIRD)
    assert pipeline.instance(item).quarantined_dates == {SECOND_DATES, THIRD_DATES}
    assert nothing_is_tried_again(pipeline)


def test_its_raw_bytes_that_expired_fail_the_run_that_asked_and_nobody_tries_them_again(pipeline: Pipeline) -> None:
    before = pipeline.bytes_of("parts/")
    for key in pipeline.raw.list("raw/"):
        pipeline.raw._client.delete_object(Bucket=pipeline.raw.name, Key=key.key)
    _, item, row = asked(pipeline, SECOND)
    assert row["reason"].startswith("The raw bytes of the instance")
    assert nothing_is_tried_again(pipeline)
    instance = pipeline.instance(item)
    assert (instance.status, instance.converted_dates) == (InstanceStatus.CONVERTED, {FIRST_DATES})
    assert pipeline.bytes_of("parts/") == before
    for operation in ({"operation": "backfill", "app_ids": [APP], **THIRD}, {"operation": "reprocess"}):
        assert pipeline.land_items(pipeline.whole(**operation)) == []

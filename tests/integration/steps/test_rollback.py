from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import pytest

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.errors import InputRefused
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.parts import part_version
from appstore_analytics.model.instances import InstanceStatus
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.registry.dirty_dates import DirtyDates
from appstore_analytics.registry.instances import Instances
from appstore_analytics.registry.journal import Journal
from tests.integration.pipeline_in_process import APP, CRASHES, DOWNLOADS, Pipeline

LAKE = ("parts/", "curated/")


def lake(pipeline: Pipeline) -> dict[str, str]:
    return {key: etag for prefix in LAKE for key, etag in pipeline.bytes_of(prefix).items()}


def verdicts(pipeline: Pipeline, plan: RunPlan) -> list[Verdict | None]:
    return [record.verdict for record in pipeline.registry.runs.of_map(plan.run_id, MapName.RESTORE)]


def statuses(pipeline: Pipeline, plan: RunPlan) -> set[InstanceStatus]:
    return {pipeline.instance(item).status for item in pipeline.land_items(plan)}


def vintage_of(pipeline: Pipeline, day: date, table: str = "downloads") -> date | None:
    stored = pipeline.lake.head(TableDate(table, day).part_key(APP))
    return stored and part_version(stored).vintage.processing_date


# The state after a rollback


def test_a_rollback_leaves_the_very_bytes_of_the_day_before(pipeline: Pipeline) -> None:
    pipeline.whole()
    pipeline.world.advance(1)
    pipeline.whole()
    before = lake(pipeline)
    pipeline.world.advance(1)
    third = pipeline.whole()
    assert lake(pipeline) != before
    rollback = pipeline.rollback(third)
    assert lake(pipeline) == before
    assert verdicts(pipeline, rollback) == [Verdict.ROLLED_BACK]
    assert statuses(pipeline, third) == {InstanceStatus.ROLLED_BACK}
    report = pipeline.report()
    assert report["apps_by_verdict"] == {"rolled back": [APP]}
    assert (report["parts_restored"], report["parts_deleted"], report["parts_superseded"]) == (2, 1, 0)
    assert (report["dates_published"], report["apple_calls"], report["superseded"]) == (3, 0, [])


def test_a_rolled_back_first_day_leaves_nothing_at_all(pipeline: Pipeline) -> None:
    pipeline.whole()
    pipeline.world.advance(1)
    plan = pipeline.whole()
    pipeline.rollback(plan)
    assert lake(pipeline) == {}
    assert pipeline.report()["parts_deleted"] == 3


def test_a_daily_run_leaves_a_rolled_back_instance_alone(pipeline: Pipeline, days: list[RunPlan]) -> None:
    pipeline.rollback(days[2])
    before = lake(pipeline)
    plan = pipeline.whole()
    assert pipeline.land_items(plan) == []
    assert lake(pipeline) == before
    (item,) = pipeline.land_items(days[2])
    pipeline.convert(item)
    assert lake(pipeline) == before
    assert pipeline.record(item).verdict is Verdict.UNCHANGED


def test_the_next_instance_takes_the_place_of_the_rolled_back_one(pipeline: Pipeline, days: list[RunPlan]) -> None:
    pipeline.rollback(days[2])
    pipeline.world.advance(1)
    pipeline.whole()
    assert vintage_of(pipeline, date(2025, 6, 3)) == date(2025, 6, 5)


def test_a_second_rollback_finds_nothing_to_do_and_says_so(pipeline: Pipeline, days: list[RunPlan]) -> None:
    pipeline.rollback(days[2])
    before = lake(pipeline)
    again = pipeline.rollback(days[2])
    assert lake(pipeline) == before
    (record,) = pipeline.registry.runs.of_map(again.run_id, MapName.RESTORE)
    assert (record.verdict, record.reason) == (
        Verdict.UNCHANGED,
        "It was rolled back before: there is nothing left to undo.",
    )
    assert pipeline.report()["apps_by_verdict"] == {"unchanged": [APP]}
    assert pipeline.report()["dates_published"] == 0


def test_a_run_that_converted_nothing_is_rolled_back_to_nothing(pipeline: Pipeline, days: list[RunPlan]) -> None:
    before = lake(pipeline)
    rollback = pipeline.rollback(days[0])
    assert (lake(pipeline), verdicts(pipeline, rollback)) == (before, [])
    assert pipeline.report()["apps_by_verdict"] == {"unchanged": [APP]}


def test_only_the_parts_of_a_run_go_back_whatever_the_other_apps_have(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"apps": 2}, granularities=(Granularity.DAILY, Granularity.WEEKLY))
    states = []
    for _ in range(3):
        plan = pipeline.whole()
        states.append((plan, lake(pipeline)))
        pipeline.world.advance(3)
    for (_, before), (plan, _) in reversed([*pairwise(states)]):
        pipeline.rollback(plan)
        assert lake(pipeline) == before


def test_where_every_vintage_is_kept_the_one_of_the_run_goes(start: Callable[..., Pipeline]) -> None:
    pipeline = start(reports=("App Crashes Expanded",))
    pipeline.whole()
    pipeline.world.advance(1)
    pipeline.whole()
    before = lake(pipeline)
    pipeline.world.advance(1)
    third = pipeline.whole()
    assert len(lake(pipeline)) > len(before)
    pipeline.rollback(third)
    assert lake(pipeline) == before
    assert pipeline.report()["parts_restored"] == 0


# Consecutive runs


def test_two_instances_of_one_run_go_back_together_and_neither_supersedes_the_other(pipeline: Pipeline) -> None:
    pipeline.run(pipeline.plan(), MapName.REGISTER)
    pipeline.world.advance(2)
    plan = pipeline.plan()
    pipeline.run(plan, MapName.REGISTER)
    for item in pipeline.land_items(plan):  # the older one first, so that the newer one replaces its parts
        pipeline.download(item)
        pipeline.convert(item)
    pipeline.run(plan, MapName.PUBLISH, MapName.VERIFY)
    pipeline.summarize(plan)
    rollback = pipeline.rollback(plan)
    assert lake(pipeline) == {}
    assert verdicts(pipeline, rollback) == [Verdict.ROLLED_BACK, Verdict.ROLLED_BACK]
    assert (pipeline.report()["parts_deleted"], pipeline.report()["parts_superseded"]) == (4, 0)


def test_what_a_later_run_has_replaced_is_left_and_reported(pipeline: Pipeline, days: list[RunPlan]) -> None:
    before = lake(pipeline)
    rollback = pipeline.rollback(days[1])
    kept = TableDate("downloads", date(2025, 5, 31))
    assert {key: etag for key, etag in lake(pipeline).items() if "05-31" not in key} == {
        key: etag for key, etag in before.items() if "05-31" not in key
    }
    assert pipeline.lake.head(kept.part_key(APP)) is None
    assert pipeline.lake.head(kept.curated_key) is None
    assert verdicts(pipeline, rollback) == [Verdict.SUPERSEDED]
    report = pipeline.report()
    assert report["status"] == "SUCCEEDED"
    assert (report["parts_deleted"], report["parts_superseded"]) == (1, 2)
    assert report["superseded"] == [
        {"table": "downloads", "date": day, "app_id": APP, "by_run": days[2].run_id}
        for day in ("2025-06-01", "2025-06-02")
    ]
    assert report["apps_by_verdict"] == {"superseded": [APP]}


def test_a_part_of_a_rolled_back_run_does_not_come_back_with_a_later_rollback(
    pipeline: Pipeline, days: list[RunPlan]
) -> None:
    pipeline.rollback(days[1])
    pipeline.rollback(days[2])
    assert lake(pipeline) == {}
    assert pipeline.report()["parts_deleted"] == 3


def test_the_order_of_two_rollbacks_does_not_matter(pipeline: Pipeline, days: list[RunPlan]) -> None:
    pipeline.rollback(days[2])
    assert vintage_of(pipeline, date(2025, 6, 1)) == date(2025, 6, 3)
    pipeline.rollback(days[1])
    assert lake(pipeline) == {}


def test_a_late_instance_stands_once_the_newer_one_that_refused_it_is_rolled_back(pipeline: Pipeline) -> None:
    pipeline.run(pipeline.plan(), MapName.REGISTER)
    pipeline.world.advance(2)
    plan = pipeline.plan()
    pipeline.run(plan, MapName.REGISTER)
    late, newer = pipeline.land_items(plan)
    pipeline.download(newer)
    pipeline.convert(newer)
    pipeline.summarize(plan)
    following = pipeline.whole()  # lands the late one, which gives way for the Dates in both
    assert [item.vintage for item in pipeline.land_items(following)] == [late.vintage]
    assert vintage_of(pipeline, date(2025, 6, 1)) == date(2025, 6, 4)
    pipeline.rollback(plan)
    assert vintage_of(pipeline, date(2025, 6, 1)) == date(2025, 6, 3)
    assert vintage_of(pipeline, date(2025, 6, 3)) is None
    pipeline.rollback(following)
    assert lake(pipeline) == {}


def test_a_backfill_is_rolled_back_and_the_daily_feed_stays(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"history_start": date(2025, 5, 20)})
    pipeline.whole()
    pipeline.world.advance(1)
    pipeline.whole()
    before = lake(pipeline)
    first = pipeline.backfill(date(2025, 5, 1), date(2025, 5, 28))
    pipeline.run(first)
    pipeline.world.advance(1)
    pipeline.run(first)
    pipeline.summarize(first)
    between = lake(pipeline)
    second = pipeline.backfill(date(2025, 5, 1), date(2025, 5, 30))
    pipeline.run(second)
    pipeline.summarize(second)
    assert before.keys() < between.keys() < lake(pipeline).keys()
    pipeline.rollback(second)
    assert lake(pipeline) == between
    pipeline.rollback(first)
    assert lake(pipeline) == before


# Crashes


def crash_in(pipeline: Pipeline, owner: type, method: str, after: int, *, then: bool = False) -> RunPlan:
    """A run whose converter dies before (or, with `then`, after) the n-th call of a method."""
    plan = pipeline.plan()
    pipeline.run(plan, MapName.REGISTER)
    (item,) = pipeline.land_items(plan)
    pipeline.download(item)
    original, calls = getattr(owner, method), []

    def dies(*arguments: Any, **named: Any) -> Any:
        calls.append(arguments)
        if len(calls) < after:
            return original(*arguments, **named)
        if then:
            original(*arguments, **named)
        raise MemoryError

    with patch.object(owner, method, dies), pytest.raises(MemoryError):
        pipeline.convert(item)
    pipeline.run(plan, MapName.PUBLISH, MapName.VERIFY)
    assert pipeline.summarize(plan)["status"] == "FAILED"
    return plan


@pytest.mark.parametrize(
    ("owner", "method", "then"),
    [
        (Journal, "note", True),
        (Bucket, "swap", False),
        (Bucket, "swap", True),
        (DirtyDates, "mark_all", False),
        (Instances, "mark_converted", False),
    ],
)
def test_a_run_that_died_anywhere_is_rolled_back_to_the_day_before(
    pipeline: Pipeline, owner: type, method: str, then: bool
) -> None:
    pipeline.whole()
    pipeline.world.advance(1)
    pipeline.whole()
    before = lake(pipeline)
    pipeline.world.advance(1)
    died = crash_in(pipeline, owner, method, 2 if method == "swap" else 1, then=then)
    pipeline.rollback(died)
    assert lake(pipeline) == before
    assert statuses(pipeline, died) == {InstanceStatus.ROLLED_BACK}
    pipeline.whole()
    assert lake(pipeline) == before


@pytest.mark.parametrize(
    ("owner", "method"), [(Journal, "take_back"), (Bucket, "swap"), (Bucket, "remove"), (DirtyDates, "mark")]
)
def test_a_rollback_that_died_is_finished_by_the_next(
    pipeline: Pipeline, days: list[RunPlan], owner: type, method: str
) -> None:
    expected = {day: vintage_of(pipeline, day) for day in (date(2025, 5, 31),)}
    plan = pipeline.plan(operation="rollback", run_id=days[2].run_id)
    original = getattr(owner, method)

    def dies(*arguments: Any, **named: Any) -> Any:
        original(*arguments, **named)
        raise MemoryError

    with patch.object(owner, method, dies), pytest.raises(MemoryError):
        pipeline.run(plan, MapName.RESTORE)
    assert pipeline.summarize(plan)["status"] == "FAILED"
    pipeline.rollback(days[2])
    assert {day: vintage_of(pipeline, day) for day in expected} == expected
    assert vintage_of(pipeline, date(2025, 6, 1)) == vintage_of(pipeline, date(2025, 6, 2)) == date(2025, 6, 3)
    assert vintage_of(pipeline, date(2025, 6, 3)) is None
    assert [*pipeline.registry.dirty_dates.of_table("downloads")] == []
    assert len(pipeline.bytes_of("curated/")) == 3


def test_a_version_that_expired_fails_its_instance_and_the_other_dates_go_back(
    pipeline: Pipeline, days: list[RunPlan]
) -> None:
    key = TableDate("downloads", date(2025, 6, 1)).part_key(APP)
    client = pipeline.lake._client
    versions = client.list_object_versions(Bucket=pipeline.lake.name, Prefix=key)["Versions"]
    (expired,) = [version["VersionId"] for version in versions if not version["IsLatest"]]
    client.delete_object(Bucket=pipeline.lake.name, Key=key, VersionId=expired)
    plan = pipeline.plan(operation="rollback", run_id=days[2].run_id)
    pipeline.run(plan)
    answer = pipeline.summarize(plan)
    assert answer["status"] == "FAILED"
    (error,) = pipeline.report()["errors"]
    assert error["reason"].startswith(
        "S3 no longer keeps the earlier versions of 1 of 3 parts of the instance 2025-06-04/"
    )
    assert vintage_of(pipeline, date(2025, 6, 1)) == date(2025, 6, 4)
    assert vintage_of(pipeline, date(2025, 6, 2)) == date(2025, 6, 3)
    assert vintage_of(pipeline, date(2025, 6, 3)) is None
    assert (pipeline.report()["parts_restored"], pipeline.report()["parts_deleted"]) == (1, 1)


# Refusals


def test_a_run_is_named_that_has_been_and_ended(pipeline: Pipeline, days: list[RunPlan]) -> None:
    with pytest.raises(InputRefused, match="run_id is not a run of the last 90 days"):
        pipeline.plan(operation="rollback", run_id="20250602T100000123Z-unknown")
    rollback = pipeline.rollback(days[2])
    with pytest.raises(InputRefused, match=f"name the run that it undid, {days[2].run_id}"):
        pipeline.plan(operation="rollback", run_id=rollback.run_id)
    running = pipeline.plan()
    with pytest.raises(InputRefused, match="run_id names a run without a report"):
        pipeline.plan(operation="rollback", run_id=running.run_id)


@pytest.mark.parametrize(("age", "refused"), [(timedelta(days=29), False), (timedelta(days=31), True)])
def test_a_run_older_than_the_kept_versions_is_refused(
    pipeline: Pipeline, days: list[RunPlan], age: timedelta, refused: bool
) -> None:
    pipeline.clock.now = days[2].started_at + age
    if not refused:
        assert pipeline.plan(operation="rollback", run_id=days[2].run_id).of_run == days[2].run_id
        return
    with pytest.raises(InputRefused, match=r"a run of 2025-06-04, but what it replaced is kept for 30 days"):
        pipeline.plan(operation="rollback", run_id=days[2].run_id)


@pytest.mark.parametrize("operation", ["rollback", "reprocess"])
def test_a_run_whose_records_have_expired_is_refused_however_long_its_plan_is_kept(
    pipeline: Pipeline, days: list[RunPlan], operation: str
) -> None:
    pipeline.clock.now = days[2].started_at + timedelta(days=91)
    with pytest.raises(InputRefused, match="run_id is not a run of the last 90 days"):
        pipeline.plan(operation=operation, run_id=days[2].run_id)


def test_a_rollback_is_about_the_apps_and_tables_of_its_run(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"apps": 2}, reports=(DOWNLOADS, CRASHES))
    plan = pipeline.whole()
    pipeline.reports = (DOWNLOADS,)
    rollback = pipeline.plan(operation="rollback", run_id=plan.run_id)
    assert (rollback.accounts, rollback.reports, rollback.granularities) == (
        plan.accounts,
        plan.reports,
        plan.granularities,
    )

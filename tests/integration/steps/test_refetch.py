"""What a refetch changes and what it keeps: instances that Apple still lists are downloaded again."""

import gzip
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.errors import InputRefused
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.lake.parts import part_version
from appstore_analytics.model.instances import InstanceStatus as Status
from appstore_analytics.model.instances import LedgerInstance
from appstore_analytics.model.items import LandItem
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.rules.call_budget import ceiling
from appstore_analytics.rules.verdicts import item_reason, item_verdict
from appstore_analytics.steps.plan_items import plan_items
from local.apple import FaultKind
from local.apple.model import Series
from tests.integration.pipeline_in_process import APP, DOWNLOAD, DOWNLOADS, LIST_SEGMENTS, Pipeline
from tests.lake_samples import row, tsv

TABLE = tables_by_name()["downloads"]
SERIES = Series(APP, DOWNLOADS, Granularity.DAILY)
SEGMENTS = "GET /v1/analyticsReportInstances/.*/segments"
FIRST, SECOND, THIRD = (date(2025, 6, day) for day in (1, 2, 3))
BUILT = date(2025, 6, 4)
DAY = timedelta(days=1)


@pytest.fixture
def sent(tmp_path: Path) -> Callable[..., None]:
    """Lets Apple send a file with these counts by Date as the instance of a day; the next call changes the file."""

    def send(pipeline: Pipeline, built: date, counts: dict[date, int], content: bytes = b"") -> None:
        rows = [row(TABLE, int(APP), counts=str(count), date=day.isoformat()) for day, count in counts.items()]
        path = tmp_path / f"{built}.gz"
        path.write_bytes(content or gzip.compress(tsv(rows), mtime=0))
        pipeline.world.send_file(SERIES, built, path)

    return send


def counts(pipeline: Pipeline) -> dict[date, int]:
    """The contents of the table, by Date."""
    return {day: int(sums["counts"]) for (_, day), (_, sums) in pipeline.batches("downloads").items()}


def built_of(pipeline: Pipeline, day: date) -> date | None:
    stored = pipeline.lake.head(TableDate("downloads", day).part_key(APP))
    return stored and part_version(stored).vintage.processing_date


def plan_refetch(pipeline: Pipeline, first: date, last: date | None = None, **payload: Any) -> RunPlan:
    dates = {"start_processing_date": first.isoformat(), "end_processing_date": (last or first).isoformat()}
    return pipeline.plan(operation="refetch", app_ids=[APP], **dates, **payload)


def refetch(pipeline: Pipeline, first: date, last: date | None = None, **payload: Any) -> RunPlan:
    """A whole run, whatever its outcome."""
    plan = plan_refetch(pipeline, first, last, **payload)
    pipeline.run(plan)
    pipeline.summarize(plan)
    return plan


def the_item(pipeline: Pipeline, plan: RunPlan) -> LandItem:
    (item,) = pipeline.land_items(plan)
    return item


def instance(pipeline: Pipeline, plan: RunPlan) -> LedgerInstance:
    return pipeline.instance(the_item(pipeline, plan))


def ended(pipeline: Pipeline, plan: RunPlan) -> tuple[Verdict, str]:
    record = pipeline.record(the_item(pipeline, plan))
    return item_verdict(record), item_reason(record)


def everything(pipeline: Pipeline, plan: RunPlan) -> tuple[object, ...]:
    """The state that a failed refetch must not change, except for the entry that reports it."""
    it = instance(pipeline, plan)
    state = (it.status, it.segments, it.converted_by, it.reason, it.bytes_are_broken, it.raw_has_expired)
    return state, pipeline.bytes_of("parts/"), pipeline.bytes_of("curated/")


def two_days(pipeline: Pipeline, sent: Callable[..., None]) -> tuple[RunPlan, RunPlan]:
    """The instance of 3 June has two Dates; that of the next day replaces one of them and adds one."""
    sent(pipeline, BUILT - DAY, {FIRST: 10, SECOND: 10})
    sent(pipeline, BUILT, {SECOND: 20, THIRD: 20})
    pipeline.whole()
    pipeline.world.advance(1)
    first = pipeline.whole()
    pipeline.world.advance(1)
    return first, pipeline.whole()


# Changes


def test_new_bytes_replace_the_parts_that_differ_and_no_others(pipeline: Pipeline, sent: Callable[..., None]) -> None:
    _, second = two_days(pipeline, sent)
    old = instance(pipeline, second).segments
    before = pipeline.bytes_of("parts/")
    sent(pipeline, BUILT, {SECOND: 21, THIRD: 20})
    plan = refetch(pipeline, BUILT)
    assert counts(pipeline) == {FIRST: 10, SECOND: 21, THIRD: 20}
    report = pipeline.report()
    assert (report["status"], report["operation"]) == ("SUCCEEDED", "refetch")
    assert (report["parts_replaced"], report["apple_calls"]) == (1, 1)
    changed = {key for key, etag in pipeline.bytes_of("parts/").items() if before[key] != etag}
    assert changed == {TableDate("downloads", SECOND).part_key(APP)}
    assert built_of(pipeline, SECOND) == BUILT  # with its own vintage
    (new,) = instance(pipeline, plan).segments
    assert (new.key, pipeline.raw.head(old[0].key) is not None) == (f"{old[0].key[:-7]}.{new.checksum}.txt.gz", True)
    assert ended(pipeline, plan)[0] is Verdict.CONVERTED


def test_a_newer_vintage_stays_and_a_part_that_it_replaced_counts_no_more(
    pipeline: Pipeline, sent: Callable[..., None]
) -> None:
    _, second = two_days(pipeline, sent)
    sent(pipeline, BUILT - DAY, {FIRST: 11, SECOND: 11})
    refetch(pipeline, BUILT - DAY)
    assert counts(pipeline) == {FIRST: 11, SECOND: 20, THIRD: 20}
    pipeline.rollback(second)
    assert counts(pipeline) == {FIRST: 11, SECOND: 11}


def test_a_date_that_the_new_bytes_do_not_hold_goes_back_to_the_instance_before(
    pipeline: Pipeline, sent: Callable[..., None]
) -> None:
    two_days(pipeline, sent)
    sent(pipeline, BUILT, {THIRD: 21})
    plan = refetch(pipeline, BUILT)
    assert counts(pipeline) == {FIRST: 10, SECOND: 10, THIRD: 21}
    sent(pipeline, BUILT, {SECOND: 22})
    refetch(pipeline, BUILT)
    assert counts(pipeline) == {FIRST: 10, SECOND: 22}
    assert ended(pipeline, plan) == (Verdict.CONVERTED, "")


def test_the_same_bytes_change_nothing_and_are_not_downloaded(pipeline: Pipeline, sent: Callable[..., None]) -> None:
    _, second = two_days(pipeline, sent)
    before, downloads = everything(pipeline, second), pipeline.count(DOWNLOAD)
    plan = refetch(pipeline, BUILT - DAY, BUILT)
    assert everything(pipeline, second) == before
    assert (pipeline.count(DOWNLOAD), pipeline.report()["apple_calls"]) == (downloads, 2)
    assert len(pipeline.land_items(plan)) == 2
    assert instance(pipeline, second).refetches == ()


def test_bytes_that_are_lost_in_the_raw_bucket_are_there_again(pipeline: Pipeline, sent: Callable[..., None]) -> None:
    _, second = two_days(pipeline, sent)
    (segment,) = instance(pipeline, second).segments
    pipeline.raw._client.delete_object(Bucket=pipeline.raw.name, Key=segment.key)
    before = pipeline.bytes_of("parts/")
    plan = refetch(pipeline, BUILT)
    assert pipeline.bytes_of("parts/") == before
    (new,) = instance(pipeline, plan).segments
    assert pipeline.raw.head(new.key) is not None


def test_a_quarantined_instance_of_broken_bytes_is_converted(pipeline: Pipeline, sent: Callable[..., None]) -> None:
    sent(pipeline, BUILT - DAY, {}, b"no gzip at all")
    pipeline.whole()
    pipeline.world.advance(1)
    daily = pipeline.plan()
    pipeline.run(daily)
    assert instance(pipeline, daily).bytes_are_broken
    sent(pipeline, BUILT - DAY, {FIRST: 10})
    plan = refetch(pipeline, BUILT - DAY)
    assert counts(pipeline) == {FIRST: 10}
    now = instance(pipeline, plan)
    assert (now.status, now.reason, now.bytes_are_broken, now.converted_by) == (
        Status.CONVERTED,
        "",
        False,
        plan.run_id,
    )
    pipeline.world.advance(1)
    assert pipeline.daily()["status"] == "SUCCEEDED"


def test_a_rolled_back_instance_that_is_named_stands_again(pipeline: Pipeline, sent: Callable[..., None]) -> None:
    _, second = two_days(pipeline, sent)
    before = pipeline.bytes_of("parts/")
    pipeline.rollback(second)
    refetch(pipeline, BUILT)  # of the same bytes
    assert pipeline.bytes_of("parts/") == before
    pipeline.rollback(second)  # now it belongs to the refetch
    assert counts(pipeline) == {FIRST: 10, SECOND: 20, THIRD: 20}


def test_an_instance_that_no_run_has_landed_is_landed(pipeline: Pipeline, sent: Callable[..., None]) -> None:
    sent(pipeline, BUILT - DAY, {FIRST: 10})
    pipeline.whole()
    pipeline.world.advance(1)
    pipeline.fault(FaultKind.STATUS, SEGMENTS, status=500, times=None)
    assert pipeline.daily()["status"] == "FAILED"
    pipeline.world.faults.clear()
    refetch(pipeline, BUILT - DAY)
    assert counts(pipeline) == {FIRST: 10}


def test_a_vintages_table_and_several_segments_are_refetched_alike(start: Callable[..., Pipeline]) -> None:
    expanded = "App Crashes Expanded"
    pipeline = start({"segments_per_instance": 3}, reports=(DOWNLOADS, expanded))
    pipeline.whole()
    pipeline.world.advance(1)
    pipeline.fault(FaultKind.CORRUPT_GZIP, SEGMENTS, times=2)
    plan = pipeline.plan()
    pipeline.run(plan)
    built = {pipeline.instance(item).vintage.processing_date for item in pipeline.land_items(plan)}
    assert {pipeline.instance(item).status for item in pipeline.land_items(plan)} == {Status.QUARANTINED}
    again = refetch(pipeline, min(built), max(built), reports=[expanded])
    assert {pipeline.instance(item).table for item in pipeline.land_items(again)} == {"crashes_expanded_vintages"}
    assert pipeline.report()["status"] == "SUCCEEDED"
    assert {pipeline.instance(item).status for item in pipeline.land_items(again)} == {Status.CONVERTED}


# State after a failure


def broken(pipeline: Pipeline, sent: Callable[..., None]) -> None:
    sent(pipeline, BUILT, {}, b"no gzip at all")


def of_another_contract(pipeline: Pipeline, sent: Callable[..., None]) -> None:
    sent(pipeline, BUILT, {SECOND: 30, date(1999, 1, 1): 30})


def with_another_checksum(pipeline: Pipeline, sent: Callable[..., None]) -> None:
    sent(pipeline, BUILT, {SECOND: 30})
    pipeline.fault(FaultKind.WRONG_CHECKSUM, SEGMENTS, times=None)


def gone(pipeline: Pipeline, sent: Callable[..., None]) -> None:
    sent(pipeline, BUILT, {SECOND: 30})
    pipeline.fault(FaultKind.STATUS, SEGMENTS, status=404, times=None)


def unavailable(pipeline: Pipeline, sent: Callable[..., None]) -> None:
    sent(pipeline, BUILT, {SECOND: 30})
    pipeline.fault(FaultKind.STATUS, SEGMENTS, status=500, times=None)


FAILURES = {
    broken: (Verdict.QUARANTINED, "gzip is broken"),
    of_another_contract: (Verdict.QUARANTINED, "1999-01-01"),
    with_another_checksum: (Verdict.FAILED, "Apple announces MD5"),
    gone: (Verdict.EXPIRED, "so nothing was changed: only a backfill"),
    unavailable: (Verdict.FAILED, "500"),
}


@pytest.mark.parametrize(
    ("failure", "before"),
    [*((failure, "converted") for failure in FAILURES), (broken, "quarantined"), (broken, "rolled back")],
)
def test_a_refetch_that_fails_changes_nothing(
    pipeline: Pipeline, sent: Callable[..., None], failure: Callable[..., None], before: str
) -> None:
    sent(pipeline, BUILT - DAY, {FIRST: 10, SECOND: 10})
    sent(pipeline, BUILT, {SECOND: 20, THIRD: 20}, b"\x1f\x8b no gzip either" if before == "quarantined" else b"")
    for _ in range(3):
        daily = pipeline.plan()
        pipeline.run(daily)
        pipeline.summarize(daily)
        pipeline.world.advance(1)
    if before == "rolled back":
        pipeline.rollback(daily)
    was = everything(pipeline, daily)
    failure(pipeline, sent)
    plan = refetch(pipeline, BUILT)
    assert everything(pipeline, plan) == was
    verdict, reason = ended(pipeline, plan)
    assert verdict is FAILURES[failure][0]
    assert FAILURES[failure][1] in reason
    pipeline.world.faults.clear()
    pipeline.world.advance(1)
    pipeline.daily()
    assert instance(pipeline, plan).status is was[0][0]  # type: ignore[index]


def test_an_instance_without_segments_by_now_is_left_as_it_is(
    pipeline: Pipeline, sent: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, second = two_days(pipeline, sent)
    was = everything(pipeline, second)
    monkeypatch.setattr("appstore_analytics.apple.client.AppStoreConnect.segments", lambda *_: ())
    plan = refetch(pipeline, BUILT)
    assert everything(pipeline, plan) == was
    assert ended(pipeline, plan)[0] is Verdict.NOT_READY


# Rollbacks and reprocesses


def test_a_rollback_brings_the_former_bytes_back_and_a_reprocess_reads_them(
    pipeline: Pipeline, sent: Callable[..., None]
) -> None:
    _, second = two_days(pipeline, sent)
    was = everything(pipeline, second)
    sent(pipeline, BUILT, {THIRD: 21, THIRD + DAY: 21})
    plan = refetch(pipeline, BUILT)
    pipeline.whole(operation="reprocess")
    assert counts(pipeline) == {FIRST: 10, SECOND: 10, THIRD: 21, THIRD + DAY: 21}
    pipeline.rollback(plan)
    assert everything(pipeline, second) == was
    pipeline.whole(operation="reprocess")
    assert everything(pipeline, second) == was
    pipeline.rollback(plan)
    assert everything(pipeline, second) == was
    refetch(pipeline, BUILT)
    assert counts(pipeline) == {FIRST: 10, SECOND: 10, THIRD: 21, THIRD + DAY: 21}


def test_two_refetches_are_rolled_back_in_either_order(pipeline: Pipeline, sent: Callable[..., None]) -> None:
    _, second = two_days(pipeline, sent)
    was = everything(pipeline, second)
    plans = []
    for count in (21, 22):
        sent(pipeline, BUILT, {SECOND: count, THIRD: 20})
        plans.append(refetch(pipeline, BUILT))
    pipeline.rollback(plans[0])
    assert counts(pipeline) == {FIRST: 10, SECOND: 22, THIRD: 20}
    pipeline.rollback(plans[1])
    assert everything(pipeline, second) == was


def test_the_rollback_of_a_refetch_leaves_a_quarantined_instance_quarantined(
    pipeline: Pipeline, sent: Callable[..., None]
) -> None:
    sent(pipeline, BUILT - DAY, {}, b"no gzip at all")
    pipeline.whole()
    pipeline.world.advance(1)
    daily = pipeline.plan()
    pipeline.run(daily)
    was = everything(pipeline, daily)
    sent(pipeline, BUILT - DAY, {FIRST: 10})
    plan = refetch(pipeline, BUILT - DAY)
    pipeline.rollback(plan)
    assert everything(pipeline, daily) == was
    assert counts(pipeline) == {}


# Permissions


def test_it_takes_a_backfills_share_of_the_hour(start: Callable[..., Pipeline], sent: Callable[..., None]) -> None:
    pipeline = start(calls_per_hour=20)
    two_days(pipeline, sent)
    plan = plan_refetch(pipeline, BUILT)
    assert ceiling(20, plan.operation) == 9
    pipeline.clock.pass_by(hours=2)
    budget = pipeline.registry.call_budget("main")
    budget.reserve(9, 19, pipeline.clock.now, 20)
    assert pipeline.download(the_item_planned(pipeline, plan))["outcome"] == "wait"
    assert pipeline.count(LIST_SEGMENTS) == 2


def the_item_planned(pipeline: Pipeline, plan: RunPlan) -> LandItem:
    plan_items(plan.run_id, MapName.LAND, pipeline.registry, pipeline.lake, pipeline.clock.now)
    return the_item(pipeline, plan)


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        ({}, "start_processing_date is missing: give a date such as 2026-01-31."),
        ({"start_date": "2025-06-01"}, "start_date would be a Date, but a refetch takes whole instances"),
        ({"start_processing_date": "2025-06-02", "end_processing_date": "2025-06-01"}, "app_ids must be a list"),
    ],
)
def test_it_says_which_instances(pipeline: Pipeline, payload: dict[str, str], sentence: str) -> None:
    with pytest.raises(InputRefused, match=sentence):
        pipeline.plan(operation="refetch", **payload)

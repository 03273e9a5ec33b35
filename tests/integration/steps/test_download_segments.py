import hashlib
import itertools
from collections.abc import Callable
from datetime import date
from unittest.mock import Mock

import pytest

from appstore_analytics.contract.errors import (
    AppleRefused,
    AppleUnavailable,
    DownloadBroken,
    InstanceTooLarge,
    PipelineError,
    RoleMissing,
    SegmentUrlExpired,
)
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.model.instances import InstanceStatus
from appstore_analytics.model.items import LandItem
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.registry.instances import Instances
from local.apple import FaultKind
from tests.call_points import DiedError
from tests.integration.pipeline_in_process import APP, DOWNLOAD, LIST_SEGMENTS, Pipeline

NEXT, DONE = {"outcome": "next"}, {"outcome": "done"}
SEGMENTS = "/segments$"
FILES = "GET /segments/"


def listed(pipeline: Pipeline) -> LandItem:
    """The first instance of an app, listed and planned to land."""
    pipeline.run(pipeline.plan(), MapName.REGISTER)
    pipeline.world.advance(1)
    plan = pipeline.plan()
    pipeline.run(plan, MapName.REGISTER)
    (item,) = pipeline.land_items(plan)
    return item


def planned_again(pipeline: Pipeline) -> tuple[RunPlan, LandItem]:
    plan = pipeline.plan()
    pipeline.list_app(plan)
    (item,) = [each for each in pipeline.land_items(plan) if each.vintage.processing_date == date(2025, 6, 3)]
    return plan, item


@pytest.fixture
def pipeline(start: Callable[..., Pipeline]) -> Pipeline:
    return start({"segments_per_instance": 2})


@pytest.fixture
def item(pipeline: Pipeline) -> LandItem:
    return listed(pipeline)


def test_every_segment_lands_as_apple_sent_it(pipeline: Pipeline, item: LandItem) -> None:
    assert pipeline.download(item) == NEXT
    instance = pipeline.instance(item)
    assert instance.status is InstanceStatus.LANDED
    for segment in instance.segments:
        content = pipeline.raw.read(segment.key)
        assert content is not None
        assert hashlib.md5(content, usedforsecurity=False).hexdigest() == segment.checksum
        assert len(content) == segment.size_bytes
        assert segment.key.startswith(
            f"raw/downloads/{APP}/ONGOING/2025-06-03/{instance.vintage.instance_id}/{segment.segment_id}"
        )
    record = pipeline.record(item)
    assert record.verdict is None  # it ends with its conversion
    assert (record.facts["segments"], record.facts["calls"]) == (2, 1)
    assert record.facts["bytes"] == sum(segment.size_bytes for segment in instance.segments)
    assert {each["key"] for each in record.facts["landed"]} == {segment.key for segment in instance.segments}


def test_what_has_landed_costs_no_call(pipeline: Pipeline, item: LandItem) -> None:
    pipeline.download(item)
    assert pipeline.download(item) == NEXT
    assert (pipeline.count(LIST_SEGMENTS), pipeline.count(DOWNLOAD)) == (1, 2)


def test_a_retry_goes_on_where_it_stopped(pipeline: Pipeline, item: LandItem) -> None:
    pipeline.fault(FaultKind.STATUS, f"{FILES}.*/1.txt.gz", status=503)
    with pytest.raises(AppleUnavailable):
        pipeline.download(item)
    assert pipeline.instance(item).status is InstanceStatus.LISTED
    assert pipeline.download(item) == NEXT
    assert pipeline.count(DOWNLOAD) == 3
    assert pipeline.instance(item).status is InstanceStatus.LANDED
    assert pipeline.record(item).facts["calls"] == 2  # the listing of each attempt


def test_a_lone_segment_is_not_looked_for_and_so_downloaded_again_after_a_crash(
    start: Callable[..., Pipeline], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = start({"segments_per_instance": 1})
    item = listed(pipeline)
    with monkeypatch.context() as patch, pytest.raises(DiedError):
        patch.setattr(Instances, "mark_landed", Mock(side_effect=DiedError))
        pipeline.download(item)
    (stored,) = pipeline.raw.list("raw/")
    assert pipeline.download(item) == NEXT
    assert (pipeline.count(LIST_SEGMENTS), pipeline.count(DOWNLOAD)) == (2, 2)
    assert pipeline.record(item).facts["calls"] == 2
    assert [each.key for each in pipeline.raw.list("raw/")] == [stored.key]


@pytest.mark.parametrize(
    ("kind", "route", "error"),
    [
        (FaultKind.WRONG_CHECKSUM, SEGMENTS, DownloadBroken),
        (FaultKind.WRONG_SIZE, SEGMENTS, DownloadBroken),
        (FaultKind.TRUNCATED_BODY, FILES, DownloadBroken),
        (FaultKind.RESET, FILES, DownloadBroken),
        (FaultKind.REDIRECT, FILES, AppleRefused),
        (FaultKind.FOREIGN_HOST, SEGMENTS, AppleRefused),
    ],
)
def test_bytes_that_are_not_the_announced_ones_land_nowhere_and_show_no_url(
    pipeline: Pipeline, item: LandItem, kind: FaultKind, route: str, error: type[PipelineError]
) -> None:
    pipeline.fault(kind, route)
    with pytest.raises(error) as raised:
        pipeline.download(item)
    assert "Signature" not in str(raised.value)
    assert raised.value.__suppress_context__ or raised.value.__context__ is None
    assert [*pipeline.raw.list("raw/")] == []
    assert pipeline.instance(item).status is InstanceStatus.LISTED
    assert pipeline.download(item) == NEXT


@pytest.mark.parametrize("status", [403, 404, 410])
def test_an_expired_url_is_answered_by_listing_the_segments_again(
    pipeline: Pipeline, item: LandItem, status: int
) -> None:
    pipeline.fault(FaultKind.STATUS, FILES, status=status)
    with pytest.raises(SegmentUrlExpired):
        pipeline.download(item)
    assert pipeline.download(item) == NEXT
    assert pipeline.count(LIST_SEGMENTS) == 2


def test_segments_that_come_so_slowly_that_the_other_urls_die_are_listed_again(
    pipeline: Pipeline, item: LandItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.count(step=150)  # the listing, then once per segment
    monkeypatch.setattr("appstore_analytics.steps.download_segments.monotonic", lambda: next(clock))
    with pytest.raises(SegmentUrlExpired, match="listed again"):
        pipeline.download(item)
    assert (pipeline.count(LIST_SEGMENTS), pipeline.count(DOWNLOAD)) == (1, 1)
    clock = itertools.count()
    assert pipeline.download(item) == NEXT
    assert (pipeline.count(LIST_SEGMENTS), pipeline.count(DOWNLOAD)) == (2, 2)


def test_segments_that_are_too_large_together_are_refused_before_a_byte_is_downloaded(
    pipeline: Pipeline, item: LandItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.download(item)
    sizes = [segment.size_bytes for segment in pipeline.instance(item).segments]
    pipeline.world.advance(1)
    plan = pipeline.plan()
    pipeline.list_app(plan)
    newer = pipeline.land_items(plan)[-1]
    largest = "appstore_analytics.steps.download_segments.LARGEST_INSTANCE_BYTES"
    monkeypatch.setattr(largest, max(sizes) + 1)
    with pytest.raises(InstanceTooLarge, match=r"raise CONVERSION_GIBIBYTES in .*, now 4 and at most 10"):
        pipeline.download(newer)
    assert pipeline.count(DOWNLOAD) == 2
    assert pipeline.instance(newer).status is InstanceStatus.LISTED
    monkeypatch.setattr(largest, 2 * sum(sizes))
    assert pipeline.download(newer) == NEXT


def test_an_instance_that_apple_no_longer_has_is_a_recorded_gap(pipeline: Pipeline, item: LandItem) -> None:
    pipeline.world.advance(36)
    assert pipeline.download(item) == DONE
    assert pipeline.instance(item).status is InstanceStatus.EXPIRED
    record = pipeline.record(item)
    assert record.verdict is Verdict.EXPIRED
    assert "backfill" in record.reason
    assert pipeline.download(item) == NEXT  # the ledger knows: Apple is not asked again
    assert pipeline.count(LIST_SEGMENTS) == 1


def test_an_instance_without_segments_is_not_ready_and_stays_due(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"no_segments_share": 1.0})
    item = listed(pipeline)
    assert pipeline.download(item) == DONE
    assert pipeline.record(item).verdict is Verdict.NOT_READY
    assert pipeline.instance(item).status is InstanceStatus.LISTED
    planned_again(pipeline)


def test_a_429_waits_and_says_nothing_about_the_instance(pipeline: Pipeline, item: LandItem) -> None:
    pipeline.fault(FaultKind.STATUS, SEGMENTS, status=429, retry_after_seconds=10)
    assert pipeline.download(item)["outcome"] == "wait"
    assert pipeline.instance(item).status is InstanceStatus.LISTED
    assert pipeline.record(item).verdict is None
    assert pipeline.download(item)["outcome"] == "wait"
    assert pipeline.count(LIST_SEGMENTS) == 1
    pipeline.clock.pass_by(seconds=20)
    assert pipeline.download(item) == NEXT


def test_a_403_is_a_verdict(pipeline: Pipeline, item: LandItem) -> None:
    pipeline.world.forbidden_app_ids.add(APP)
    with pytest.raises(RoleMissing, match="Sales and Reports"):
        pipeline.download(item)
    assert pipeline.instance(item).status is InstanceStatus.LISTED


def test_an_item_that_the_ledger_does_not_know_asks_nobody(pipeline: Pipeline, item: LandItem) -> None:
    unknown = LandItem(item.run_id, item.account, "1000000009", item.vintage)
    assert pipeline.download(unknown) == NEXT
    assert pipeline.count(LIST_SEGMENTS) == 0


def test_an_instance_of_very_many_segments_is_landed_converted_and_told_whole(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"segments_per_instance": 620})
    pipeline.whole()
    pipeline.world.advance(1)
    plan = pipeline.whole()
    (item,) = pipeline.land_items(plan)
    assert len(pipeline.instance(item).segments) == pipeline.report()["segments"] == 620
    assert pipeline.report()["rows_raw"] == pipeline.report()["rows_athena"] > 0
    rows = pipeline.lake.read(f"appstore/segments/dt={plan.started_at.date()}/{plan.run_id}.jsonl") or b""
    assert len(set(rows.splitlines())) == 620

"""`gaps` and freshness call those Dates complete that Apple's newest instances contain, after any history."""

import json
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from asking import backfill, day, days, gaps

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.rules.calendar import expected_dates
from appstore_analytics.rules.gaps import Gap
from appstore_analytics.rules.repairs import Repair
from appstore_analytics.rules.verdicts import item_reason, item_verdict
from appstore_analytics.steps.check_freshness import check_freshness
from local.apple import FaultKind
from local.apple.model import Series
from local.apple.truth import newest_vintages
from tests.integration.pipeline_in_process import APP, DOWNLOADS, Pipeline
from tests.integration.steps.athena_in_process import AthenaInProcess

DAY = timedelta(days=1)
FIRST = date(2025, 6, 2)
TABLE = tables_by_name()["downloads"]
SEGMENTS = "GET /v1/analyticsReportInstances/.*/segments"
SERIES = Series(APP, DOWNLOADS, Granularity.DAILY)


def missing(pipeline: Pipeline) -> set[date]:
    return {gap.first + DAY * number for gap in gaps(pipeline).gaps for number in range(gap.dates)}


def freshness(pipeline: Pipeline) -> dict[str, Any]:
    """The verdict on the only table, at noon, with the tolerance after which gaps expects a Date as well."""
    athena: Any = AthenaInProcess(pipeline.lake)
    at = datetime.combine(pipeline.world.today, time(12, tzinfo=UTC))
    check_freshness(at, timedelta(hours=26), pipeline.lake, athena, pipeline.metrics.__setitem__)
    *_, newest = pipeline.lake.list("appstore/freshness/")
    (row,) = [json.loads(line) for line in (pipeline.lake.read(newest.key) or b"").splitlines()]
    return dict(row)


def one_day(pipeline: Pipeline, what: str) -> None:
    """A day of the history with its run, if there is one."""
    world = pipeline.world
    world.advance(1)
    if what == "quarantined":
        pipeline.fault(FaultKind.SHORT_ROW, SEGMENTS)
    elif what == "broken bytes":
        pipeline.fault(FaultKind.CORRUPT_GZIP, SEGMENTS)
    elif what == "not in time":
        pipeline.fault(FaultKind.STATUS, SEGMENTS, status=500, times=None)
    elif what == "gone":
        pipeline.fault(FaultKind.STATUS, SEGMENTS, status=404)
    if what != "no run":
        pipeline.daily()
    world.faults.clear()
    if what == "refetched":
        refetch(pipeline, world.today - DAY * 3, world.today)


def refetch(pipeline: Pipeline, first: date, last: date) -> None:
    dates = {"start_processing_date": first.isoformat(), "end_processing_date": last.isoformat()}
    plan = pipeline.plan(operation="refetch", app_ids=[APP], **dates)
    pipeline.run(plan)
    pipeline.summarize(plan)


KINDS = ("good", "good", "good", "quarantined", "broken bytes", "no run", "late", "never", "gone", "not in time")
KINDS += ("refetched", "refetched")


@pytest.mark.parametrize("seed", range(4))
def test_what_is_called_complete_is_what_apple_holds_and_freshness_agrees(
    start: Callable[..., Pipeline], seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 (a history that repeats)
    pipeline = start({"dates_per_instance": 2, "rows_per_date": 6, "seed": seed})
    history = [chance.choice(KINDS) for _ in range(9)]
    for number, what in enumerate(history, start=1):
        if what in ("late", "never"):
            built = FIRST + DAY * number
            pipeline.world.delay_instance(SERIES, built, built + DAY * (2 if what == "late" else 60))
    pipeline.daily()
    for number, what in enumerate(history):
        one_day(pipeline, what)
        if number % 3 == 2:
            check(pipeline, history)


def check(pipeline: Pipeline, history: list[str]) -> None:
    incomplete = missing(pipeline)
    today = pipeline.world.today
    stands = {day_: rows for (_, day_), (rows, _) in pipeline.batches("downloads").items()}
    truth = {one.date: one.rows for one in newest_vintages(pipeline.world, DOWNLOADS)}
    for day_ in expected_dates(TABLE, FIRST, today):
        if day_ not in incomplete:
            assert stands.get(day_, 0) == truth.get(day_, 0), (history, today, day_)
    row = freshness(pipeline)
    if row["newest_due_date"]:
        newest = date.fromisoformat(row["newest_due_date"])
        looked_at = {newest - DAY * back for back in range(3)} & set(expected_dates(TABLE, FIRST + DAY, today))
        told = {date.fromisoformat(text) for text in row["missing_dates"]} & looked_at
        assert told == incomplete & looked_at, (history, today, row)


def the_gap(pipeline: Pipeline) -> Gap:
    (gap,) = gaps(pipeline).gaps
    return gap


def two_good_days(start: Callable[..., Pipeline]) -> Pipeline:
    pipeline = start({"dates_per_instance": 2, "history_start": date(2025, 5, 1)})
    day(pipeline)
    days(pipeline, 2)
    return pipeline


def test_a_preliminary_vintage_is_not_complete_while_the_completing_file_is_quarantined(
    start: Callable[..., Pipeline],
) -> None:
    pipeline = two_good_days(start)
    pipeline.fault(FaultKind.SHORT_ROW, SEGMENTS)
    days(pipeline, 1)
    days(pipeline, 2)
    gap = the_gap(pipeline)
    assert (gap.first, gap.dates, gap.repair) == (FIRST + DAY, 1, Repair.REPROCESS)
    assert gap.cause == "its file breaks the report's contract (quarantined); an older vintage is in the tables"
    (table,) = gaps(pipeline).tables
    assert table.complete_until == FIRST
    assert not gaps(pipeline).is_good


def test_a_preliminary_vintage_is_not_complete_when_the_completing_file_expired_and_a_backfill_completes_it(
    start: Callable[..., Pipeline],
) -> None:
    pipeline = two_good_days(start)
    pipeline.fault(FaultKind.STATUS, SEGMENTS, status=404)
    days(pipeline, 1)
    days(pipeline, 2)
    gap = the_gap(pipeline)
    assert (gap.first, gap.dates, gap.repair) == (FIRST + DAY, 1, Repair.BACKFILL)
    assert gap.cause == "Apple deleted it before it had landed (expired); an older vintage is in the tables"
    backfill(pipeline, gap.first, gap.last)
    days(pipeline, 1)
    assert gaps(pipeline).is_good


def test_broken_bytes_are_not_for_a_reprocess_which_would_read_them_again(start: Callable[..., Pipeline]) -> None:
    pipeline = two_good_days(start)
    pipeline.fault(FaultKind.CORRUPT_GZIP, SEGMENTS)
    days(pipeline, 1)
    days(pipeline, 2)
    gap = the_gap(pipeline)
    assert (gap.first, gap.repair) == (FIRST + DAY, Repair.REFETCH)
    assert gap.cause == "the bytes of its file are broken (quarantined); an older vintage is in the tables"
    built = FIRST + DAY * 3
    command = f"./manage.py refetch --apps {APP} --reports downloads --from {built} --to {built}"
    assert gaps(pipeline).commands == {f"{APP} downloads refetch": command}
    refetch(pipeline, built, built)
    assert gaps(pipeline).is_good


def test_of_broken_bytes_that_apple_has_deleted_a_backfill_is_left(start: Callable[..., Pipeline]) -> None:
    pipeline = two_good_days(start)
    pipeline.fault(FaultKind.CORRUPT_GZIP, SEGMENTS)
    days(pipeline, 1)
    days(pipeline, 2)
    pipeline.world.advance(36)
    assert next(gap.repair for gap in gaps(pipeline).gaps if gap.first == FIRST + DAY) is Repair.BACKFILL


def test_what_was_converted_and_not_published_is_not_complete(pipeline: Pipeline) -> None:
    day(pipeline)
    days(pipeline, 4)
    newest = FIRST + DAY
    key = f"curated/downloads/dt={newest}/data.parquet"
    pipeline.lake._client.delete_object(Bucket=pipeline.lake.name, Key=key)
    gap = the_gap(pipeline)
    assert (gap.first, gap.cause, gap.repair) == (newest, "converted, not published yet", Repair.NEXT_RUN)


def test_of_a_second_execution_a_quarantined_file_keeps_the_ledgers_reason(pipeline: Pipeline) -> None:
    day(pipeline)
    pipeline.world.advance(1)
    pipeline.fault(FaultKind.SHORT_ROW, SEGMENTS)
    first, second = pipeline.plan(), pipeline.plan()
    pipeline.run(first, MapName.REGISTER)
    pipeline.run(second, MapName.REGISTER)
    for plan in (first, second):
        pipeline.run(plan, MapName.LAND)
        (item,) = pipeline.land_items(plan)
        record = pipeline.record(item)
        assert item_verdict(record) is Verdict.QUARANTINED
        assert item_reason(record).startswith(pipeline.instance(item).reason)
        assert "cells" in item_reason(record) or "row" in item_reason(record)
        assert pipeline.summarize(plan)["status"] == "FAILED"

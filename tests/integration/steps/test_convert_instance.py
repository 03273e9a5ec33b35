import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.errors import InstanceQuarantined, InstanceTooLarge
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.metrics import Metric
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.parts import batch_of_part
from appstore_analytics.model.instances import InstanceStatus
from appstore_analytics.model.items import LandItem
from appstore_analytics.registry.dirty_dates import DirtyDates
from appstore_analytics.registry.instances import Instances
from local.apple import AccessType, FaultKind
from local.apple.model import Series
from local.apple.publication import dates_of_snapshot as dates_of
from local.apple.truth import newest_vintages
from tests.aws_in_process import new_bucket, new_registry
from tests.integration.pipeline_in_process import APP, DOWNLOADS, Pipeline

DONE = {"outcome": "done"}
FULL_DISK = Path("/dev/full")
DAYS = [date(2025, 5, 31), date(2025, 6, 1), date(2025, 6, 2)]


def planned(pipeline: Pipeline, days: int = 1) -> list[LandItem]:
    """The instances of the app's first days, listed and planned to land."""
    pipeline.run(pipeline.plan(), MapName.REGISTER)
    pipeline.world.advance(days)
    plan = pipeline.plan()
    pipeline.run(plan, MapName.REGISTER)
    return pipeline.land_items(plan)


@pytest.fixture
def item(pipeline: Pipeline) -> LandItem:
    (item,) = planned(pipeline)
    return item


def dirty(pipeline: Pipeline) -> list[date]:
    return [each.day for each in pipeline.registry.dirty_dates.of_table("downloads")]


def clean(pipeline: Pipeline) -> None:
    for each in [*pipeline.registry.dirty_dates.of_table("downloads")]:
        pipeline.registry.dirty_dates.clear(each, pipeline.registry.dirty_dates.token(each) or "")


def parts(pipeline: Pipeline) -> dict[str, str]:
    return {stored.key: stored.etag for stored in pipeline.lake.list("parts/")}


def test_an_instance_that_has_not_landed_is_left_alone(pipeline: Pipeline, item: LandItem) -> None:
    assert pipeline.convert(item) == DONE
    assert (parts(pipeline), dirty(pipeline), pipeline.record(item).verdict) == ({}, [], Verdict.NOT_READY)
    assert pipeline.record(item).reason == "The instance is listed. The next run continues with it while Apple has it."


def test_a_landed_instance_becomes_a_part_and_a_dirty_mark_per_date(pipeline: Pipeline, item: LandItem) -> None:
    pipeline.download(item)
    assert pipeline.convert(item) == DONE
    assert [*parts(pipeline)] == [f"parts/downloads/dt={day}/{APP}.parquet" for day in DAYS]
    assert dirty(pipeline) == DAYS
    assert pipeline.instance(item).status is InstanceStatus.CONVERTED
    record = pipeline.record(item)
    rows = sum(batch.rows for batch in newest_vintages(pipeline.world, DOWNLOADS))
    assert record.verdict is Verdict.CONVERTED
    assert (record.facts["rows_raw"], record.facts["rows_curated"], record.facts["rows_dropped"]) == (rows, rows, 0)
    assert (record.facts["parts_written"], record.facts["parts_replaced"]) == (3, 0)


def test_the_second_time_finds_its_own_parts_and_marks_the_dates_again(pipeline: Pipeline, item: LandItem) -> None:
    pipeline.download(item)
    pipeline.convert(item)
    before = parts(pipeline)
    clean(pipeline)
    assert pipeline.convert(item) == DONE
    assert parts(pipeline) == before
    assert dirty(pipeline) == DAYS
    assert pipeline.record(item).facts["parts_unchanged"] == 3


def test_every_part_is_noted_before_one_is_written(pipeline: Pipeline, item: LandItem) -> None:
    pipeline.download(item)
    vintage = pipeline.instance(item).vintage
    with patch.object(Bucket, "swap", side_effect=MemoryError), pytest.raises(MemoryError):
        pipeline.convert(item)
    lines = pipeline.registry.journal.of_instance(item.run_id, APP, vintage)
    assert [line.table_date.day for line in lines] == DAYS


def test_a_crash_before_the_marks_is_healed_by_the_second_time(pipeline: Pipeline, item: LandItem) -> None:
    pipeline.download(item)
    with patch.object(DirtyDates, "mark_all", side_effect=MemoryError), pytest.raises(MemoryError):
        pipeline.convert(item)
    assert len(parts(pipeline)) == len(DAYS)
    assert dirty(pipeline) == []
    assert pipeline.instance(item).status is InstanceStatus.LANDED
    pipeline.convert(item)
    assert dirty(pipeline) == DAYS


def test_the_newest_vintage_wins_whatever_the_order(start: Callable[..., Pipeline]) -> None:
    second = {"registry": new_registry("second"), "raw": new_bucket("second-raw"), "lake": new_bucket("second-lake")}
    pipelines = [start(), start(**second)]
    for number, pipeline in enumerate(pipelines):
        pipeline.world.restate(Series(APP, DOWNLOADS, Granularity.DAILY), date(2025, 6, 2))
        items = planned(pipeline, days=3)
        for item in reversed(items) if number else items:
            pipeline.download(item)
            pipeline.convert(item)
    assert parts(pipelines[0]) == parts(pipelines[1]) != {}
    stored = pipelines[1].lake.head(f"parts/downloads/dt=2025-06-02/{APP}.parquet")
    assert stored is not None
    assert batch_of_part(stored, int(APP)).vintage.processing_date == date(2025, 6, 5)


def test_an_older_instance_that_comes_late_changes_and_marks_nothing_newer(pipeline: Pipeline) -> None:
    older, newer = planned(pipeline, days=2)
    for item in (newer, older):
        pipeline.download(item)
    pipeline.convert(newer)
    clean(pipeline)
    pipeline.convert(older)
    assert dirty(pipeline) == [date(2025, 5, 31)]
    facts = pipeline.record(older).facts
    assert (facts["parts_written"], facts["parts_refused"]) == (1, 2)


@pytest.mark.parametrize("kind", [FaultKind.HEADER_REMOVED, FaultKind.SHORT_ROW, FaultKind.CORRUPT_GZIP])
def test_a_file_that_breaks_its_contract_is_quarantined_and_the_lake_stays_as_it_is(
    pipeline: Pipeline, kind: FaultKind
) -> None:
    first, second = planned(pipeline, days=2)
    pipeline.download(first)
    pipeline.convert(first)
    clean(pipeline)
    before = parts(pipeline)
    pipeline.fault(kind, "/segments$")
    pipeline.download(second)
    with pytest.raises(InstanceQuarantined):
        pipeline.convert(second)
    assert pipeline.instance(second).status is InstanceStatus.QUARANTINED
    assert (parts(pipeline), dirty(pipeline)) == (before, [])
    assert pipeline.convert(second) == DONE
    assert pipeline.download(second) == {"outcome": "next"}


@pytest.mark.skipif(not FULL_DISK.exists(), reason="Only Linux has a disk that is always full.")
@pytest.mark.parametrize("file", ["run-0.arrow", "2025-06-01.parquet"])
def test_an_instance_that_does_not_fit_on_the_disk_says_what_to_do_and_stays_landed(
    start: Callable[..., Pipeline], monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    pipeline = start({"segments_per_instance": 2})
    (item,) = planned(pipeline)

    def with_a_full_disk() -> TemporaryDirectory[str]:
        scratch = TemporaryDirectory()
        (Path(scratch.name) / file).symlink_to(FULL_DISK)
        return scratch

    pipeline.download(item)
    monkeypatch.setattr("appstore_analytics.lake.conversion._RUN_ROWS", 1)
    with monkeypatch.context() as full, pytest.raises(InstanceTooLarge, match=r"0 MiB .* raise CONVERSION_GIBIBYTES"):
        full.setattr("appstore_analytics.steps.convert_instance.TemporaryDirectory", with_a_full_disk)
        pipeline.convert(item)
    assert (parts(pipeline), pipeline.instance(item).status) == ({}, InstanceStatus.LANDED)
    assert pipeline.convert(item) == DONE


def test_a_new_column_loses_no_row_and_is_seen(pipeline: Pipeline, item: LandItem) -> None:
    pipeline.fault(FaultKind.HEADER_ADDED, "/segments$")
    pipeline.download(item)
    pipeline.convert(item)
    facts = pipeline.record(item).facts
    assert len(facts["unknown_columns"]) == 1
    assert facts["rows_raw"] == facts["rows_curated"] > 0


def test_a_date_that_the_file_skips_is_named_and_keeps_its_older_rows(pipeline: Pipeline) -> None:
    first, second = planned(pipeline, days=2)
    pipeline.download(first)
    pipeline.convert(first)
    before = parts(pipeline)
    pipeline.fault(FaultKind.DATE_SKIPPED, "/segments$")
    pipeline.download(second)
    pipeline.convert(second)
    facts = pipeline.record(second).facts
    assert (facts["dates_skipped"], facts["skipped_dates"]) == (1, ["2025-06-02"])
    key = f"parts/downloads/dt=2025-06-02/{APP}.parquet"
    assert parts(pipeline)[key] == before[key]


def test_dates_between_the_window_and_an_older_date_that_is_corrected_are_not_skipped(pipeline: Pipeline) -> None:
    series = Series(APP, DOWNLOADS, Granularity.DAILY)
    pipeline.world.restate(series, date(2025, 5, 20))
    pipeline.world.skip_date(series, date(2025, 6, 1))
    (item,) = planned(pipeline)
    pipeline.download(item)
    pipeline.convert(item)
    assert f"parts/downloads/dt=2025-05-20/{APP}.parquet" in parts(pipeline)
    assert pipeline.record(item).facts["skipped_dates"] == ["2025-06-01"]


def test_a_snapshot_names_the_newest_skipped_dates_that_were_asked_for(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"history_start": date(2025, 4, 1), "rows_per_date": 1})
    skipped = [date(2025, 4, 2) + timedelta(days=number) for number in range(50)]

    def kept(days: tuple[date, ...]) -> tuple[date, ...]:
        return tuple(day for day in days if day not in skipped)

    plan = pipeline.backfill(date(2025, 4, 10), date(2025, 5, 30))
    pipeline.run(plan, MapName.REGISTER)
    pipeline.world.advance(1)
    with patch("local.apple.world.dates_of_snapshot", lambda *of: kept(dates_of(*of))):
        pipeline.run(plan, MapName.REGISTER, MapName.LAND)
    (item,) = pipeline.land_items(plan)
    facts = pipeline.record(item).facts
    asked = [str(day) for day in skipped if day >= date(2025, 4, 10)]
    assert (facts["dates_skipped"], facts["skipped_dates"]) == (len(asked), asked[-31:])


def test_of_a_snapshot_only_dates_that_were_asked_for_and_complete_are_kept(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"history_start": date(2025, 5, 20)})
    plan = pipeline.backfill(date(2025, 5, 28), date(2025, 6, 2))
    pipeline.run(plan, MapName.REGISTER)
    pipeline.world.advance(1)
    pipeline.run(plan, MapName.REGISTER, MapName.LAND)
    kept = [date(2025, 5, 28), date(2025, 5, 29), date(2025, 5, 30), date(2025, 5, 31)]  # two days to be complete
    assert dirty(pipeline) == kept
    (item,) = pipeline.land_items(plan)
    assert pipeline.record(item).facts["rows_dropped"] > 0
    assert pipeline.instance(item).converted_dates == {"2025-05-28/2025-06-02"}


def test_a_snapshot_of_unknown_age_speaks_for_no_date_that_may_be_half_filled(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"history_start": date(2025, 5, 20)})
    pipeline.world.create_request(APP, AccessType.ONE_TIME_SNAPSHOT)
    pipeline.world.advance(3)
    plan = pipeline.backfill(date(2025, 5, 30), date(2025, 6, 5))
    pipeline.run(plan, MapName.REGISTER, MapName.LAND)
    assert dirty(pipeline) == [date(2025, 5, 30), date(2025, 5, 31)]


def test_at_equal_processing_dates_the_daily_feed_beats_the_snapshot(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"history_start": date(2025, 5, 20)})
    backfill = pipeline.backfill(date(2025, 5, 30), date(2025, 6, 2))
    for plan in (backfill, pipeline.plan()):
        pipeline.run(plan, MapName.REGISTER)
    pipeline.world.advance(1)
    for plan in (pipeline.plan(), backfill):
        pipeline.run(plan, MapName.REGISTER, MapName.LAND)
    stored = pipeline.lake.head(TableDate("downloads", date(2025, 5, 31)).part_key(APP))
    assert stored is not None
    assert batch_of_part(stored, int(APP)).vintage.access_type == "ONGOING"


def rewritten(pipeline: Pipeline, item: LandItem, change: Callable[[bytes, bytes], bytes]) -> None:
    """The item's raw file with other rows below its header."""
    (segment,) = pipeline.instance(item).segments
    header, _, rows = gzip.decompress(pipeline.raw.read(segment.key) or b"").partition(b"\n")
    pipeline.raw.write(segment.key, gzip.compress(change(header + b"\n", rows)), content_type="application/gzip")


def test_dates_whose_every_row_is_repeated_are_told_everywhere_and_kept(pipeline: Pipeline) -> None:
    plan = pipeline.plan()
    pipeline.run(plan, MapName.REGISTER)
    pipeline.world.advance(1)
    plan = pipeline.plan()
    pipeline.run(plan, MapName.REGISTER)
    (item,) = pipeline.land_items(plan)
    pipeline.download(item)
    rewritten(pipeline, item, lambda header, rows: header + rows * 2)
    pipeline.run(plan, MapName.LAND, MapName.PUBLISH, MapName.VERIFY)
    assert pipeline.summarize(plan) == {"status": "SUCCEEDED", "cause": ""}
    facts, report = pipeline.record(item).facts, pipeline.report()
    assert facts["rows_raw"] == facts["rows_curated"] == 2 * facts["rows_repeated"] > 0
    assert facts["repeated_dates"] == [day.isoformat() for day in DAYS]
    assert report["repeated_dates"] == {"downloads": {APP: [day.isoformat() for day in DAYS]}}
    assert (report["dates_repeated"], report["rows_repeated"]) == (3, facts["rows_repeated"])
    (notice,) = report["notices"]
    assert notice.startswith(f"App {APP} ({pipeline.world.apps[APP].name}), downloads: every row of 2025-05-31, ")
    assert "2025-06-01, 2025-06-02 occurs more than once" in notice
    assert pipeline.metrics[Metric.DATES_REPEATED] == 3
    (key,) = pipeline.bytes_of("appstore/instances/")
    row = json.loads(pipeline.lake.read(key) or b"")
    assert (row["dates_repeated"], row["rows_repeated"], len(row["repeated_dates"])) == (3, facts["rows_repeated"], 3)


def test_segments_of_the_same_bytes_are_counted_where_they_have_rows(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"segments_per_instance": 2})
    (item,) = planned(pipeline)
    pipeline.download(item)
    instance = pipeline.instance(item)
    first, second = instance.segments
    twin = replace(second, checksum=first.checksum, size_bytes=first.size_bytes)
    body = pipeline.raw.read(first.key) or b""
    header = gzip.compress(gzip.decompress(body).partition(b"\n")[0])
    for content, repeated in ((body, 1), (header, 0)):
        for segment in (first, second):
            pipeline.raw.write(segment.key, content, content_type="application/gzip")
        with patch.object(Instances, "get", return_value=replace(instance, segments=(first, twin))):
            pipeline.convert(item)
        assert pipeline.record(item).facts["segments_repeated"] == repeated

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from appstore_analytics.contract.catalogue.definition import AccessType
from benchmarks.conversion import alone as conversion_alone
from benchmarks.conversion.alone import Alone
from benchmarks.measuring.timeline import MapTime, Timeline
from benchmarks.samples.data import APP_ID, LAST_DATE
from benchmarks.samples.workload import SEED, SegmentFile, files_of, scaled_down
from benchmarks.seed import SeedRun, figures_of, tables_of, world_of
from local.apple.publication import window_days


def test_the_workload_is_the_seeds() -> None:
    files = files_of(SEED)
    counted = Counter(file.table_name for file in files)
    rows = Counter[str]()
    for file in files:
        rows[file.table_name] += file.rows
    assert (len(files), rows.total()) == (221, 15_367_527)
    assert {share.table_name: (share.files, share.rows) for share in SEED} == {
        name: (counted[name], rows[name]) for name in counted
    }
    assert [file.rows for file in files] == sorted((file.rows for file in files), reverse=True)
    assert files[-1].rows > 0


def test_an_instance_of_the_workload_holds_the_dates_that_apples_window_has() -> None:
    for file in files_of(SEED):
        assert file.dates == window_days(file.table.report, None)


def test_the_quick_workload_has_the_same_reports() -> None:
    shares = scaled_down(SEED, files=10, rows=20)
    assert [share.table_name for share in shares] == [share.table_name for share in SEED]
    assert sum(share.rows for share in shares) == pytest.approx(15_367_527 / 20, abs=len(SEED))
    assert len(files_of(shares)) == 25


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SegmentFile:
    monkeypatch.setattr("benchmarks.samples.data.DATA", tmp_path)
    monkeypatch.setattr(conversion_alone, "BUILD", tmp_path)
    return SegmentFile("performance", APP_ID + 1, rows=300, dates=2)


def test_conversion_alone_converts_every_row(file: SegmentFile) -> None:
    converted = conversion_alone._convert(file)
    assert converted.rows == file.rows
    assert converted.cpu_seconds > 0


def test_the_simulated_apple_has_exactly_the_files_of_the_workload(file: SegmentFile) -> None:
    world = world_of([file])
    requests = [world.create_request(app_id, AccessType.ONGOING) for app_id in world.apps]
    world.advance()
    listed = [each for request in requests for each in world.listed_instances(request, file.table.report)]
    assert [(each.series.app_id, each.processing_date, len(each.dates)) for each in listed] == [
        (str(file.app_id), LAST_DATE + timedelta(days=1), file.dates)
    ]
    assert world.file_of(listed[0]) == file.path


def test_where_the_time_went_adds_up_to_the_whole_run(file: SegmentFile) -> None:
    land = MapTime("Land", 4, 2, 10.0, {"DownloadSegments": 4.0, "ConvertInstance": 14.0})
    left = MapTime("LandPatiently", 1, 1, 2.0, {"ConvertInstancePatiently": 2.0})
    publish = MapTime("Publish", 1, 1, 3.0, {"PublishDate": 3.0})
    cpu = {"convert-instance": 6.0, "plan-items": 0.5, "embedded AWS": 2.0, "simulated App Store Connect": 1.0}
    run = SeedRun(cpu, Timeline(17.0, {"PlanRun": 1.0}, (land, left, publish)))
    quick, slow = (replace(run, timeline=replace(run.timeline, seconds=seconds)) for seconds in (1.0, 100.0))
    alone = (Alone(4.0, 3.0, 1.0, 0.2), Alone(6.0, 7.0, 2.0, 0.8))
    figures = figures_of([file], 2, alone, (slow, run, quick))
    assert {room: spent["seconds"] for room, spent in figures["rooms"].items() if spent["seconds"]} == {
        "Apple": 2.0,
        "convert": 9.0,
        "publish": 3.0,
        "orchestration": 3.0,  # planning, pauses between tasks, and idle lanes
    }
    assert {room: spent["cpu_seconds"] for room, spent in figures["rooms"].items() if spent["cpu_seconds"]} == {
        "Apple": 1.0,
        "convert": 6.0,
        "orchestration": 0.5,
        "embedded AWS": 2.0,
    }
    assert (figures["wall_ratio"], figures["cpu_ratio"]) == (17.0 / 5.0, 9.5 / 5.0)
    assert figures["with_start"] == {"wall_ratio": 17.0 / 5.5, "cpu_ratio": 9.5 / 6.5}
    assert figures["rows_per_second"] == 300 / 17.0
    summary, where = tables_of(figures)
    assert [row[0] for row in summary.rows] == [
        "the pipeline",
        "conversion alone",
        "ratio",
        "conversion alone, with its start",
        "ratio",
    ]
    assert where.note.splitlines()[0].count("c") == 32  # of 60

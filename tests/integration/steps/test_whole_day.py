import json
from collections.abc import Callable
from datetime import date

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.metrics import Metric
from local.apple.model import Series
from local.apple.truth import newest_vintages
from tests.integration.pipeline_in_process import CRASHES, DOWNLOADS, Pipeline


def truth(pipeline: Pipeline, report: str, granularity: Granularity = Granularity.DAILY) -> dict[object, object]:
    batches = newest_vintages(pipeline.world, report, granularity)
    return {(batch.app_id, batch.date): (batch.rows, batch.sums) for batch in batches}


def test_day_after_day_the_lake_holds_what_apple_says(start: Callable[..., Pipeline]) -> None:
    pipeline = start(
        {"apps": 2, "segments_per_instance": None},
        reports=(DOWNLOADS, CRASHES),
        granularities=(Granularity.DAILY, Granularity.WEEKLY),
    )
    assert pipeline.daily()["status"] == "SUCCEEDED"
    pipeline.world.advance(2)
    assert pipeline.daily()["status"] == "SUCCEEDED"
    pipeline.world.restate(Series("1000000001", DOWNLOADS, Granularity.DAILY), date(2025, 6, 1))
    pipeline.world.advance(3)
    assert pipeline.daily()["status"] == "SUCCEEDED"
    assert pipeline.batches("downloads") == truth(pipeline, DOWNLOADS)
    assert pipeline.batches("crashes") == truth(pipeline, CRASHES)
    assert pipeline.batches("crashes_weekly") == truth(pipeline, CRASHES, Granularity.WEEKLY)
    assert pipeline.metrics[Metric.APPS_VERIFIED] == 2
    assert pipeline.registry.statistics.totals()["requests_created"] == 2


def test_a_second_run_on_the_same_day_changes_no_byte(pipeline: Pipeline) -> None:
    pipeline.daily()
    pipeline.world.advance(2)
    pipeline.daily()
    before = [(stored.key, stored.etag) for stored in pipeline.lake.list("curated/")]
    downloads = pipeline.count("GET /segments/{instance}/{segment}")
    answer = pipeline.daily()
    assert before
    assert [(stored.key, stored.etag) for stored in pipeline.lake.list("curated/")] == before
    assert pipeline.count("GET /segments/{instance}/{segment}") == downloads
    assert answer["status"] == "SUCCEEDED"


def test_one_forbidden_app_fails_the_run_by_name_and_stops_no_other(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"apps": 3})
    pipeline.daily()
    pipeline.world.advance(2)
    pipeline.world.forbidden_app_ids.add("1000000002")
    answer = pipeline.daily()
    assert answer["status"] == "FAILED"
    assert f"1 of 3 apps failed: 1000000002 ({pipeline.world.apps['1000000002'].name}, forbidden)" in answer["cause"]
    assert {app for app, _ in pipeline.batches("downloads")} == {"1000000001", "1000000003"}


def test_a_backfill_and_the_daily_feed_end_in_the_truth(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"history_start": date(2025, 5, 20)})
    pipeline.daily()
    pipeline.world.advance(1)
    plan = pipeline.backfill(date(2025, 5, 1), date(2025, 6, 3))
    pipeline.run(plan)
    pipeline.world.advance(2)
    pipeline.run(plan)
    answer = pipeline.summarize(plan)
    assert answer["status"] == "SUCCEEDED"
    assert pipeline.daily()["status"] == "SUCCEEDED"
    assert pipeline.batches("downloads") == truth(pipeline, DOWNLOADS)
    (report,) = [
        pipeline.lake.read(each.key)
        for each in pipeline.lake.list("reports/production_backfill")
        if each.key.endswith(".json")
    ]
    assert json.loads(report or b"")["apps_by_verdict"] == {"verified": ["1000000001"]}

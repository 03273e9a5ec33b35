"""The summary of a run: its report, its page, the list of runs and the appstore tables."""

from collections.abc import Callable
from datetime import date, timedelta

from appstore_analytics.contract.metrics import Metric
from appstore_analytics.contract.tables import APPSTORE_TABLES
from appstore_analytics.report.index import entries_of
from local.apple import FaultKind
from tests.integration.pipeline_in_process import APP, Pipeline
from tests.integration.steps.written_reports import appstore_rows, page, report

METRICS_OF_A_RUN = {
    Metric.APPS_VERIFIED,
    Metric.APPS_NOT_READY,
    Metric.APPS_FAILED,
    Metric.INSTANCES_QUARANTINED,
    Metric.TABLES_MISMATCHED,
    Metric.DATES_REPEATED,
    Metric.ROWS_PUBLISHED,
    Metric.APPLE_CALLS,
}


def test_the_report_of_a_good_day_says_what_it_did(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"apps": 2})
    pipeline.daily()
    pipeline.world.advance(1)
    plan = pipeline.plan()
    pipeline.run(plan)
    assert pipeline.summarize(plan) == {"status": "SUCCEEDED", "cause": ""}
    body = report(pipeline)
    rows = sum(count for count, _ in pipeline.batches("downloads").values())
    assert body["rows_raw"] == body["rows_curated"] == body["rows_athena"] == rows > 0
    assert body["apps_by_verdict"] == {"verified": ["1000000001", "1000000002"]}
    assert (body["duplicates_prevented"], body["requests_created"]) == (2, 0)
    assert (body["instances"], body["segments"], body["dates_published"], body["parts_written"]) == (2, 2, 3, 6)
    assert body["apple_calls"] == 2 * (1 + 1 + 1)  # a list of reports, of instances and of segments
    assert set(pipeline.metrics) == METRICS_OF_A_RUN
    assert pipeline.metrics[Metric.ROWS_PUBLISHED] == rows
    assert pipeline.metrics[Metric.APPS_VERIFIED] == 2


def test_every_appstore_table_gets_rows_with_its_columns(pipeline: Pipeline) -> None:
    pipeline.daily()
    pipeline.world.advance(1)
    plan = pipeline.plan()
    pipeline.run(plan)
    pipeline.summarize(plan)
    rows = appstore_rows(pipeline, plan)
    for table in APPSTORE_TABLES:
        if table.name in ("freshness", "releases", "restatements"):
            continue  # of the hourly check, of list_releases, and of a day on which Apple corrects what was final
        assert rows[table.name], table.name
        for row in rows[table.name]:
            assert {name for name, _ in table.columns} <= set(row), table.name
    (request,) = rows["report_requests"]
    assert (request["access_type"], request["requested_on"]) == ("ONGOING", "2025-06-02")
    (instance,) = rows["instances"]
    assert (instance["table_name"], instance["processing_date"]) == ("downloads", "2025-06-03")
    assert instance["verdict"] == "converted"


def test_a_second_summary_writes_the_same_objects(pipeline: Pipeline) -> None:
    plan = pipeline.plan()
    pipeline.run(plan)
    pipeline.summarize(plan)
    before = [(stored.key, stored.etag) for stored in pipeline.lake.list("")]
    pipeline.summarize(plan)
    assert [(stored.key, stored.etag) for stored in pipeline.lake.list("")] == before


def test_the_page_of_a_run_charts_what_stands_in_the_lake(pipeline: Pipeline) -> None:
    pipeline.daily()
    assert "<rect" not in page(pipeline)
    pipeline.world.advance(1)
    pipeline.daily()
    pipeline.world.advance(1)
    plan = pipeline.plan()
    pipeline.run(plan)
    pipeline.summarize(plan)
    counted = pipeline.athena.rows(
        "SELECT dt, SUM(counts) FILTER (WHERE lower(download_type) IN ('first-time download', 'redownload')) "
        'FROM "downloads" GROUP BY dt',
        "curated",
    )
    sums = {date.fromisoformat(str(day)): int(count or 0) for day, count in counted}
    shown = page(pipeline)
    final = [day for day in sums if day + timedelta(days=2) <= pipeline.world.today]  # by Apple's rule for downloads
    bars = {day: f"{count:,} on {day:%A} {day}{'' if day in final else ', preliminary'}" for day, count in sums.items()}
    assert 0 < len(final) < len(bars)
    assert [bar for bar in bars.values() if f"<title>{bar}</title>" not in shown] == []
    assert f"<b>Total downloads: </b><span>{bars[max(final)]}</span>" in shown
    ledger = appstore_rows(pipeline, plan)["batches"]
    replaced = {row["date"] for row in ledger if row["replaced_rows"] is not None}
    assert shown.count('class="restated') == len(replaced) + 2 > 2, "and the two fills of preliminary Dates"


def test_kpis_that_are_not_built_are_told_and_not_drawn(pipeline: Pipeline) -> None:
    pipeline.daily()
    for _ in range(2):
        pipeline.world.advance(1)
        pipeline.daily()
    *older, newest = pipeline.lake.list("marts/kpis/")
    for gone, told in ((older, f"KPIs not built yet for {len(older)} Date"), ([newest], "")):
        for stored in gone:
            assert pipeline.lake.remove(stored.key, expected=stored.etag)
        pipeline.summarize(pipeline.plan())
        assert told in page(pipeline)
        assert ("<figure>" in page(pipeline)) == bool(told)


def test_every_run_is_in_the_list_of_runs_which_leads_to_its_page(pipeline: Pipeline) -> None:
    pipeline.daily()
    pipeline.world.advance(1)
    pipeline.fault(FaultKind.SHORT_ROW, "/segments$")
    failed = pipeline.daily()
    newest, first = entries_of(pipeline.lake.read("reports/index.html") or b"")
    assert [(newest.has_failed, newest.as_of), (first.has_failed, first.as_of)] == [
        (True, "2025-06-03"),
        (False, "2025-06-02"),
    ]
    assert failed["cause"].startswith(newest.cause)
    assert all(pipeline.lake.head(f"reports/{each.page}") for each in (newest, first))
    assert 'href="index.html"' in page(pipeline)


def test_a_first_day_without_data_is_no_failure(pipeline: Pipeline) -> None:
    assert pipeline.daily() == {"status": "SUCCEEDED", "cause": ""}
    assert report(pipeline)["apps_by_verdict"] == {"not ready": [APP]}
    assert pipeline.metrics[Metric.APPS_NOT_READY] == 1


def test_a_child_that_died_silently_fails_the_run(pipeline: Pipeline) -> None:
    plan = pipeline.plan()
    pipeline.item(plan)  # planned, and never finished
    answer = pipeline.summarize(plan)
    assert answer["status"] == "FAILED"
    assert f"1 of 1 apps failed: {APP} ({pipeline.world.apps[APP].name}, failed)." in answer["cause"]
    (app,) = appstore_rows(pipeline, plan)["apps"]
    assert "without a record" in app["reason"]


def test_what_ended_a_map_as_a_whole_fails_the_run(pipeline: Pipeline) -> None:
    plan = pipeline.plan()
    answer = pipeline.summarize(plan, "States.DataLimitExceeded: too much")
    assert answer["status"] == "FAILED"
    assert "States.DataLimitExceeded" in answer["cause"]
    assert report(pipeline)["errors"][0]["item"] == "execution"


def test_a_quarantined_file_is_red_named_and_counted(pipeline: Pipeline) -> None:
    pipeline.daily()
    pipeline.world.advance(1)
    pipeline.fault(FaultKind.SHORT_ROW, "/segments$")
    answer = pipeline.daily()
    assert f"{APP} ({pipeline.world.apps[APP].name}, quarantined)" in answer["cause"]
    assert pipeline.metrics[Metric.INSTANCES_QUARANTINED] == 1
    assert report(pipeline)["errors"][0]["verdict"] == "quarantined"


def test_unknown_columns_are_reported(pipeline: Pipeline) -> None:
    pipeline.daily()
    pipeline.world.advance(1)
    pipeline.fault(FaultKind.HEADER_ADDED, "/segments$")
    assert pipeline.daily()["status"] == "SUCCEEDED"
    assert list(report(pipeline)["unknown_columns"]) == ["downloads"]

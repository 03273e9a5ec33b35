"""An account with a concurrency of one function: thirty items of Land, processed in four lanes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from appstore_analytics.answers.executions import Execution
from appstore_analytics.contract.catalogue import CORE_REPORT_NAMES
from benchmarks.measuring.timeline import read_timeline
from local.apple.model import WorldSettings
from local.apple.server import SimulatedApple
from local.apple.truth import newest_vintages
from local.apple.world import World
from local.aws.server import EmbeddedAws
from local.load.run import deploy_pipeline

APPS, REPORTS = 15, 2


@pytest.fixture(scope="module")
def throttled() -> Iterator[tuple[World, EmbeddedAws, list[Execution], str]]:
    today = datetime.now(UTC).date()
    settings = WorldSettings(
        today=today - timedelta(days=1), apps=APPS, rows_per_date=2, dates_per_instance=1, segments_per_instance=1
    )
    with SimulatedApple(World(settings)) as apple, EmbeddedAws(concurrent_functions=1) as aws:
        pipeline = deploy_pipeline(aws, apple, CORE_REPORT_NAMES[:REPORTS], 3500, lambda *_: None)
        runs = [pipeline.run("registers", {"operation": "daily", "as_of": (today - timedelta(days=1)).isoformat()})]
        apple.world.move_to(today)
        runs.append(pipeline.run("lands", {"operation": "daily", "as_of": today.isoformat()}))
        yield apple.world, aws, runs, pipeline.execution_arn("lands")


def test_every_app_is_verified_although_most_calls_were_throttled(
    throttled: tuple[World, EmbeddedAws, list[Execution], str],
) -> None:
    world, _, runs, _ = throttled
    report = runs[-1].report
    assert report is not None
    assert [run.status for run in runs] == ["SUCCEEDED", "SUCCEEDED"]
    assert {verdict: len(apps) for verdict, apps in report["apps_by_verdict"].items()} == {"verified": APPS}
    at_apple = sum(batch.rows for name in CORE_REPORT_NAMES[:REPORTS] for batch in newest_vintages(world, name))
    assert report["rows_athena"] == report["rows_raw"] == at_apple > 0
    assert report["requests_created"] == 0


def test_all_items_were_in_batches_and_nothing_failed_but_throttled_calls(
    throttled: tuple[World, EmbeddedAws, list[Execution], str],
) -> None:
    _, aws, _, arn = throttled
    maps = {run.name: run.items for run in read_timeline(aws.client("stepfunctions"), arn).maps}
    assert maps["Land"] == APPS * REPORTS
    client = aws.client("stepfunctions")
    events = client.get_execution_history(executionArn=arn)["events"]
    runs = client.list_map_runs(executionArn=arn)["mapRuns"]
    children = [child for run in runs for child in client.list_executions(mapRunArn=run["mapRunArn"])["executions"]]
    histories = [client.get_execution_history(executionArn=child["executionArn"])["events"] for child in children]
    errors = [
        event["taskFailedEventDetails"]["error"]
        for history in [events, *histories]
        for event in history
        if event["type"] == "TaskFailed"
    ]
    assert set(errors) == {"Lambda.TooManyRequestsException"}

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from appstore_analytics.contract.errors import QueryFailed
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.tables import APPSTORE_TABLES
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.steps.summarize_run import summarize_run
from local.apple import FaultKind
from tests.integration.pipeline_in_process import APP, Pipeline

SESSIONS = "App Sessions Standard"
VERSIONS = "GET /v1/apps/{id}/appStoreVersions"
ROUTE = r"/appStoreVersions$"
DAY = timedelta(days=1)


@pytest.fixture
def pipeline(start: Callable[..., Pipeline]) -> Pipeline:
    return start({"apps": 2, "rows_per_date": 30}, reports=(SESSIONS,))


def run(pipeline: Pipeline) -> RunPlan:
    """A daily run with its releases and its report."""
    plan = pipeline.plan()
    pipeline.run(plan)
    pipeline.releases(plan)
    pipeline.summarize(plan)
    return plan


def next_day(pipeline: Pipeline, days: int = 1) -> RunPlan:
    pipeline.world.advance(days)
    return run(pipeline)


def rows(pipeline: Pipeline, plan: RunPlan) -> list[dict[str, Any]]:
    body = pipeline.lake.read(f"appstore/releases/dt={plan.started_at.date()}/{plan.run_id}.jsonl") or b""
    return [json.loads(line) for line in body.splitlines()]


def test_the_versions_of_every_app_are_asked_for_once_a_day_with_one_call_each(pipeline: Pipeline) -> None:
    first = run(pipeline)
    assert pipeline.count(VERSIONS) == 2
    again = run(pipeline)
    assert pipeline.count(VERSIONS) == 2
    assert len(rows(pipeline, first)) == 8
    assert rows(pipeline, again) == []
    next_day(pipeline)
    assert pipeline.count(VERSIONS) == 4


def test_the_calls_are_counted_in_the_budget_and_in_the_report(pipeline: Pipeline) -> None:
    plan = pipeline.plan()
    pipeline.run(plan)
    used = pipeline.registry.call_budget("main").balance().used
    assert pipeline.releases(plan) == {"apps": 2, "releases": 8}
    assert pipeline.registry.call_budget("main").balance().used == used + 2
    pipeline.summarize(plan)
    assert pipeline.report()["apple_calls"] == used + 2


def test_a_row_has_the_columns_of_the_table(pipeline: Pipeline) -> None:
    (table,) = [table for table in APPSTORE_TABLES if table.name == "releases"]
    found = rows(pipeline, run(pipeline))
    assert {tuple(row) for row in found} == {tuple(name for name, _ in table.columns)}
    assert {(row["version"], row["released_on"]) for row in found if row["app_id"] == int(APP)} == {
        (version, None) for version in ("4.2.0", "4.1.3", "4.0", "3.9.12")
    }


def test_a_new_version_was_released_on_the_first_day_that_sees_it_on_sale(pipeline: Pipeline) -> None:
    run(pipeline)
    pipeline.world.advance(1)
    pipeline.world.release_version(APP, "5.0")
    plan = run(pipeline)
    (row,) = rows(pipeline, plan)
    assert (row["app_id"], row["version"], row["is_inferred"]) == (int(APP), "5.0", False)
    assert (row["released_on"], row["not_before"]) == (
        pipeline.world.today.isoformat(),
        (pipeline.world.today - DAY).isoformat(),
    )
    assert rows(pipeline, next_day(pipeline)) == []


def test_a_version_that_came_and_went_between_two_looks_is_inferred_from_the_sessions(pipeline: Pipeline) -> None:
    run(pipeline)
    next_day(pipeline, 8)
    released_on = pipeline.world.today + DAY
    pipeline.world.advance(1)
    pipeline.world.release_version(APP, "5.0")
    for _ in range(3):  # runs in which Apple forbids the versions
        pipeline.fault(FaultKind.STATUS, ROUTE, status=403, app_id=APP)
        run(pipeline)
        pipeline.world.advance(1)
    pipeline.world.release_version(APP, "5.1")
    plan = next_day(pipeline, 5)
    found = {row["version"]: row for row in rows(pipeline, plan)}
    assert (found["5.0"]["released_on"], found["5.0"]["is_inferred"]) == (released_on.isoformat(), True)
    assert (found["5.1"]["released_on"], found["5.1"]["is_inferred"]) == (plan.as_of.isoformat(), False)


def test_sessions_that_a_backfill_brings_tell_of_versions_that_were_there_before_us(pipeline: Pipeline) -> None:
    pipeline.world.release_version(APP, "5.0")
    released_on = pipeline.world.today
    pipeline.world.advance(40)
    first = run(pipeline)
    next_day(pipeline)
    next_day(pipeline)
    assert {row["released_on"] for row in rows(pipeline, first)} == {None}
    plan = pipeline.backfill(released_on - DAY * 20, released_on + DAY * 20)
    pipeline.run(plan, MapName.REGISTER)
    pipeline.world.advance(1)
    plan = pipeline.backfill(released_on - DAY * 20, released_on + DAY * 20)
    pipeline.run(plan)
    pipeline.releases(plan)
    (row,) = [row for row in rows(pipeline, plan) if row["version"] == "5.0"]
    assert (row["released_on"], row["is_inferred"]) == (released_on.isoformat(), True)
    assert pipeline.count(VERSIONS) == 6, "a backfill asks Apple for none"


def test_sessions_are_not_asked_again_each_day(pipeline: Pipeline) -> None:
    run(pipeline)
    next_day(pipeline, 3)
    asked = [sql for sql in pipeline.athena.queries if "app_version" in sql]
    assert len(asked) == 1
    next_day(pipeline)
    assert [sql for sql in pipeline.athena.queries if "app_version" in sql] == asked


def test_a_403_is_one_notice_and_fails_no_run(pipeline: Pipeline) -> None:
    pipeline.fault(FaultKind.STATUS, ROUTE, status=403, times=None)
    run(pipeline)
    report = pipeline.report()
    assert report["status"] == "SUCCEEDED"
    (notice,) = [notice for notice in report["notices"] if notice.startswith("Releases of ")]
    assert notice.startswith(f"Releases of {APP} (Harbor Notes), 1000000002 (Maple Notes) could not be read: The API ")
    assert notice.endswith('Nothing else depends on them; "releases": false in cdk.json turns them off.')
    assert [*pipeline.lake.list("appstore/releases/")] == []


def test_after_three_refusals_in_a_row_the_other_apps_wait_for_the_next_run(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"apps": 5}, reports=(SESSIONS,))
    pipeline.fault(FaultKind.STATUS, ROUTE, status=403, times=None)
    run(pipeline)
    assert pipeline.count(VERSIONS) == 3
    (notice,) = [notice for notice in pipeline.report()["notices"] if notice.startswith("Releases of ")]
    assert "and 2 apps were left to the next run" in notice
    pipeline.world.faults.clear()
    next_day(pipeline)
    assert pipeline.count(VERSIONS) == 8


def test_an_app_that_was_refused_at_first_is_looked_at_for_the_first_time_later(pipeline: Pipeline) -> None:
    pipeline.fault(FaultKind.STATUS, ROUTE, status=403, app_id=APP)
    run(pipeline)
    found = rows(pipeline, next_day(pipeline))
    assert {(row["app_id"], row["released_on"], row["not_before"]) for row in found} == {(int(APP), None, None)}


def test_without_calls_left_the_apps_are_asked_by_the_next_run(pipeline: Pipeline) -> None:
    pipeline.fault(FaultKind.STATUS, ROUTE, status=429, times=1)
    run(pipeline)
    assert pipeline.count(VERSIONS) == 1
    report = pipeline.report()
    assert report["status"] == "SUCCEEDED"
    assert [notice for notice in report["notices"] if "2 apps were left to the next run" in notice]
    next_day(pipeline)
    assert pipeline.count(VERSIONS) == 3


def test_what_takes_too_long_is_left_to_the_next_run(pipeline: Pipeline) -> None:
    with patch("appstore_analytics.steps.list_releases.LISTS_FOR_SECONDS", -1):
        run(pipeline)
    assert pipeline.count(VERSIONS) == 0
    (notice,) = [notice for notice in pipeline.report()["notices"] if notice.startswith("Releases of ")]
    assert "of all apps of account 'main' could not be read, and 2 apps were left to the next run: Apple" in notice


def test_a_second_call_of_the_step_writes_the_same_rows(pipeline: Pipeline) -> None:
    plan = run(pipeline)
    before = pipeline.bytes_of("appstore/releases/")
    assert before
    pipeline.releases(plan)
    assert pipeline.bytes_of("appstore/releases/") == before
    assert pipeline.count(VERSIONS) == 2


def test_a_query_that_fails_is_a_notice_and_is_asked_again(pipeline: Pipeline) -> None:
    run(pipeline)
    pipeline.world.advance(3)
    plan = pipeline.plan()
    pipeline.run(plan)

    def fail() -> None:
        raise QueryFailed("An Athena query failed: no reason.")

    pipeline.athena.before_answer.append(fail)
    pipeline.releases(plan)
    pipeline.summarize(plan)
    assert (
        "Release dates could not be inferred from sessions: An Athena query failed: no reason."
        in (pipeline.report()["notices"])
    )
    pipeline.releases(plan)
    assert len([sql for sql in pipeline.athena.queries if "app_version" in sql]) == 2


def test_a_step_that_died_is_a_notice(pipeline: Pipeline) -> None:
    plan = pipeline.plan()
    pipeline.run(plan)
    left_out = ["Releases were not read: out of memory"]
    ended = summarize_run(
        plan.run_id, "", pipeline.registry, pipeline.lake, pipeline.metrics.__setitem__, pipeline.clock.now, left_out
    )
    assert (ended["status"], pipeline.report()["notices"]) == ("SUCCEEDED", left_out)

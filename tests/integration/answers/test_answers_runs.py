"""Finding a run by its id, and the progress of a run."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from asking import days

from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.executions import Pipeline as Installed
from appstore_analytics.answers.executions import Snapshot
from appstore_analytics.answers.pages import Page
from appstore_analytics.answers.run_details import show_run
from appstore_analytics.answers.run_grid import ItemsQuestion, run_items
from appstore_analytics.answers.runs import find_execution, find_report, list_runs
from appstore_analytics.contract.layout import report_key
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.contract.waits import WaitFor
from appstore_analytics.model.items import RegisterItem
from tests.integration.pipeline_in_process import APP, Pipeline

OTHER = "1000000002"
THIRD = "1000000003"


class StepFunctions:
    """Executions of these names, a second apart, newest first."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def get_paginator(self, _: str) -> "StepFunctions":
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        yield {"executions": [self.execution(number) for number in range(len(self.names))]}

    def execution(self, number: int) -> dict[str, Any]:
        started = datetime(2026, 11, 23, 10, 0, len(self.names) - number, tzinfo=UTC)
        return {
            "executionArn": f"arn:{number}",
            "name": self.names[number],
            "startDate": started,
            "status": "FAILED",
        }

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803 (boto3's)
        return self.execution(int(executionArn.removeprefix("arn:")))


def installed(pipeline: Pipeline, *names: str) -> Installed:
    return Installed(StepFunctions(*names), "arn", pipeline.registry, pipeline.lake)


def test_the_beginning_of_several_ids_lists_them(pipeline: Pipeline) -> None:
    here = installed(pipeline, "noon", "morning")
    with pytest.raises(Refused) as refused:
        show_run(here, "2026", None)
    assert str(refused.value) == (
        "2 runs begin with '2026'; give one of these ids: 20261123T100002000Z-noon, 20261123T100001000Z-morning."
    )
    assert show_run(here, "20261123T100001", None).run_id == "20261123T100001000Z-morning"
    assert show_run(here, "newest", None).run_id == "20261123T100002000Z-noon"


def test_a_whole_id_is_never_ambiguous(pipeline: Pipeline) -> None:
    here = installed(pipeline, "a", "a-longer")
    here._step_functions.execution = lambda number: {  # type: ignore[method-assign]
        **StepFunctions("a", "a-longer").execution(number),
        "startDate": datetime(2026, 11, 23, 10, 0, 1, tzinfo=UTC),
    }
    found = find_execution(here, "20261123T100001000Z-a")
    assert found is not None
    assert found.name == "a"


def test_of_many_that_begin_so_the_newest_are_named(pipeline: Pipeline) -> None:
    with pytest.raises(Refused, match=r"^9 runs begin with '2026'; .*-n4 and 4 more\.$"):
        find_execution(installed(pipeline, *(f"n{number}" for number in range(9))), "2026")


def test_reports_that_begin_alike_are_listed_too(pipeline: Pipeline) -> None:
    days(pipeline, 1)
    days(pipeline, 1)
    ids = sorted((line.run_id for line in list_runs(installed(pipeline), 5).runs), reverse=True)
    assert len(ids) == 2
    with pytest.raises(Refused) as refused:
        find_report(pipeline.lake, "2025")
    assert str(refused.value) == f"2 runs begin with '2025'; give one of these ids: {', '.join(ids)}."
    found = find_report(pipeline.lake, ids[0])
    assert found is not None
    assert found[1]["run_id"] == ids[0]


def test_a_report_from_before_ids_stood_in_the_keys_is_found_by_its_run(pipeline: Pipeline) -> None:
    days(pipeline, 1)
    ((key, report),) = [found for found in [find_report(pipeline.lake, "newest")] if found]
    old = f"{report_key('daily', report['run_id'][:19])}"
    pipeline.lake.write(old, pipeline.lake.read(key) or b"", content_type="application/json")
    pipeline.lake._client.delete_object(Bucket=pipeline.lake.name, Key=key)
    for asked in (report["run_id"], report["run_id"][:16], "newest"):
        assert find_report(pipeline.lake, asked) == (old, report)
    assert find_report(pipeline.lake, f"{report['run_id']}-of-another") is None


# The progress of a run


def snapshot(pipeline: Pipeline, plan: Any) -> Snapshot:
    return installed(pipeline)._snapshot(plan)


def apps_of(moment: Snapshot) -> tuple[int, int, int, int]:
    assert moment.apps_done + moment.apps_running + moment.apps_failed == moment.apps
    return moment.apps, moment.apps_done, moment.apps_running, moment.apps_failed


def test_done_running_and_failed_apps_add_up_at_every_moment(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"apps": 3})
    pipeline.world.forbidden_app_ids = {THIRD}
    days(pipeline, 1)
    pipeline.world.advance(1)
    plan = pipeline.plan()
    assert apps_of(snapshot(pipeline, plan)) == (3, 0, 3, 0)  # nothing is planned yet
    registered = [RegisterItem(plan.run_id, "main", app_id) for app_id in (APP, OTHER, THIRD)]
    for item in registered:
        pipeline.registry.runs.plan(item)
    pipeline.registry.runs.finish(registered[0], Verdict.READY)
    pipeline.registry.runs.finish(registered[2], Verdict.FORBIDDEN)
    assert apps_of(snapshot(pipeline, plan)) == (3, 1, 1, 1)
    pipeline.run(plan)
    assert apps_of(snapshot(pipeline, plan)) == (3, 2, 0, 1)


def test_an_app_that_failed_in_one_report_is_not_done_as_well(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"apps": 2}, reports=("App Downloads Standard", "App Sessions Standard"))
    days(pipeline, 1)
    pipeline.world.advance(1)
    plan = pipeline.plan()
    pipeline.run(plan, MapName.REGISTER, MapName.LAND)
    land = next(item for item in pipeline.land_items(plan) if item.app_id == APP)
    pipeline.registry.runs.finish(land, Verdict.FAILED)
    assert apps_of(snapshot(pipeline, plan)) == (2, 1, 0, 1)


def test_a_reprocess_counts_the_apps_that_it_meets(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"apps": 3})
    days(pipeline, 2)
    plan = pipeline.plan(operation="reprocess", app_ids=[APP])
    assert apps_of(snapshot(pipeline, plan)) == (0, 0, 0, 0)
    pipeline.run(plan)
    assert apps_of(snapshot(pipeline, plan)) == (1, 1, 0, 0)


def test_a_run_under_way_says_what_it_waits_for_and_until_when(pipeline: Pipeline) -> None:
    here = installed(pipeline, "daily")
    running = {**StepFunctions("daily").execution(0), "status": "RUNNING"}
    here._step_functions.execution = lambda _: running  # type: ignore[method-assign]
    assert show_run(here, "newest", None).cause == ""
    run_id, until = "20261123T100001000Z-daily", datetime(2999, 1, 1, 11, 5, tzinfo=UTC)
    pipeline.registry.waits.note(run_id, WaitFor.APPLES_HOUR, until, datetime(2026, 11, 23, 10, 30, tzinfo=UTC))
    waits = "waits for Apple's hour until 2999-01-01 11:05 UTC"
    assert show_run(here, "newest", None).sentence == f"Under way: ./manage.py run {run_id} --follow. It {waits}."
    assert [line.cause for line in list_runs(here, 5).runs] == [waits]


def test_a_run_says_who_started_it_before_it_has_a_report_too(pipeline: Pipeline) -> None:
    here = installed(pipeline, "daily")
    refused = {**StepFunctions("daily").execution(0), "input": '{"operation": "weekly", "started_by": "schedule"}'}
    here._step_functions.execution = lambda _: refused  # type: ignore[method-assign]
    assert [line.started_by for line in list_runs(here, 5).runs] == ["schedule"]
    assert show_run(here, "newest", None).started_by == "schedule"


def test_a_run_that_has_just_begun_has_no_items_yet_and_a_limited_person_is_not_told_of_it(pipeline: Pipeline) -> None:
    here, question = installed(pipeline, "daily"), ItemsQuestion("", only_exceptions=True, page=Page(50, ""))
    found = run_items(here, "newest", question)
    assert (found.run_id, found.total, found.apps) == ("20261123T100001000Z-daily", 0, ())
    assert found.run_id == show_run(here, "newest", None).run_id
    with pytest.raises(Refused):
        run_items(here, "newest", question, frozenset({APP}))
    with pytest.raises(Refused):
        run_items(here, "20250101T000000000Z-nobody", question)


def test_a_report_of_a_version_that_did_not_ask_says_unknown(pipeline: Pipeline) -> None:
    pipeline.world.advance(1)
    plan = pipeline.plan(started_by="arn:aws:iam::123456789012:user/invented")
    pipeline.run(plan)
    pipeline.summarize(plan)
    here = installed(pipeline)
    assert show_run(here, plan.run_id, None).started_by == plan.started_by
    key, report = find_report(pipeline.lake, plan.run_id) or ("", {})
    pipeline.lake.write(key, json.dumps({k: v for k, v in report.items() if k != "started_by"}).encode())
    assert show_run(here, plan.run_id, None).started_by == "unknown"
    assert [line.started_by for line in list_runs(here, 5).runs] == ["unknown"]

"""Three days; the third is rolled back, so that Athena sees the second again; then its run is reprocessed from raw."""

from dataclasses import dataclass

import pytest
from deployed import DAY, Counted, Deployed, app, friday_of_the_scenarios, report_of, series

from appstore_analytics.answers.executions import Execution

APPS = (app(13), app(14))
THIRD_DAY = friday_of_the_scenarios() - DAY * 6
FIRST_DAY = THIRD_DAY - DAY * 2
TABLES = ("engagement", "purchases", "crashes_expanded_vintages")


@dataclass(frozen=True)
class Story:
    """The state after each run: rows and sums by table, and the curated objects by ETag."""

    second: dict[str, Counted]
    etags_of_second: dict[str, str]
    third: dict[str, Counted]
    etags_of_third: dict[str, str]
    rollback: Execution
    rolled_back: dict[str, Counted]
    etags_rolled_back: dict[str, str]
    reprocess: Execution
    etags_reprocessed: dict[str, str]
    reprocessed: dict[str, Counted]
    apple_calls: int


@pytest.fixture(scope="module")
def story(deployed: Deployed) -> Story:
    def counted() -> dict[str, Counted]:
        return {table: deployed.counted(table, APPS) for table in TABLES}

    deployed.begin(FIRST_DAY)
    deployed.daily("rollback-day-1", APPS)
    deployed.world.move_to(FIRST_DAY + DAY)
    deployed.daily("rollback-day-2", APPS)
    second, etags_of_second = counted(), deployed.etags()
    deployed.world.restate(series(APPS[0]), THIRD_DAY - DAY * 2)
    deployed.world.move_to(THIRD_DAY)
    run_id = report_of(deployed.daily("rollback-day-3", APPS))["run_id"]
    third, etags_of_third = counted(), deployed.etags()
    earlier = deployed.apple_calls()
    rollback = deployed.run("rollback", {"operation": "rollback", "run_id": run_id}, APPS)
    rolled_back, etags_rolled_back = counted(), deployed.etags()
    reprocess = deployed.run("reprocess", {"operation": "reprocess", "run_id": run_id}, APPS)
    return Story(
        second=second,
        etags_of_second=etags_of_second,
        third=third,
        etags_of_third=etags_of_third,
        rollback=rollback,
        rolled_back=rolled_back,
        etags_rolled_back=etags_rolled_back,
        reprocess=reprocess,
        etags_reprocessed=deployed.etags(),
        reprocessed=counted(),
        apple_calls=deployed.apple_calls() - earlier,
    )


def test_after_the_rollback_athena_and_every_object_are_as_they_were_the_day_before(story: Story) -> None:
    assert (story.rollback.status, story.rollback.cause) == ("SUCCEEDED", "")
    assert story.third != story.second
    assert story.rolled_back == story.second
    assert story.etags_rolled_back == story.etags_of_second != story.etags_of_third


def test_the_rollback_reports_what_it_restored_and_deleted(story: Story) -> None:
    report = report_of(story.rollback)
    assert report["apps_by_verdict"] == {"rolled back": list(APPS)}
    assert report["parts_restored"] > 0
    assert report["parts_deleted"] > 0
    assert (report["parts_superseded"], report["errors"]) == (0, [])


def test_a_reprocess_of_the_run_brings_its_very_objects_back(story: Story) -> None:
    assert (story.reprocess.status, story.reprocess.cause) == ("SUCCEEDED", "")
    assert story.etags_reprocessed == story.etags_of_third
    assert story.reprocessed == story.third


def test_neither_asks_apple_anything(story: Story) -> None:
    assert story.apple_calls == 0
    assert report_of(story.rollback)["apple_calls"] == report_of(story.reprocess)["apple_calls"] == 0

"""A backfill from the snapshot to the lake, beside a daily run, and inputs that are refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from deployed import DAY, Counted, Deployed, access_types, app, friday_of_the_scenarios, report_of

from appstore_analytics.answers.executions import Execution, Snapshot
from appstore_analytics.contract.catalogue.definition import AccessType

ASKED, OTHER = app(9), app(10)
APPS = (ASKED, OTHER)
SATURDAY = friday_of_the_scenarios() - DAY * 13
SUNDAY = SATURDAY + DAY
START_DATE, END_DATE = SATURDAY - DAY * 8, SATURDAY - DAY * 4  # the last Dates are also in Sunday's daily instance
EARLIER_DATE = START_DATE - DAY * 3
FIRST_DATE_OF_SUNDAY = SUNDAY - DAY * 5
CREATE = "POST /v1/analyticsReportRequests"


@dataclass(frozen=True)
class Backfills:
    """The executions, and the rows of the engagement table after them."""

    first: Execution
    states: list[str]
    created: int
    after_first: Counted
    daily: Execution
    after_daily: Counted
    second: Execution
    created_again: int
    after_second: Counted


@pytest.fixture(scope="module")
def backfills(deployed: Deployed) -> Backfills:
    world = deployed.world

    def backfill(name: str, first: date, last: date) -> tuple[Execution, int]:
        earlier = deployed.calls(CREATE)
        payload = {
            "operation": "backfill",
            "as_of": SATURDAY.isoformat(),
            "app_ids": [ASKED],
            "reports": ["engagement"],
            "start_date": first.isoformat(),
            "end_date": last.isoformat(),
        }
        execution = deployed.run(name, payload, APPS, show=apple_builds_the_snapshot)
        return execution, deployed.calls(CREATE) - earlier

    def apple_builds_the_snapshot(now: Snapshot) -> None:
        if now.apps_done == 1 and world.today == SATURDAY:  # the first pass found nothing
            world.move_to(SUNDAY)

    deployed.begin(SATURDAY)
    deployed.daily("before-the-backfill", APPS)
    first, created = backfill("backfill", START_DATE, END_DATE)
    after_first = deployed.counted("engagement", APPS)
    daily = deployed.daily("after-the-backfill", APPS)
    after_daily = deployed.counted("engagement", APPS)
    second, created_again = backfill("backfill-again", EARLIER_DATE, END_DATE)
    after_second = deployed.counted("engagement", APPS)
    states = _states(deployed, "backfill")
    return Backfills(first, states, created, after_first, daily, after_daily, second, created_again, after_second)


def _states(deployed: Deployed, name: str) -> list[str]:
    """The states that an execution entered, in order."""
    states = deployed.aws.client("stepfunctions")
    arn = deployed.deployment.state_machine_arn.replace(":stateMachine:", ":execution:") + f":{name}"
    pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
    details = (event.get("stateEnteredEventDetails") for page in pages for event in page["events"])
    return [detail["name"] for detail in details if detail]


def _dates(counted: Counted, app_id: str, processing_date: date | None = None) -> list[date]:
    return sorted(day for one, day, built in counted if one == app_id and processing_date in (None, built))


def _days(first: date, last: date) -> list[date]:
    return [first + DAY * offset for offset in range((last - first).days + 1)]


def test_a_backfill_waits_for_its_snapshot_and_succeeds(deployed: Deployed, backfills: Backfills) -> None:
    assert (backfills.first.status, backfills.first.cause) == ("SUCCEEDED", "")
    assert backfills.states.count("WaitForSnapshot") >= 1
    assert backfills.states.index("WaitForSnapshot") < backfills.states.index("Land")
    report = report_of(backfills.first)
    assert report["operation"] == "backfill"
    assert report["apps_by_verdict"] == {"verified": [ASKED]}


def test_a_backfill_asks_for_one_snapshot_of_the_apps_it_is_about(deployed: Deployed, backfills: Backfills) -> None:
    assert backfills.created == report_of(backfills.first)["requests_created"] == 1
    assert access_types(deployed, ASKED) == {AccessType.ONGOING, AccessType.ONE_TIME_SNAPSHOT}
    assert access_types(deployed, OTHER) == {AccessType.ONGOING}


def test_a_backfill_publishes_the_dates_it_was_asked_for_and_no_other(backfills: Backfills) -> None:
    assert _dates(backfills.after_first, ASKED) == _days(START_DATE, END_DATE)
    assert _dates(backfills.after_first, OTHER) == []
    assert report_of(backfills.first)["dates_published"] >= len(_days(START_DATE, END_DATE))


def test_the_daily_instance_beats_the_snapshot_where_both_hold_a_date(deployed: Deployed, backfills: Backfills) -> None:
    assert backfills.daily.status == "SUCCEEDED"
    truth = deployed.newest("engagement", APPS)
    asked = {key: numbers for key, numbers in truth.items() if key[1] >= START_DATE}
    assert backfills.after_daily == asked | {key: numbers for key, numbers in truth.items() if key[0] == OTHER}
    both = {key: backfills.after_daily[key] for key in backfills.after_daily if key[0] == ASKED}
    assert [day for _, day, _ in both if FIRST_DATE_OF_SUNDAY <= day <= END_DATE]


def test_a_second_backfill_registers_nothing_and_never_puts_the_snapshot_over_a_daily_instance(
    backfills: Backfills,
) -> None:
    report = report_of(backfills.second)
    assert backfills.second.status == "SUCCEEDED"
    assert backfills.created_again == report["requests_created"] == 0
    assert report["duplicates_prevented"] == 1
    assert report["segments"] == 0
    assert report["parts_refused"] == len(_days(FIRST_DATE_OF_SUNDAY, END_DATE))
    new = {key: numbers for key, numbers in backfills.after_second.items() if key not in backfills.after_daily}
    assert sorted(day for _, day, _ in new) == _days(EARLIER_DATE, START_DATE - DAY)
    assert {key: backfills.after_second[key] for key in backfills.after_daily} == backfills.after_daily


# Inputs

BACKFILL = {"operation": "backfill", "app_ids": [ASKED], "start_date": "2026-01-01", "end_date": "2026-01-02"}


@pytest.mark.parametrize(
    ("name", "payload", "sentence"),
    [
        (
            "unknown-field",
            {"operation": "daily", "apps": [ASKED]},
            "The field 'apps' is unknown: a daily execution takes operation, as_of, started_by.",
        ),
        (
            "no-such-day",
            BACKFILL | {"start_date": "2026-02-30"},
            "start_date must be a day of the calendar, not '2026-02-30'.",
        ),
        (
            "foreign-app",
            BACKFILL | {"app_ids": ["1999999999"]},
            "app_ids must be apps of a configured account; 1999999999 is not.",
        ),
    ],
)
def test_a_refused_input_ends_with_one_sentence_that_names_the_field(
    deployed: Deployed, name: str, payload: Mapping[str, Any], sentence: str
) -> None:
    earlier = deployed.calls(CREATE)
    execution = deployed.run(f"refused-{name}", payload, APPS)
    assert (execution.status, execution.cause, execution.report) == ("FAILED", sentence, None)
    assert deployed.calls(CREATE) == earlier

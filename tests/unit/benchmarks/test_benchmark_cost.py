"""The stored figures of cost and calls keep the documented promises, and the bill follows from its parts."""

import json
from typing import Any

import pytest

from appstore_analytics.answers.cost import (
    LOOKS_FOR_A_SNAPSHOT,
    TRANSITIONS_OF_A_LOOK,
    TRANSITIONS_OF_A_RUN,
    Work,
    cost_of,
)
from appstore_analytics.contract.prices import ALARMS, DASHBOARDS, LAMBDA_CALLS, PRICES, Page, Seen
from benchmarks.results import RESULTS
from benchmarks.usage.counting import Linear
from benchmarks.usage.deployment import MapWalked, walk


def kept(name: str) -> Any:
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def test_a_daily_run_of_six_reports_costs_three_dollars_fixed_and_one_and_a_half_per_hundred_apps() -> None:
    cost = kept("cost")
    assert cost["fixed_usd"] <= 3.00
    for figures in (cost, *cost["sizes"].values()):
        assert 0 < figures["per_100_apps_usd"] <= 1.50
        assert figures["month_with_free_tiers_usd"] < figures["month_usd"]
    assert set(cost["sizes"]) == {"70", "1000", "10000"}


@pytest.mark.parametrize("reports", ["6", "26"])
def test_a_usual_day_takes_at_most_a_twentieth_more_calls_than_the_least(reports: str) -> None:
    calls = kept("calls")[reports]
    assert calls["least"] == 2 * int(reports) + 1
    assert calls["least"] <= calls["steady"] <= calls["least"] * 1.05


def test_a_key_whose_hour_is_used_up_again_and_again_serves_its_apps_within_a_day() -> None:
    day = kept("calls")["scarce_day"]
    assert day["verified"] == day["apps"] > 100
    assert day["refused"] == 0
    assert 20 < day["hours"] < 24


def test_a_price_counts_by_its_unit_and_what_is_free_costs_nothing() -> None:
    assert LAMBDA_CALLS.of(3_000_000) == pytest.approx(0.60)
    assert LAMBDA_CALLS.beyond_free(3_000_000) == pytest.approx(0.40)
    assert (ALARMS.of(11), ALARMS.beyond_free(10)) == (pytest.approx(1.10), 0)
    assert DASHBOARDS.beyond_free(4) == 3.00


def test_every_price_names_its_page_and_where_it_was_seen() -> None:
    assert len({price.what for price in PRICES}) == len(PRICES) > 20
    assert {type(price.page) for price in PRICES} == {Page}
    assert {price.seen for price in PRICES} == set(Seen)


def test_a_line_goes_through_both_counts() -> None:
    assert Linear.through((2, 110.0), (6, 310.0)) == Linear(fixed=10.0, per_app=50.0)
    assert Linear(10.0, 50.0).of(70) == 3510


def test_a_walk_enters_what_a_good_day_enters() -> None:
    child = {
        "StartAt": "Work",
        "States": {
            "Work": {"Type": "Task", "Next": "DecideWork"},
            "DecideWork": {
                "Type": "Choice",
                "Choices": [
                    {"Variable": "$.step.outcome", "StringEquals": "wait", "Next": "Wait"},
                    {"Variable": "$.step.outcome", "StringEquals": "done", "Next": "Done"},
                ],
            },
            "Wait": {"Type": "Wait", "Next": "Work"},
            "Done": {"Type": "Pass", "End": True},
        },
    }
    batch = {
        "StartAt": "LandItems",
        "States": {
            "LandItems": {"Type": "Map", "MaxConcurrency": 2, "ItemProcessor": child, "Next": "LandDone"},
            "LandDone": {"Type": "Pass", "End": True},
        },
    }
    machine = {
        "StartAt": "PlanLand",
        "States": {
            "PlanLand": {"Type": "Task", "Next": "DecideLand"},
            "DecideLand": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.plan.items", "NumericGreaterThan": 0, "Next": "Land"}],
                "Default": "End",
            },
            "Land": {
                "Type": "Map",
                "ItemBatcher": {"MaxItemsPerBatch": 10},
                "ItemProcessor": {**batch, "ProcessorConfig": {"ExecutionType": "EXPRESS"}},
                "Next": "PlanPublish",
            },
            "PlanPublish": {"Type": "Task", "Next": "Publish"},
            "Publish": {
                "Type": "Map",
                "ItemProcessor": {**child, "ProcessorConfig": {"ExecutionType": "STANDARD"}},
                "Next": "PlanLandLeft",
            },
            "PlanLandLeft": {"Type": "Task", "Next": "DecideLandLeft"},
            "DecideLandLeft": {
                "Type": "Choice",
                "Choices": [
                    {"Variable": "$.plan.available_at", "IsPresent": True, "Next": "Land"},
                    {"Variable": "$.plan.items", "NumericGreaterThan": 0, "Next": "Land"},
                ],
                "Default": "End",
            },
            "End": {"Type": "Succeed"},
        },
    }
    items = {"Land": 21, "Publish": 4}
    walked = walk(machine, items)
    assert walked.parent == 8
    assert walked.maps == {"Land": MapWalked(True, 2, 3, 10, 2), "Publish": MapWalked(False, 3)}
    assert walked.transitions(items) == 8 + 3 + 4 * (1 + 3)
    assert walk(machine, {}).parent == 3


def test_a_backfills_estimate_counts_the_start_of_each_child() -> None:
    """Ten items per child in Register and Land; in a Standard child three states for each Date or table."""
    lines = {line.what: line.count for line in cost_of(Work(apps=21, tables=2, instances=42, parts=420, dates=20))}
    assert lines["Step Functions Express requests"] == 3 + 5
    assert lines["Step Functions transitions"] == TRANSITIONS_OF_A_RUN + (3 + 5) + (20 + 2) * (1 + 3)


def test_a_backfills_estimate_counts_every_look_for_the_snapshots_that_it_requests() -> None:
    known, requested = (
        {
            line.what: line.count
            for line in cost_of(Work(apps=21, tables=2, instances=42, parts=420, dates=20, snapshots=snapshots))
        }
        for snapshots in (0, 11)
    )
    more = {what: requested[what] - known[what] for what in known}
    assert more["Step Functions transitions"] == LOOKS_FOR_A_SNAPSHOT * (TRANSITIONS_OF_A_LOOK + 2)
    assert more["Step Functions Express requests"] == LOOKS_FOR_A_SNAPSHOT * 2
    assert more["Lambda calls"] == LOOKS_FOR_A_SNAPSHOT * (2 * 11 + 5)


def test_a_backfills_estimate_grows_with_its_parts_and_is_in_list_prices() -> None:
    small, large = (
        {line.what: line for line in cost_of(Work(apps=1, tables=6, instances=6, parts=parts, dates=30))}
        for parts in (30, 3_030)
    )
    writes = large["S3 writes and listings"]
    assert writes.count - small["S3 writes and listings"].count == 3_000
    assert writes.us_dollars == pytest.approx(writes.count * 0.005 / 1_000, abs=1e-4)
    assert large["DynamoDB write units"].count - small["DynamoDB write units"].count == 6_000
    assert small["Athena MB scanned"].count == 60

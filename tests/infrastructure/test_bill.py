"""The Step Functions lines of the bill, computed independently from the template and the item counts."""

import math
from collections.abc import Mapping
from typing import Any

import pytest
from synthesis import Synthesis

from appstore_analytics.answers.cost import TRANSITIONS_OF_A_LOOK, TRANSITIONS_OF_A_RUN
from benchmarks.usage.bill import Model
from benchmarks.usage.counting import Linear, Stored
from benchmarks.usage.deployment import synthesize
from benchmarks.usage.simulated_day import SimulatedDay
from benchmarks.usage.virtual_run import VirtualRun, in_virtual_time, now

DAYS = 365 / 12
DATES = 24  # published by six daily reports on a usual day
REPORTS = ("App Downloads Standard", "App Store Discovery and Engagement Standard")

Machine = dict[str, Any]

OF_A_GOOD_DAY = {
    "DecideOperation": "PlanRegister",
    "DecideRegister": "Register",
    "DecideMoreRegister": "PlanRegisterLeft",
    "DecideRegisterLeft": "PlanLand",
    "DecideLand": "Land",
    "DecideMoreLand": "PlanLandLeft",
    "DecideLandLeft": "PlanPublish",
    "DecidePublish": "Publish",
    "DecideMorePublish": "PlanVerify",
    "DecideVerify": "Verify",
    "DecideMoreVerify": "DecideSnapshot",
    "DecideSnapshot": "CompactMonths",
    "DecideRun": "RunSucceeded",
    "DecidePublishDate": "PublishDone",
    "DecideVerifyTable": "VerifyDone",
}
"""The target of each Choice if every item succeeds and a Map leaves nothing."""


def entered(machine: Machine, choices: Mapping[str, str] = OF_A_GOOD_DAY, until: str = "") -> list[str]:
    """The states of a successful day, in order, until one is entered a second time."""
    way = [until or machine["StartAt"]]
    while (following := choices.get(way[-1]) or machine["States"][way[-1]].get("Next")) not in (None, until):
        way.append(following)
    return way


def transitions(machine: Machine, items: dict[str, int]) -> int:
    """AWS bills every state that a Standard execution enters, and the start of each child of a Distributed Map."""
    total = 0
    for name in entered(machine):
        total += 1
        state = machine["States"][name]
        if state["Type"] != "Map":
            continue
        batch = state.get("ItemBatcher", {"MaxItemsPerBatch": 1})["MaxItemsPerBatch"]
        children = math.ceil(items[name] / batch)
        is_standard = state["ItemProcessor"]["ProcessorConfig"]["ExecutionType"] == "STANDARD"
        total += children * (1 + (len(entered(state["ItemProcessor"])) if is_standard else 0))
    return total


def test_the_plan_of_a_backfill_counts_the_states_of_its_run_and_of_each_look_for_its_snapshot(
    synthesis: Synthesis,
) -> None:
    machine = synthesis.definition()
    assert len(entered(machine)) == TRANSITIONS_OF_A_RUN
    nothing_yet = {
        **OF_A_GOOD_DAY,
        "DecideLand": "PlanPublish",
        "DecidePublish": "PlanVerify",
        "DecideVerify": "DecideSnapshot",
        "DecideSnapshot": "WaitForSnapshot",
    }
    assert len(entered(machine, nothing_yet, until="WaitForSnapshot")) == TRANSITIONS_OF_A_LOOK


@pytest.fixture(scope="module")
def model() -> Model:
    nothing = Linear(0.0, 0.0)
    deployed = synthesize({"reports": list(REPORTS)})
    stored = dict.fromkeys(Stored, nothing)
    return Model(deployed, REPORTS, {}, stored, Linear(0.0, 2.0), nothing, DATES)


@pytest.mark.parametrize("apps", [1, 70, 100, 275])
def test_the_transitions_of_the_bill_are_those_of_the_template(model: Model, synthesis: Synthesis, apps: int) -> None:
    reports = len(REPORTS)
    items = {"Register": apps, "Land": apps * reports, "Publish": DATES, "Verify": reports}
    machine = synthesis.definition()
    counted = {line.price.what: line.count for line in model.month(apps)}
    assert counted["Step Functions transitions"] == pytest.approx(transitions(machine, items) * DAYS)
    express = math.ceil(apps / 10) + math.ceil(apps * reports / 10)
    assert counted["Step Functions Express requests"] == pytest.approx(express * DAYS)


@pytest.mark.parametrize(
    ("apps", "lambdas_at_once", "waits_hours"),
    [(100, 1_000, 0), (100, 10, 0), (2_000, 1_000, 2)],  # 8,000 calls of Apple, 3,500 an hour
)
def test_a_simulated_day_goes_through_the_states_and_waits_for_apples_hour(
    model: Model, apps: int, lambdas_at_once: int, waits_hours: int
) -> None:
    day = SimulatedDay(model, apps)
    run = VirtualRun(model.deployed.definition, day, lambdas_at_once)

    async def execution() -> float:
        began = now()
        await run.execute({})
        return (now() - began).total_seconds()

    seconds = in_virtual_time(execution)
    assert model.keys(apps) == 1
    assert day.items == apps * (1 + len(REPORTS)) + DATES + len(REPORTS)
    assert day.apple_calls == apps * len(REPORTS) * 2  # each report is listed, and each instance downloaded
    assert list(day.planned_at) == ["REGISTER", "LAND", "PUBLISH", "VERIFY"]
    assert round(day.waited.total_seconds() / 3600) == waits_hours
    assert seconds >= day.waited.total_seconds()

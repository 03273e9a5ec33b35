"""The Step Functions lines of the bill, counted again from the template and the item counts alone."""

import math
from typing import Any

import pytest
from synthesis import Synthesis

from benchmarks.usage.bill import Model
from benchmarks.usage.counting import Linear, Stored
from benchmarks.usage.deployment import synthesize

DAYS = 365 / 12
DATES = 24  # that six daily reports publish on a usual day
REPORTS = ("App Downloads Standard", "App Store Discovery and Engagement Standard")

Machine = dict[str, Any]

OF_A_GOOD_DAY = {
    "DecideOperation": "PlanRegister",
    "DecideRegister": "Register",
    "DecideRegisterLeft": "PlanLand",
    "DecideLand": "Land",
    "DecideLandLeft": "PlanPublish",
    "DecidePublish": "Publish",
    "DecideVerify": "Verify",
    "DecideSnapshot": "ListReleases",
    "DecideRun": "RunSucceeded",
    "DecidePublishDate": "PublishDone",
    "DecideVerifyTable": "VerifyDone",
}
"""Where each Choice leads when every item succeeds and a Map leaves nothing."""


def entered(machine: Machine) -> list[str]:
    """The states that a good day enters, in order."""
    way = [machine["StartAt"]]
    while (following := OF_A_GOOD_DAY.get(way[-1]) or machine["States"][way[-1]].get("Next")) is not None:
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

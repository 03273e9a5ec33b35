"""An installed stack can be updated in place: today's template compared with that of commit 559e4d5.

CloudFormation creates before it deletes. A resource with a fixed name under another logical id would find its name
taken, and one that holds data would be created again, empty.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from synthesis import Synthesis

INSTALLED: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "template_of_559e4d5.json").read_text(encoding="utf-8")
)["Resources"]

HOLDS_DATA = {
    "AWS::Athena::WorkGroup",
    "AWS::DynamoDB::Table",
    "AWS::Glue::Database",
    "AWS::Glue::Table",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
}
REPLACED_WHEN_CHANGED = {
    "AWS::DynamoDB::Table": ("KeySchema", "TableName"),
    "AWS::Glue::Database": ("CatalogId", "DatabaseName"),
    "AWS::Glue::Table": ("CatalogId", "DatabaseName"),
    "AWS::Lambda::Function": ("PackageType",),
    "AWS::Scheduler::Schedule": ("GroupName",),
    "AWS::StepFunctions::StateMachine": ("StateMachineType",),
}
"""Properties whose change makes CloudFormation replace the resource, besides its name (AWS's reference)."""


def physical_name(resource: dict[str, Any]) -> str | None:
    """The fixed name of a resource, if it has one; for a Glue resource the name in its input."""
    properties = resource.get("Properties", {})
    for name, value in properties.items():
        if name.endswith("Input") and isinstance(value, dict) and "Name" in value:
            return f"{json.dumps(properties.get('DatabaseName', ''), sort_keys=True)}.{value['Name']}"
    kind = resource["Type"].rpartition("::")[2]
    own = ("Name", f"{kind}Name", "LayerName")
    return next((json.dumps(properties[name], sort_keys=True) for name in own if name in properties), None)


def resources(synthesis: Synthesis) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = synthesis.template["Resources"]
    return found


@pytest.mark.parametrize("logical_id", [*INSTALLED])
def test_what_holds_data_or_has_a_fixed_name_keeps_its_logical_id_type_and_name(
    synthesis: Synthesis, logical_id: str
) -> None:
    before, now = INSTALLED[logical_id], resources(synthesis).get(logical_id)
    name = physical_name(before)
    if before["Type"] in HOLDS_DATA:
        assert now is not None, f"{before['Type']} {name} would be created again, and its data stay behind."
    if now is None:
        assert name is None or name not in {
            physical_name(one) for one in resources(synthesis).values() if one["Type"] == before["Type"]
        }, f"Another logical id finds the name {name} taken."
        return
    assert now["Type"] == before["Type"]
    assert physical_name(now) == name
    for property_ in REPLACED_WHEN_CHANGED.get(before["Type"], ()):
        assert now["Properties"].get(property_) == before["Properties"].get(property_)


def test_no_new_resource_takes_the_name_of_an_installed_one(synthesis: Synthesis) -> None:
    taken = {(one["Type"], physical_name(one)): logical_id for logical_id, one in INSTALLED.items()}
    for logical_id, one in resources(synthesis).items():
        name = physical_name(one)
        if name is not None:
            assert taken.get((one["Type"], name), logical_id) == logical_id


def test_what_is_retained_stays_retained(synthesis: Synthesis) -> None:
    for logical_id, before in INSTALLED.items():
        if before.get("DeletionPolicy") == "Retain":
            now = resources(synthesis)[logical_id]
            assert now["DeletionPolicy"] in {"Retain", "RetainExceptOnCreate"}
            assert now["UpdateReplacePolicy"] == "Retain"


def test_the_names_that_are_compared_are_those_of_the_template() -> None:
    """Makes sure that a name that the comparison does not find is not mistaken for no name."""
    names = {one["Type"]: physical_name(one) for one in INSTALLED.values()}
    named = {kind for kind, name in names.items() if name is not None}
    assert named >= HOLDS_DATA - {"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SNS::Topic"} | {
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::Lambda::Function",
        "AWS::Lambda::LayerVersion",
        "AWS::Scheduler::Schedule",
        "AWS::StepFunctions::StateMachine",
    }

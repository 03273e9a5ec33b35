"""Company-wide requirements by context: a boundary, a key, tags, Lake Formation, an existing database."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from aws_cdk import Stack
from synthesis import Synthesis, context, synthesize

from infra.naming import boundary

KEY = "arn:aws:kms:eu-central-1:123456789012:key/0f0e0d0c-0b0a-0908-0706-050403020100"
BOUNDARY = "arn:aws:iam::123456789012:policy/studio-boundary"
TAGS = {"team": "growth", "cost-center": "4711"}
TAKES_THE_KEY = {
    "AWS::Athena::WorkGroup",
    "AWS::DynamoDB::Table",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::SecretsManager::Secret",
}


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    values = context(
        permissions_boundary=BOUNDARY,
        kms_key_arn=KEY,
        tags=TAGS,
        lake_formation=True,
        databases={"curated": "apple_reports"},
        existing_databases=["curated"],
        alarm_slack_secret="harbor/slack",
    )
    return synthesize(tmp_path_factory.mktemp("ruled"), values)


def resources(synthesis: Synthesis) -> Iterator[tuple[str, dict[str, Any]]]:
    for one in synthesis.template["Resources"].values():
        yield one["Type"], one["Properties"]


def test_every_role_has_the_boundary(ruled: Synthesis) -> None:
    roles = ruled.of_type("IAM::Role").values()
    assert {json.dumps(role.get("PermissionsBoundary")) for role in roles} == {json.dumps(BOUNDARY)}


def test_everything_that_can_take_the_key_has_it(ruled: Synthesis) -> None:
    found = [(kind, KEY in json.dumps(properties)) for kind, properties in resources(ruled) if kind in TAKES_THE_KEY]
    assert {kind for kind, _ in found} == TAKES_THE_KEY
    assert all(has_it for _, has_it in found), found
    assert "AES256" not in json.dumps(ruled.template)
    assert "SSE_S3" not in json.dumps(ruled.template)


def test_every_role_may_use_the_key_for_what_it_does_and_nothing_more(ruled: Synthesis) -> None:
    allowed: dict[str, tuple[set[str], set[str]]] = {}
    for policy in ruled.of_type("IAM::Policy").values():
        statements = policy["PolicyDocument"]["Statement"]
        of_key = [each for each in statements if each["Resource"] == KEY]
        others = [action for each in statements if each["Resource"] != KEY for action in listed(each["Action"])]
        for role in policy["Roles"]:
            uses, does = allowed.setdefault(role["Ref"], (set(), set()))
            uses.update(action for each in of_key for action in listed(each["Action"]))
            does.update(others)
    for role, (uses, does) in allowed.items():
        writes = bool(does & {"s3:PutObject", "sqs:SendMessage"})
        reads = writes or any(each.startswith(("dynamodb:", "s3:GetObject", "secretsmanager:Get")) for each in does)
        wanted = {action for action, holds in (("kms:Decrypt", reads), ("kms:GenerateDataKey", writes)) if holds}
        assert uses == wanted, role


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_the_tags_are_on_everything_that_takes_tags(ruled: Synthesis) -> None:
    tagged = {kind for kind, properties in resources(ruled) if "Tags" in properties}
    assert tagged >= {"AWS::DynamoDB::Table", "AWS::IAM::Role", "AWS::Lambda::Function", "AWS::S3::Bucket"}
    for kind, properties in resources(ruled):
        if kind in tagged:
            tags = properties["Tags"]
            found = {each["Key"]: each["Value"] for each in tags} if isinstance(tags, list) else tags
            assert found.items() >= TAGS.items(), kind


def test_an_existing_database_is_used_and_not_made(ruled: Synthesis) -> None:
    made = {each["DatabaseInput"]["Name"] for each in ruled.of_type("Glue::Database").values()}
    assert made == {"appstore", "marts"}
    tables = [each for each in ruled.of_type("Glue::Table").values() if each["DatabaseName"] == "apple_reports"]
    assert len(tables) == 26
    text = json.dumps(ruled.template)
    assert "database/apple_reports" in text
    assert "table/apple_reports/*" in text
    assert "database/curated" not in text


def test_lake_formation_grants_what_the_functions_read(ruled: Synthesis) -> None:
    granted = {
        (json.dumps(each["DataLakePrincipal"] if "DataLakePrincipal" in each else each["Principal"]), *permission(each))
        for each in ruled.of_type("LakeFormation::PrincipalPermissions").values()
    }
    assert {(database, actions) for _, database, actions in granted} == {
        (database, actions)
        for database in ("apple_reports", "marts", "appstore")
        for actions in (("DESCRIBE",), ("DESCRIBE", "SELECT"))
    }
    assert len({principal for principal, _, _ in granted}) == 3  # verify_table, list_releases and check_freshness


def permission(granted: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    resource = granted["Resource"]
    database = resource["Database"]["Name"] if "Database" in resource else resource["Table"]["DatabaseName"]
    return database, tuple(granted["Permissions"])


def test_cdk_nag_finds_nothing_new(ruled: Synthesis) -> None:
    assert ruled.findings == ""


def test_a_boundary_may_be_named() -> None:
    stack = Stack()
    arn = json.dumps(stack.resolve(boundary(stack, "studio-boundary").managed_policy_arn))
    assert ":policy/studio-boundary" in arn

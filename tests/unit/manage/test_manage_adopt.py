"""`adopt`: the resources that a destroyed stack has left, listed by CloudFormation and written for `cdk import`."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from appstore_analytics.answers.errors import Refused
from operations import commands
from operations.left_behind import Adoption, adopt
from operations.where import Connection

STACK = "AppStoreAnalytics"
LAKE = ("BucketsLake", "AWS::S3::Bucket", "lake-1", "DELETE_SKIPPED")
REGISTRY = ("RegistryTable", "AWS::DynamoDB::Table", "registry-1", "DELETE_SKIPPED")
KEY = ("ApiKeysmain", "AWS::SecretsManager::Secret", "arn:aws:secretsmanager:eu-central-1:1:secret:a", "DELETE_SKIPPED")
GONE = ("Topic", "AWS::SNS::Topic", "topic-1", "DELETE_COMPLETE")
FAILED = ("Role", "AWS::IAM::Role", "role-1", "DELETE_SKIPPED")


def adopted(
    folder: Path, status: str, *deleted: tuple[str, int, list[tuple[str, ...]]], registry: str | None = None
) -> Adoption:
    """The pages of these deleted stacks, each a name, its day of creation and its resources; one resource per page."""
    client = boto3.Session("test", "test", region_name="eu-central-1").client("cloudformation")
    made = datetime(2026, 11, 1, tzinfo=UTC)
    with Stubber(client) as stub:
        stacks = [{"StackName": STACK, "CreationTime": made, "StackStatus": status}] if status else []
        if stacks:
            stub.add_response("describe_stacks", {"Stacks": stacks}, {"StackName": STACK})
        else:
            stub.add_client_error("describe_stacks", "ValidationError", f"Stack with id {STACK} does not exist")
        summaries = [
            {
                "StackName": name,
                "StackId": f"arn:{name}-{day}",
                "StackStatus": "DELETE_COMPLETE",
                "CreationTime": made.replace(day=day),
            }
            for name, day, _ in deleted
        ]
        stub.add_response("list_stacks", {"StackSummaries": summaries}, {"StackStatusFilter": ["DELETE_COMPLETE"]})
        of_name = [one for one in deleted if one[0] == STACK]
        for name, day, resources in sorted(of_name, key=lambda one: -one[1]):
            _add_pages(stub, f"arn:{name}-{day}", resources, made)
        return adopt(client, STACK, folder / "adopt.json", registry)


def _add_pages(stub: Stubber, stack_id: str, resources: list[tuple[str, ...]], made: datetime) -> None:
    for number, (logical_id, kind, name, status) in enumerate(resources):
        summary = {
            "LogicalResourceId": logical_id,
            "ResourceType": kind,
            "PhysicalResourceId": name,
            "ResourceStatus": status,
            "LastUpdatedTimestamp": made,
        }
        page: dict[str, Any] = {"StackResourceSummaries": [summary]}
        asked = {"StackName": stack_id}
        if number:
            asked["NextToken"] = str(number)
        if number + 1 < len(resources):
            page["NextToken"] = str(number + 1)
        stub.add_response("list_stack_resources", page, asked)


def test_what_outlived_the_stack_is_written_for_cdk_import(tmp_path: Path) -> None:
    adoption = adopted(tmp_path, "", (STACK, 20, [LAKE, GONE, FAILED, REGISTRY, KEY]))
    assert json.loads((tmp_path / "adopt.json").read_text()) == {
        "BucketsLake": {"BucketName": "lake-1"},
        "RegistryTable": {"TableName": "registry-1"},
        "ApiKeysmain": {"Id": KEY[2]},
    }
    assert adoption.is_good
    assert adoption.sentence == (
        "3 resources of AppStoreAnalytics can be taken back: run `cdk import AppStoreAnalytics --resource-mapping "
        f"{tmp_path / 'adopt.json'}`, then `cdk deploy AppStoreAnalytics`."
    )


def test_a_restored_table_takes_the_place_of_the_registry(tmp_path: Path) -> None:
    adopted(tmp_path, "", (STACK, 20, [LAKE, REGISTRY]), registry="registry-restored")
    assert json.loads((tmp_path / "adopt.json").read_text()) == {
        "BucketsLake": {"BucketName": "lake-1"},
        "RegistryTable": {"TableName": "registry-restored"},
    }


def test_a_group_is_found_in_its_pool_and_the_console_by_its_users(tmp_path: Path) -> None:
    pool = ("IdentityPool", "AWS::Cognito::UserPool", "eu-central-1_Old", "DELETE_SKIPPED")
    group = ("IdentityViewers", "AWS::Cognito::UserPoolGroup", "viewer", "DELETE_SKIPPED")
    cluster = ("DatabaseCluster", "AWS::DSQL::Cluster", "abcdefghijklmnopqrstuvwxyz", "DELETE_SKIPPED")
    left_by_a_failure = ("DatabaseCluster", "AWS::DSQL::Cluster", "zyxwvutsrqponmlkjihgfedcba", "DELETE_SKIPPED")
    adopted(tmp_path, "", (STACK, 20, [group, pool, cluster]), (STACK, 21, [left_by_a_failure]))
    assert json.loads((tmp_path / "adopt.json").read_text()) == {
        "IdentityViewers": {"UserPoolId": "eu-central-1_Old", "GroupName": "viewer"},
        "IdentityPool": {"UserPoolId": "eu-central-1_Old"},
        "DatabaseCluster": {"Identifier": "abcdefghijklmnopqrstuvwxyz"},
    }


def test_the_stack_that_was_deleted_last_counts_and_no_other_name(tmp_path: Path) -> None:
    other = ("BucketsLake", "AWS::S3::Bucket", "lake-9", "DELETE_SKIPPED")
    adoption = adopted(tmp_path, "", ("Other", 25, [other]), (STACK, 20, [LAKE]))
    assert [one.name for one in adoption.resources] == ["lake-1"]


def test_a_first_deployment_that_failed_leaves_an_empty_registry_and_is_passed_over(tmp_path: Path) -> None:
    empty = ("RegistryTable", "AWS::DynamoDB::Table", "registry-2", "DELETE_SKIPPED")
    adoption = adopted(tmp_path, "", (STACK, 20, [LAKE, REGISTRY]), (STACK, 21, [empty]))
    assert [one.name for one in adoption.resources] == ["lake-1", "registry-1"]


def test_a_stack_that_is_there_is_updated_instead(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="AppStoreAnalytics is UPDATE_COMPLETE: there is nothing to take back"):
        adopted(tmp_path, "UPDATE_COMPLETE")


@pytest.mark.parametrize("status", ["", "REVIEW_IN_PROGRESS"])
def test_where_nothing_was_left_a_new_deployment_is_the_answer(tmp_path: Path, status: str) -> None:
    with pytest.raises(Refused, match="in the last 90 days has left anything here: `cdk deploy` creates one"):
        adopted(tmp_path, status, (STACK, 20, [GONE]))
    assert not (tmp_path / "adopt.json").exists()


def test_a_file_that_cannot_be_written_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"missing/adopt\.json cannot be written .* name another file"):
        adopted(tmp_path / "missing", "", (STACK, 20, [LAKE]))


def test_a_restored_registry_is_none_of_the_consoles(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        commands.main(["adopt", "--console", "--registry", "registry-restored"])
    assert ended.value.code == 2
    assert "--registry names a table of the pipeline's stack" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("options", "stack"),
    [([], STACK), (["--console"], "appstore-analytics-console"), (["--console", "--stack", "Other"], "Other-console")],
)
def test_the_console_has_a_stack_of_its_own(
    options: list[str], stack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client = boto3.Session("test", "test", region_name="eu-central-1").client("cloudformation")
    monkeypatch.setattr(Connection, "cloudformation", client)
    with Stubber(client) as stub, pytest.raises(SystemExit):
        stub.add_client_error("describe_stacks", "ValidationError", f"Stack with id {stack} does not exist")
        stub.add_response("list_stacks", {"StackSummaries": []}, {"StackStatusFilter": ["DELETE_COMPLETE"]})
        commands.main(["adopt", str(tmp_path / "adopt.json"), *options])
    assert f"No stack {stack} that was deleted" in " ".join(capsys.readouterr().err.split())

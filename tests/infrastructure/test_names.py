"""Two installations with different names in one account and region: no fixed name occurs in both."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from synthesis import Synthesis, context, synthesize
from test_update import physical_name

NAME = "studio-staging"
WITHOUT_A_FIXED_NAME = {
    "AWS::DynamoDB::Table",
    "AWS::IAM::Role",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Permission",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
}
"""Types that CloudFormation names after the stack, or that are part of a named resource."""

PART_OF_SOMETHING_NAMED = {"AWS::Glue::Table", "AWS::IAM::Policy"}


@pytest.fixture(scope="module")
def staging(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    values = context(name=NAME, alarm_email="on-call@example.com", alarm_slack_secret="harbor/slack")
    return synthesize(tmp_path_factory.mktemp("staging"), values)


def names_of(synthesis: Synthesis) -> Iterator[tuple[str, str]]:
    for one in synthesis.template["Resources"].values():
        name = physical_name(one)
        kind = one["Type"]
        if kind == "AWS::SNS::Topic":
            name = json.dumps(one["Properties"]["TopicName"])
        if kind in PART_OF_SOMETHING_NAMED:
            continue
        assert (name is None) == (kind in WITHOUT_A_FIXED_NAME), (kind, name)
        if name is not None:
            yield kind, name


def test_every_fixed_name_begins_with_the_name(staging: Synthesis) -> None:
    for kind, name in names_of(staging):
        assert re.match(r"[^a-z]*(/aws/lambda/|/aws/vendedlogs/states/)?studio[-_]staging", name), (kind, name)


def test_no_name_is_that_of_another_installation(synthesis: Synthesis, staging: Synthesis) -> None:
    assert not {*names_of(synthesis)} & {*names_of(staging)}


def test_the_databases_take_underscores_for_the_hyphens(staging: Synthesis) -> None:
    names = {each["DatabaseInput"]["Name"] for each in staging.of_type("Glue::Database").values()}
    assert names >= {"studio_staging_curated", "studio_staging_appstore"}


def test_logical_ids_do_not_depend_on_the_name(synthesis: Synthesis, staging: Synthesis) -> None:
    """Except for the topic's permission to invoke the Slack function, whose id CDK derives from the stack's name."""
    ids, others = ({*each.template["Resources"]} for each in (synthesis, staging))
    assert {synthesis.template["Resources"][one]["Type"] for one in ids - others} == {"AWS::Lambda::Permission"}
    assert len(ids) == len(others)


def test_nothing_in_the_template_reaches_for_the_default_names(staging: Synthesis) -> None:
    """Alarms and dashboard keep the metrics' dimension, and link to chapters with the default names."""
    watched = {"AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard"}
    resources = staging.template["Resources"].values()
    assert "AppStoreAnalytics" not in json.dumps(staging.template)
    assert "appstore-analytics" not in json.dumps([one for one in resources if one["Type"] not in watched])


def test_the_functions_are_told_the_names(staging: Synthesis) -> None:
    told: dict[str, Any] = {
        step: function["Environment"]["Variables"] for step, function in staging.functions().items()
    }
    assert {variables["POWERTOOLS_METRICS_NAMESPACE"] for variables in told.values()} == {NAME}
    assert told["check_key"]["API_KEY_SECRET_PREFIX"] == f"{NAME}/"
    assert json.loads(told["check_freshness"]["DATABASES"])["appstore"] == "studio_staging_appstore"
    assert staging.template["Outputs"]["CuratedDatabase"]["Value"] == "studio_staging_curated"

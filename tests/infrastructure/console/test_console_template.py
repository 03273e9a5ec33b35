"""The console's template: its protection, its retained resources, and its references to the pipeline."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from synthesis import Synthesis, context, plain, synthesize, synthesize_console
from test_update import physical_name

from appstore_console.login import passwords, routes
from infra.console.http_api import LOGGED
from infra.console.identity import GROUPS
from infra.console.layers import stage_package

API = "/api/v1/"


@pytest.mark.parametrize("made", ["console", "with_own_postgres", "local_console"])
def test_cdk_nag_finds_nothing_that_is_not_acknowledged_with_a_reason(
    request: pytest.FixtureRequest, made: str
) -> None:
    assert request.getfixturevalue(made).findings == ""


@pytest.mark.parametrize("made", ["console", "with_own_postgres"])
def test_cfn_lint_finds_nothing(request: pytest.FixtureRequest, made: str) -> None:
    # W3005: CDK lets a function depend on its role's policies, and on the role as well.
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--ignore-checks", "W3005", "--"]
    template = str(request.getfixturevalue(made).template_path)
    result = subprocess.run([*command, template], capture_output=True, text=True, check=False)
    assert result.stdout + result.stderr == ""


# Two independent stacks


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    return synthesize(tmp_path_factory.mktemp("pipeline"), context(console=True))


@pytest.mark.parametrize("made", ["console", "with_own_postgres"])
def test_no_value_is_imported_from_the_pipelines_stack_and_none_exported(
    request: pytest.FixtureRequest, pipeline: Synthesis, made: str
) -> None:
    template = request.getfixturevalue(made).template
    assert "Fn::ImportValue" not in json.dumps(template)
    assert not [
        output for each in (template, pipeline.template) for output in each["Outputs"].values() if "Export" in output
    ]


def test_what_is_read_of_the_pipelines_stack_is_among_its_outputs(console: Synthesis, pipeline: Synthesis) -> None:
    read = {reference["OutputName"] for reference in _stack_outputs(console.template)}
    assert read == {"LakeBucket", "RegistryTable", "RegistryStreamArn"}
    assert read <= set(pipeline.template["Outputs"])
    assert {reference["StackName"] for reference in _stack_outputs(console.template)} == {"AppStoreAnalytics"}


def _stack_outputs(node: Any) -> list[dict[str, str]]:
    if isinstance(node, dict):
        if "Fn::GetStackOutput" in node:
            return [node["Fn::GetStackOutput"]]
        return [found for value in node.values() for found in _stack_outputs(value)]
    return [found for value in node for found in _stack_outputs(value)] if isinstance(node, list) else []


def test_the_pipelines_stack_is_the_same_with_and_without_a_console(tmp_path: Path, pipeline: Synthesis) -> None:
    without = synthesize(tmp_path, context())
    assert without.template == pipeline.template


def test_the_registrys_stream_is_always_on_and_tells_keys_alone(pipeline: Synthesis) -> None:
    assert pipeline.only("DynamoDB::Table")["StreamSpecification"] == {"StreamViewType": "KEYS_ONLY"}


def test_functions_are_told_where_the_pipeline_is(console: Synthesis) -> None:
    outputs = json.loads(_told(console, "console_read")["PIPELINE_OUTPUTS"])
    assert outputs["LakeBucket"] == "<LakeBucket of AppStoreAnalytics>"
    assert outputs["RegistryTable"] == "<RegistryTable of AppStoreAnalytics>"
    assert outputs["StateMachineArn"].endswith(":stateMachine:appstore-analytics")
    assert (outputs["Workgroup"], outputs["CuratedDatabase"]) == ("appstore-analytics", "curated")


def _told(synthesis: Synthesis, step: str) -> dict[str, str]:
    variables = synthesis.functions()[step]["Environment"]["Variables"]
    return {name: _spelled(value) for name, value in variables.items()}


def _spelled(value: Any) -> str:
    if isinstance(value, dict) and "Fn::GetStackOutput" in value:
        return "<{OutputName} of {StackName}>".format(**value["Fn::GetStackOutput"])
    if isinstance(value, dict) and "Fn::Join" in value:
        return "".join(map(_spelled, value["Fn::Join"][1]))
    return plain(value)


# The gateway


def _routes(synthesis: Synthesis) -> dict[str, dict[str, Any]]:
    """By key the routes of the HTTP API."""
    return {
        route["RouteKey"]: route
        for route in synthesis.of_type("ApiGatewayV2::Route").values()
        if not route["RouteKey"].startswith("$")
    }


def _function_of(synthesis: Synthesis, route: dict[str, Any]) -> str:
    integration = route["Target"]["Fn::Join"][1][1]["Ref"]
    function = synthesis.of_type("ApiGatewayV2::Integration")[integration]["IntegrationUri"]["Fn::GetAtt"][0]
    return synthesis.names.step_of(synthesis.of_type("Lambda::Function")[function]["FunctionName"])


def test_every_route_of_the_api_needs_an_access_token_of_this_pool(console: Synthesis) -> None:
    of_api = {key: route for key, route in _routes(console).items() if API in key}
    assert len(of_api) >= 8
    for route in of_api.values():
        assert route["AuthorizationType"] == "JWT"
        assert route["AuthorizationScopes"] == ["aws.cognito.signin.user.admin"]  # an ID token does not have it
    (authorizer,) = console.of_type("ApiGatewayV2::Authorizer").values()
    assert authorizer["IdentitySource"] == ["$request.header.Authorization"]
    (client,) = console.of_type("Cognito::UserPoolClient")
    assert authorizer["JwtConfiguration"]["Audience"] == [{"Ref": client}]
    (pool,) = console.of_type("Cognito::UserPool")
    issuer = plain(authorizer["JwtConfiguration"]["Issuer"])
    assert issuer == f"https://cognito-idp.<AWS::Region>.amazonaws.com/<{pool}>"


def test_the_routes_without_a_token_are_the_pages_the_login_and_the_unsubscribe_link(console: Synthesis) -> None:
    routes_ = {key for key, route in _routes(console).items() if route["AuthorizationType"] == "NONE"}
    assert routes_ == {"GET /", "GET /{proxy+}", "POST /auth/{proxy+}", "GET /unsubscribe", "POST /unsubscribe"}


@pytest.mark.parametrize(
    ("key", "step"),
    [
        ("GET /api/v1/{proxy+}", "console_read"),
        ("POST /api/v1/{proxy+}", "console_act"),
        ("PATCH /api/v1/{proxy+}", "console_act"),
        ("DELETE /api/v1/{proxy+}", "console_act"),
        ("GET /api/v1/users", "console_act"),
        ("GET /api/v1/users/{proxy+}", "console_act"),
        ("GET /api/v1/grants", "console_act"),
        ("GET /api/v1/audit", "console_act"),
        ("POST /unsubscribe", "console_act"),
        ("POST /auth/{proxy+}", "console_web"),
        ("GET /", "console_web"),
        ("GET /{proxy+}", "console_web"),
    ],
)
def test_each_route_reaches_the_function_that_has_its_rights(console: Synthesis, key: str, step: str) -> None:
    assert _function_of(console, _routes(console)[key]) == step


def test_no_other_origin_may_ask_the_api(console: Synthesis) -> None:
    for api in console.of_type("ApiGatewayV2::Api").values():
        assert "CorsConfiguration" not in api


def _stage(synthesis: Synthesis, name: str) -> dict[str, Any]:
    (stage,) = [each for each in synthesis.of_type("ApiGatewayV2::Stage").values() if each["StageName"] == name]
    return stage


def test_requests_are_throttled_and_logins_more(console: Synthesis) -> None:
    stage = _stage(console, "$default")
    assert stage["DefaultRouteSettings"] == {"ThrottlingRateLimit": 50, "ThrottlingBurstLimit": 100}
    assert stage["RouteSettings"] == {"POST /auth/{proxy+}": {"ThrottlingRateLimit": 5, "ThrottlingBurstLimit": 10}}
    assert _stage(console, "live")["DefaultRouteSettings"]["ThrottlingRateLimit"] == 10
    routes_ = {
        name for name, each in console.template["Resources"].items() if each["Type"] == "AWS::ApiGatewayV2::Route"
    }
    (resource,) = [
        each
        for each in console.template["Resources"].values()
        if each["Type"] == "AWS::ApiGatewayV2::Stage" and each["Properties"]["StageName"] == "$default"
    ]
    of_http = {name for name in routes_ if name.startswith("Http")}
    assert of_http <= set(resource["DependsOn"])  # a setting for a route that does not exist is refused


def test_the_access_log_has_no_path_no_query_no_header_and_no_body(console: Synthesis) -> None:
    line = _stage(console, "$default")["AccessLogSettings"]["Format"]
    written = json.loads(line.replace("$context.status", "200"))
    assert written["status"] == 200  # a number, which the alarm compares
    assert set(written) == set(LOGGED)
    for secret in ("path", "Path", "queryString", "header", "Header", "authorizer.claims.email", "requestOverride"):
        assert secret not in line.replace("$context.routeKey", "")


def test_what_a_live_page_says_reaches_no_code(console: Synthesis) -> None:
    keys = {route["RouteKey"] for route in console.of_type("ApiGatewayV2::Route").values()} - set(_routes(console))
    assert keys == {"$connect", "$disconnect"}


# The user pool


def test_nobody_signs_up_alone_and_everybody_has_a_second_factor(console: Synthesis) -> None:
    pool = console.only("Cognito::UserPool")
    assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
    assert (pool["MfaConfiguration"], pool["EnabledMfas"]) == ("ON", ["SOFTWARE_TOKEN_MFA"])
    assert pool["AccountRecoverySetting"]["RecoveryMechanisms"] == [{"Name": "verified_email", "Priority": 1}]
    assert pool["DeletionProtection"] == "ACTIVE"


def test_what_would_replace_the_pool_is_as_it_was(console: Synthesis) -> None:
    """A changed attribute creates a new, empty pool: all users would be lost."""
    pool = console.only("Cognito::UserPool")
    assert pool["AliasAttributes"] == ["email"]
    assert pool["UsernameConfiguration"] == {"CaseSensitive": False}
    assert "Schema" not in pool
    assert "UsernameAttributes" not in pool


def test_the_pool_has_the_rule_of_passwords_that_the_login_tells(console: Synthesis) -> None:
    rule = console.only("Cognito::UserPool")["Policies"]["PasswordPolicy"]
    assert rule["MinimumLength"] == passwords.SHORTEST
    assert all(rule[f"Require{kind}"] for kind in ("Lowercase", "Uppercase", "Numbers", "Symbols"))


def test_tokens_live_for_minutes_and_signing_in_for_a_week(console: Synthesis) -> None:
    client = console.only("Cognito::UserPoolClient")
    assert (client["AccessTokenValidity"], client["IdTokenValidity"]) == (10, 10)
    assert client["RefreshTokenValidity"] == routes.SIGNED_IN.total_seconds() / 60
    assert set(client["TokenValidityUnits"].values()) == {"minutes"}
    assert client["EnableTokenRevocation"] is True
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert client["ExplicitAuthFlows"] == ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]


def test_nobody_can_change_the_address_that_they_are_known_by(console: Synthesis) -> None:
    assert console.only("Cognito::UserPoolClient")["WriteAttributes"] == ["locale"]


def test_the_groups_are_the_roles_and_limited(console: Synthesis) -> None:
    groups = {group["GroupName"] for group in console.of_type("Cognito::UserPoolGroup").values()}
    assert groups == set(GROUPS) == {"viewer", "operator", "admin", "limited"}
    assert not [group for group in console.of_type("Cognito::UserPoolGroup").values() if "RoleArn" in group]


# Retained and deleted resources


def test_people_and_their_data_outlive_the_stack_on_aws_and_nothing_does_locally(
    console: Synthesis, local_console: Synthesis
) -> None:
    kept = {
        "AWS::Cognito::UserPool": "RetainExceptOnCreate",
        "AWS::Cognito::UserPoolGroup": "RetainExceptOnCreate",
        "AWS::DSQL::Cluster": "Retain",
    }
    for resource in console.template["Resources"].values():
        if policy := kept.get(resource["Type"]):
            assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == (policy, "Retain")
    locally = [each for each in local_console.template["Resources"].values() if each["Type"] in kept]
    assert {each["DeletionPolicy"] for each in locally} == {"Delete"}
    assert console.only("DSQL::Cluster")["DeletionProtectionEnabled"] is True
    assert local_console.only("DSQL::Cluster")["DeletionProtectionEnabled"] is False


def test_tickets_and_plans_expire_and_go_with_the_stack(console: Synthesis) -> None:
    table = console.only("DynamoDB::Table")
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    (resource,) = [each for each in console.template["Resources"].values() if each["Type"] == "AWS::DynamoDB::Table"]
    assert resource["DeletionPolicy"] == "Delete"


# The live page


def test_records_of_runs_reach_the_live_page_at_most_once_a_second(console: Synthesis) -> None:
    source = console.only("Lambda::EventSourceMapping")
    (filter_,) = source["FilterCriteria"]["Filters"]
    assert json.loads(filter_["Pattern"]) == {
        "eventName": ["INSERT", "MODIFY"],
        "dynamodb": {"Keys": {"pk": {"S": [{"prefix": "RUN#"}]}}},
    }
    assert source["MaximumBatchingWindowInSeconds"] == 1
    assert source["BatchSize"] == 10_000  # so that the window ends a batch, not its size
    assert "ParallelizationFactor" not in source
    assert (source["MaximumRetryAttempts"], source["MaximumRecordAgeInSeconds"]) == (1, 60)


def test_a_run_that_starts_or_ends_reaches_it_too(console: Synthesis) -> None:
    pattern = console.only("Events::Rule")["EventPattern"]
    (machine,) = pattern["detail"]["stateMachineArn"]
    assert plain(machine).endswith(":stateMachine:appstore-analytics")
    assert pattern["detail-type"] == ["Step Functions Execution Status Change"]


def test_the_live_function_knows_where_to_send_on_aws_and_locally_boto3_does(
    console: Synthesis, local_console: Synthesis
) -> None:
    name = "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"
    (api,) = [key for key, each in console.of_type("ApiGatewayV2::Api").items() if each["ProtocolType"] == "WEBSOCKET"]
    assert _told(console, "console_live")[name] == (f"https://<{api}>.execute-api.<AWS::Region>.<AWS::URLSuffix>/live")
    assert name not in _told(local_console, "console_live")


# The database


def test_each_function_connects_as_a_role_of_its_own_and_one_administers(console: Synthesis) -> None:
    roles = {step: _told(console, step)["DATABASE_ROLE"] for step in ("console_read", "console_act", "console_migrate")}
    assert roles == {"console_read": "console_read", "console_act": "console_act", "console_migrate": "admin"}
    for step in roles:
        told = _told(console, step)
        assert (told["DATABASE_SECRET"], told["DATABASE_WITHOUT_TLS"]) == ("", "false")
        assert told["DATABASE_ADDRESS"].startswith("<DatabaseCluster")
    assert "DATABASE_ROLE" not in _told(console, "console_web") | _told(console, "console_live")


def test_migrations_run_when_the_code_changes_and_before_anybody_is_told_that_it_is_deployed(
    console: Synthesis,
) -> None:
    migration = next(each for each in console.template["Resources"].values() if each["Type"] == "Custom::Migration")
    assert migration["Properties"]["version"] == stage_package().name
    waits_for = {console.template["Resources"][name]["Type"] for name in migration["DependsOn"]}
    assert {"AWS::DSQL::Cluster", "AWS::IAM::Policy"} <= waits_for


def test_without_tls_is_for_the_embedded_aws_alone(local_console: Synthesis) -> None:
    assert _told(local_console, "console_read")["DATABASE_WITHOUT_TLS"] == "true"


def test_a_postgresql_of_ones_own_is_reached_by_secrets_and_from_its_subnets(with_own_postgres: Synthesis) -> None:
    assert not with_own_postgres.of_type("DSQL::Cluster")
    told = {step: _told(with_own_postgres, step).get("DATABASE_SECRET") for step in with_own_postgres.functions()}
    assert told == {
        "console_read": "appstore-analytics/console/console_read",
        "console_act": "appstore-analytics/console/console_act",
        "send_digest": "appstore-analytics/console/send_digest",
        "console_migrate": "apps/postgres",
        "console_web": None,
        "console_live": None,
    }
    inside = {step for step, each in with_own_postgres.functions().items() if "VpcConfig" in each}
    assert inside == {"console_read", "console_act", "send_digest", "console_migrate"}
    assert with_own_postgres.functions()["console_read"]["VpcConfig"] == {
        "SubnetIds": ["subnet-0123456789abcdef0"],
        "SecurityGroupIds": ["sg-0123456789abcdef0"],
    }


# Alarms


def test_two_alarms_tell_of_failures_and_of_requests_turned_away(console: Synthesis) -> None:
    alarms = {alarm["AlarmName"]: alarm for alarm in console.of_type("CloudWatch::Alarm").values()}
    assert set(alarms) == {"appstore-analytics-ConsoleFailed", "appstore-analytics-ConsoleThrottled"}
    for alarm in alarms.values():
        (action,) = alarm["AlarmActions"]
        assert plain(action).endswith(":appstore-analytics-alarms")
        assert "docs/console.md#" in alarm["AlarmDescription"]
    assert alarms["appstore-analytics-ConsoleFailed"]["MetricName"] == "5xx"
    (filter_,) = console.of_type("Logs::MetricFilter").values()
    assert filter_["FilterPattern"] == "{ $.status = 429 }"
    (metric,) = filter_["MetricTransformations"]
    throttled = alarms["appstore-analytics-ConsoleThrottled"]
    assert (metric["MetricName"], metric["MetricNamespace"]) == (throttled["MetricName"], throttled["Namespace"])


def test_digests_are_sent_on_mondays_where_they_are_asked_for(console: Synthesis, with_own_postgres: Synthesis) -> None:
    assert not console.of_type("Scheduler::Schedule")
    assert "send_digest" not in console.functions()
    schedule = with_own_postgres.only("Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == "cron(30 14 ? * MON *)"
    assert plain(schedule["Target"]["DeadLetterConfig"]["Arn"]).endswith(":appstore-analytics-dead-letters")
    told = _told(with_own_postgres, "send_digest")
    assert (told["DIGEST_SENDER"], told["DIGEST_SLACK_SECRET"]) == ("digest@example.com", "harbor/slack")
    assert told["UNSUBSCRIBE_SECRET"] == _told(with_own_postgres, "console_act")["UNSUBSCRIBE_SECRET"] != ""
    assert _told(console, "console_act")["UNSUBSCRIBE_SECRET"] == ""


# Two installations


def test_every_fixed_name_begins_with_the_name(tmp_path: Path) -> None:
    staging = synthesize_console(tmp_path, context(console=True, name="studio-staging"))
    assert staging.template_path.name == "studio-staging-console.template.json"
    shared = {
        "AWS::Cognito::UserPoolGroup",
        "AWS::Cognito::UserPoolClient",
        "AWS::ApiGatewayV2::Authorizer",
        "AWS::ApiGatewayV2::Stage",
    }
    for one in staging.template["Resources"].values():
        name = physical_name(one)
        if name is not None and one["Type"] not in shared | {"AWS::IAM::Policy"}:
            assert "studio-staging" in name, (one["Type"], name)
    assert "appstore-analytics-" not in json.dumps(
        [one for one in staging.template["Resources"].values() if one["Type"] != "AWS::CloudWatch::Alarm"]
    )

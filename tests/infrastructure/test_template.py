"""Settings that the embedded AWS would not check: those that protect, expire or describe, read from the template."""

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from synthesis import PROJECT, Synthesis, columns_of, context, plain, synthesize

from appstore_analytics.contract import capacities, settings
from appstore_analytics.contract.capacities import ARROW_MEMORY
from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.settings import Settings
from infra.console.functions import CAPACITIES as CONSOLE_CAPACITIES
from infra.functions import CAPACITIES, state_name
from operations.doctor import account, data

CLOUDFORMATION_LIMIT = 500


def test_cdk_nag_finds_nothing_that_is_not_acknowledged_with_a_reason(synthesis: Synthesis) -> None:
    assert synthesis.findings == ""


def test_cfn_lint_finds_nothing(synthesis: Synthesis) -> None:
    # W3005: CDK lets a function depend on its role's policies, and on the role as well.
    cfn_lint = Path(sys.executable).with_name("cfn-lint")
    command = [str(cfn_lint), "--ignore-checks", "W3005", "--", str(synthesis.template_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.stdout + result.stderr == ""
    assert result.returncode == 0


def test_every_report_in_every_granularity_fits_one_stack(tmp_path_factory: pytest.TempPathFactory) -> None:
    values = context(reports="all", granularities=list(Granularity))
    largest = synthesize(tmp_path_factory.mktemp("all"), values)
    assert len(largest.of_type("Glue::Table")) > 150
    assert len(largest.template["Resources"]) < CLOUDFORMATION_LIMIT
    assert largest.template_path.stat().st_size < 1_000_000  # the maximum size for CloudFormation from S3
    for table in largest.of_type("Glue::Table").values():
        assert len(table["TableInput"]["Description"]) <= 2048
        assert all(len(column.get("Comment", "")) <= 255 for column in columns_of(table))


@pytest.fixture(scope="module")
def buckets(synthesis: Synthesis) -> dict[str, dict[str, Any]]:
    found = synthesis.of_type("S3::Bucket")
    return {
        word: found[synthesis.template["Outputs"][f"{word}Bucket"]["Value"]["Ref"]]
        for word in ("Raw", "Lake", "Results")
    }


@pytest.mark.parametrize("word", ["Raw", "Lake", "Results"])
def test_buckets_are_encrypted_private_and_owned(buckets: dict[str, dict[str, Any]], word: str) -> None:
    bucket = buckets[word]
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def test_buckets_refuse_plain_http_and_old_tls(synthesis: Synthesis) -> None:
    policies = synthesis.of_type("S3::BucketPolicy")
    assert len(policies) == 3
    for policy in policies.values():
        denied = [each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Deny"]
        conditions = [each["Condition"] for each in denied]
        assert {"Bool": {"aws:SecureTransport": "false"}} in conditions
        assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in conditions


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Raw", {"raw/": 400}),
        ("Lake", {"runs/": 90, "publications/": 400}),
        ("Results", {None: 7}),
    ],
)
def test_objects_expire_where_they_may(buckets: dict[str, dict[str, Any]], word: str, expected: dict[Any, int]) -> None:
    rules = buckets[word]["LifecycleConfiguration"]["Rules"]
    assert {rule.get("Prefix"): rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule} == expected
    assert {"DaysAfterInitiation": 1} in [rule.get("AbortIncompleteMultipartUpload") for rule in rules]
    assert {rule["Status"] for rule in rules} == {"Enabled"}


def test_the_lake_keeps_replaced_objects_for_a_month(buckets: dict[str, dict[str, Any]]) -> None:
    assert buckets["Lake"]["VersioningConfiguration"] == {"Status": "Enabled"}
    rules = buckets["Lake"]["LifecycleConfiguration"]["Rules"]
    kept = {rule.get("Prefix"): rule.get("NoncurrentVersionExpiration") for rule in rules}
    assert kept.pop("marts/months/") == {"NoncurrentDays": 1}  # copies, of which nobody needs an older one
    assert {"NoncurrentDays": 30} in kept.values()


def test_the_registry_is_recoverable_protected_and_forgets_what_expired(synthesis: Synthesis) -> None:
    table = synthesis.only("DynamoDB::Table")
    assert table["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    looked_for = (data.TIME_TO_LIVE, data.STREAM_VIEW)  # by the doctor, which no template tells them
    assert looked_for == ("expires_at", table["StreamSpecification"]["StreamViewType"])
    assert table["DeletionProtectionEnabled"] is True


def test_data_and_keys_outlive_the_stack_on_aws_and_nothing_does_locally(
    synthesis: Synthesis, local: Synthesis
) -> None:
    """A failed first deployment deletes its resources, except the registry, which is protected."""
    policies = {
        "AWS::S3::Bucket": "RetainExceptOnCreate",
        "AWS::SecretsManager::Secret": "RetainExceptOnCreate",
        "AWS::DynamoDB::Table": "Retain",
    }
    for resource in synthesis.template["Resources"].values():
        if policy := policies.get(resource["Type"]):
            assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == (policy, "Retain")
    kept = [resource for resource in local.template["Resources"].values() if resource["Type"] in policies]
    assert {resource["DeletionPolicy"] for resource in kept} == {"Delete"}


def test_every_account_has_its_secret_where_the_functions_look(local: Synthesis) -> None:
    names = {secret["Name"] for secret in local.of_type("SecretsManager::Secret").values()}
    prefix = local.functions()["plan_run"]["Environment"]["Variables"]["API_KEY_SECRET_PREFIX"]
    assert names == {f"{prefix}main", f"{prefix}studio-2", f"{prefix}studio-2/reader"}
    assert local.template["Outputs"]["ApiKeySecretStudio2"]["Value"] == f"{prefix}studio-2"
    assert local.template["Outputs"]["ApiKeySecretStudio2Reader"]["Value"] == f"{prefix}studio-2/reader"


@pytest.mark.parametrize(
    ("step", "secrets"),
    [
        ("register_request", {"main", "studio-2"}),
        ("list_instances", {"main", "studio-2/reader"}),
        ("download_segments", {"main", "studio-2/reader"}),
        ("plan_run", {"main", "studio-2/reader"}),
        ("convert_instance", set()),
    ],
)
def test_only_register_request_can_read_an_admin_key_where_reading_has_its_own(
    local: Synthesis, step: str, secrets: set[str]
) -> None:
    names = {
        name: secret["Name"].removeprefix("appstore-analytics/")
        for name, secret in local.of_type("SecretsManager::Secret").items()
    }
    role = local.functions()[step]["Role"]["Fn::GetAtt"][0]
    readable = {
        names[resource["Ref"]]
        for policy in local.of_type("IAM::Policy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if policy["Roles"] == [{"Ref": role}] and statement["Action"] == "secretsmanager:GetSecretValue"
        for resource in _listed(statement["Resource"])
    }
    assert readable == secrets


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """As on the embedded AWS: loopback, two accounts, the second with a reader key."""
    values = context(
        local="true",
        retain="false",
        apple_base_url="http://127.0.0.1:8080",
        segment_hosts='["127.0.0.1"]',
        accounts='[{"name": "main"}, {"name": "studio-2", "reader_key": true}]',
        reports='["downloads"]',
    )
    return synthesize(tmp_path_factory.mktemp("local"), values)


def test_locally_loopback_is_allowed_and_protection_is_off(local: Synthesis) -> None:
    environment = local.functions()["download_segments"]["Environment"]["Variables"]
    assert environment["APPLE_BASE_URL"] == "http://127.0.0.1:8080"
    assert environment["SEGMENT_HOSTS"] == '["127.0.0.1"]'
    assert environment["ALLOW_LOOPBACK"] == "true"
    assert local.only("DynamoDB::Table")["DeletionProtectionEnabled"] is False
    assert local.only("Athena::WorkGroup")["RecursiveDeleteOption"] is True
    assert {resource.get("DeletionPolicy") for resource in local.template["Resources"].values()} <= {None, "Delete"}


def test_on_aws_loopback_is_not_allowed(synthesis: Synthesis) -> None:
    environment = synthesis.functions()["download_segments"]["Environment"]["Variables"]
    assert environment["APPLE_BASE_URL"] == "https://api.appstoreconnect.apple.com"
    assert environment["ALLOW_LOOPBACK"] == "false"


def test_the_workgroup_has_the_last_word_and_a_cut_off(synthesis: Synthesis) -> None:
    workgroup = synthesis.only("Athena::WorkGroup")
    chosen = workgroup["WorkGroupConfiguration"]
    assert workgroup["Name"] == "appstore-analytics"
    assert workgroup["RecursiveDeleteOption"] is True
    assert chosen["EnforceWorkGroupConfiguration"] is True
    assert chosen["BytesScannedCutoffPerQuery"] == 1_000_000_000_000
    results = synthesis.template["Outputs"]["ResultsBucket"]["Value"]["Ref"]
    assert plain(chosen["ResultConfiguration"]["OutputLocation"]) == f"s3://<{results}>/queries/"
    assert chosen["ResultConfiguration"]["EncryptionConfiguration"] == {"EncryptionOption": "SSE_S3"}


def test_every_function_folder_is_a_function_and_every_function_has_a_folder(synthesis: Synthesis) -> None:
    folders = {path.parent.name for path in (PROJECT / "functions").glob("*/handler.py")}
    assert folders - CONSOLE_CAPACITIES.keys() == set(synthesis.functions()) == set(CAPACITIES)


@pytest.mark.parametrize("step", ["convert_instance", "publish_date"])
def test_the_functions_that_convert_and_publish_keep_their_memory(synthesis: Synthesis, step: str) -> None:
    environment = synthesis.functions()[step]["Environment"]["Variables"]
    assert environment.items() >= ARROW_MEMORY.items()


@pytest.mark.parametrize("step", CAPACITIES)
def test_the_environment_of_a_function_is_the_fields_of_its_settings(synthesis: Synthesis, step: str) -> None:
    kind: type[Settings] = getattr(settings, f"{state_name(step)}Settings")
    environment = synthesis.functions()[step]["Environment"]["Variables"]
    of_libraries = ("POWERTOOLS_", *CAPACITIES[step].variables)
    own = {name: plain(value) for name, value in environment.items() if not name.startswith(of_libraries)}
    assert set(own) == {each.name.upper() for each in fields(kind)}
    assert kind.from_environment(own).to_environment() == own
    assert environment["POWERTOOLS_SERVICE_NAME"] == step
    assert environment["POWERTOOLS_METRICS_NAMESPACE"] == "AppStoreAnalytics"


@pytest.mark.parametrize("step", CAPACITIES)
def test_a_function_is_traced_runs_on_arm_and_logs_where_lines_expire(synthesis: Synthesis, step: str) -> None:
    function = synthesis.functions()[step]
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])
    assert function["Handler"] == "handler.handler"
    group = synthesis.of_type("Logs::LogGroup")[function["LoggingConfig"]["LogGroup"]["Ref"]]
    assert group["LogGroupName"] == f"/aws/lambda/{function['FunctionName']}"


def test_every_log_group_expires_after_the_days_in_the_context(synthesis: Synthesis) -> None:
    groups = synthesis.of_type("Logs::LogGroup").values()
    assert len(groups) == len(CAPACITIES) + 1
    assert {group["RetentionInDays"] for group in groups} == {30}


def test_only_those_that_read_or_write_parquet_carry_arrow(synthesis: Synthesis) -> None:
    layers = synthesis.of_type("Lambda::LayerVersion")
    names = {reference: properties["LayerName"] for reference, properties in layers.items()}
    carried = {
        step: {names[layer["Ref"]].removeprefix("appstore-analytics-") for layer in function["Layers"]}
        for step, function in synthesis.functions().items()
    }
    with_arrow = {step for step, layers in carried.items() if "arrow" in layers}
    assert with_arrow == {"compact_months", "convert_instance", "publish_date", "summarize_run"}
    assert all({"pipeline", "dependencies"} <= layers for layers in carried.values())


@pytest.mark.parametrize(
    ("step", "memory"), [("convert_instance", 1024), ("publish_date", 2048), ("summarize_run", 1024)]
)
def test_those_that_carry_arrow_have_memory_and_time(synthesis: Synthesis, step: str, memory: int) -> None:
    function = synthesis.functions()[step]
    assert (function["MemorySize"], function["Timeout"]) == (memory, 900)


def test_the_disks_are_those_that_the_steps_refuse_by(synthesis: Synthesis) -> None:
    mebibytes = {step: function["EphemeralStorage"]["Size"] for step, function in synthesis.functions().items()}
    given = {
        "download_segments": capacities.DOWNLOAD_GIBIBYTES,
        "convert_instance": capacities.CONVERSION_GIBIBYTES,
        "publish_date": capacities.PUBLICATION_GIBIBYTES,
    }
    assert mebibytes == dict.fromkeys(mebibytes, 512) | {step: 1024 * number for step, number in given.items()}
    assert max(given.values()) <= capacities.MOST_GIBIBYTES
    assert capacities.LARGEST_SEGMENT_BYTES < 1024**3 * capacities.DOWNLOAD_GIBIBYTES
    assert 4 * capacities.LARGEST_INSTANCE_BYTES <= 1024**3 * capacities.CONVERSION_GIBIBYTES


def _schedule(synthesis: Synthesis, name: str) -> dict[str, Any]:
    (found,) = [each for each in synthesis.of_type("Scheduler::Schedule").values() if each["Name"].endswith(name)]
    assert found["ScheduleExpressionTimezone"] == "Etc/UTC"
    assert found["FlexibleTimeWindow"] == {"Mode": "OFF"}
    return found


def test_a_daily_execution_starts_on_time_in_utc(synthesis: Synthesis) -> None:
    schedule = _schedule(synthesis, "daily")
    assert schedule["ScheduleExpression"] == "cron(0 10 * * ? *)"
    assert json.loads(schedule["Target"]["Input"]) == {"operation": "daily", "started_by": "schedule"}


def test_freshness_is_checked_every_hour(synthesis: Synthesis) -> None:
    schedule = _schedule(synthesis, "hourly")
    assert schedule["ScheduleExpression"] == "cron(20 * * * ? *)"
    (function,) = [
        name
        for name, each in synthesis.of_type("Lambda::Function").items()
        if each["FunctionName"] == "appstore-analytics-check-freshness"
    ]
    assert plain(schedule["Target"]["Arn"]) == f"<{function}>"


def test_whatever_cannot_be_delivered_becomes_a_dead_letter(synthesis: Synthesis) -> None:
    ((queue, letters),) = synthesis.of_type("SQS::Queue").items()
    assert letters["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert letters["SqsManagedSseEnabled"] is True
    for schedule in synthesis.of_type("Scheduler::Schedule").values():
        assert plain(schedule["Target"]["DeadLetterConfig"]["Arn"]) == f"<{queue}>"
    (slack,) = [each for each in synthesis.of_type("SNS::Subscription").values() if each["Protocol"] == "lambda"]
    assert plain(slack["RedrivePolicy"]["deadLetterTargetArn"]) == f"<{queue}>"
    functions = synthesis.of_type("Lambda::Function")
    names = set()
    for each in synthesis.of_type("Lambda::EventInvokeConfig").values():
        assert plain(each["DestinationConfig"]["OnFailure"]["Destination"]) == f"<{queue}>"
        assert each["MaximumRetryAttempts"] == 2
        names.add(functions[each["FunctionName"]["Ref"]]["FunctionName"])
    assert names == {"appstore-analytics-check-freshness", "appstore-analytics-notify-slack"}
    statements = [
        statement
        for policy in synthesis.of_type("SQS::QueuePolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    assert {"Bool": {"aws:SecureTransport": "false"}} in [statement.get("Condition") for statement in statements]
    assert {"Service": "sns.amazonaws.com"} in [statement["Principal"] for statement in statements]


def test_the_topic_takes_alarms_over_tls_and_tells_by_mail_and_slack(synthesis: Synthesis, local: Synthesis) -> None:
    deny, allow = synthesis.only("SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert (allow["Effect"], allow["Principal"]) == ("Allow", {"Service": "cloudwatch.amazonaws.com"})
    subscriptions = {each["Protocol"]: each["Endpoint"] for each in synthesis.of_type("SNS::Subscription").values()}
    assert subscriptions.pop("email") == "on-call@example.com"
    assert plain(subscriptions.pop("lambda")).startswith("<FunctionsNotifySlack")
    assert not subscriptions
    assert not local.of_type("SNS::Subscription")


def test_without_a_webhook_there_is_no_function_for_it(local: Synthesis) -> None:
    assert set(CAPACITIES) - set(local.functions()) == {"notify_slack"}


def test_the_doctor_asks_for_the_bootstrap_that_the_template_accepts(synthesis: Synthesis) -> None:
    (rule,) = synthesis.template["Rules"]["CheckBootstrapVersion"]["Assertions"]
    (refused, _) = rule["Assert"]["Fn::Not"][0]["Fn::Contains"]
    assert max(map(int, refused)) + 1 == account.BOOTSTRAP_VERSION

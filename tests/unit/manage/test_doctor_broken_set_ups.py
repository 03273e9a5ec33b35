"""Set-ups that are sound but for one thing: the doctor has one line that is not well, and it says what to do."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber
from moto import mock_aws

from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.names import Database
from infra.configuration import DeploymentConfiguration
from operations import doctor
from operations.doctor.checks import Check, Result
from operations.where import Connection

ACCOUNT, REGION, STACK = "123456789012", "eu-central-1", "AppStoreAnalytics"
SESSION = boto3.Session("test", "test", region_name=REGION)
OUTPUTS = {"RegistryTable": "registry", "RawBucket": "raw", "LakeBucket": "lake", "CheckKeyFunction": "check-key"}
SERVICES = ["cloudwatch.amazonaws.com", "sns.amazonaws.com", f"logs.{REGION}.amazonaws.com"]


@dataclass(frozen=True)
class SetUp:
    """An account in order, before the deployment or after it, and what cdk.json asks for."""

    wanted: DeploymentConfiguration = field(
        default_factory=lambda: DeploymentConfiguration(accounts=(Account("main", ("1000000001",)),))
    )
    bootstrap: str = "21"
    lambda_quota: int = 1_000
    lake_formation: str = "IAM_ALLOWED_PRINCIPALS"
    status: str = ""
    others: tuple[str, ...] = ()
    key: str = "admin"
    ahead: timedelta = timedelta(0)
    breaking: Callable[[Connection], object] = lambda _: None

    def examined(self) -> tuple[Check, ...]:
        aws = _Stubbed(self)
        if self.bootstrap:
            aws.ssm.put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value=self.bootstrap, Type="String")
        defaults = [{"Principal": {"DataLakePrincipalIdentifier": self.lake_formation}, "Permissions": ["ALL"]}]
        aws.lake_formation.put_data_lake_settings(DataLakeSettings={"CreateDatabaseDefaultPermissions": defaults})
        if self.status:
            _make_what_holds_data(aws)
        self.breaking(aws)
        return doctor.examine(aws, STACK, self.wanted, datetime.now(UTC) + self.ahead).checks


class _Stubbed(Connection):
    """With what moto does not answer as AWS does."""

    def __init__(self, set_up: SetUp) -> None:
        super().__init__(SESSION, None)
        limit = {"AccountLimit": {"UnreservedConcurrentExecutions": set_up.lambda_quota}}
        with_outputs = {**OUTPUTS, "StateMachineArn": "arn"}
        functions, formation, athena = (Stubber(one) for one in (self.lambda_, self.cloudformation, self.athena))
        functions.add_response("get_account_settings", limit)
        others = [_stack(name, "CREATE_COMPLETE", with_outputs) for name in set_up.others]
        if set_up.status:
            ours = _stack(STACK, set_up.status, with_outputs)
            for stacks in ([ours], [ours], [ours, *others]):
                formation.add_response("describe_stacks", {"Stacks": stacks})
            told = json.dumps({"verdict": set_up.key, "sentence": "Apple says so."}).encode()
            body = StreamingBody(io.BytesIO(told), len(told))
            functions.add_response("invoke", {"StatusCode": 200, "Payload": body})
        else:
            formation.add_client_error("describe_stacks", "ValidationError", "does not exist")
            formation.add_response("describe_stacks", {"Stacks": others})
            athena.add_client_error("get_work_group", "InvalidRequestException", "WorkGroup is not found")
        for stub in (functions, formation, athena):
            stub.activate()


def _stack(name: str, status: str, outputs: dict[str, str]) -> dict[str, Any]:
    pairs = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    return {"StackName": name, "StackStatus": status, "CreationTime": datetime.now(UTC), "Outputs": pairs}


def _make_what_holds_data(aws: Connection) -> None:
    aws.dynamodb.create_table(
        TableName="registry",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
        DeletionProtectionEnabled=True,
    )
    lives = {"AttributeName": "expires_at", "Enabled": True}
    aws.dynamodb.update_time_to_live(TableName="registry", TimeToLiveSpecification=lives)
    _recovers(aws, recovers=True)
    for name in ("raw", "lake"):
        aws.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        rule = {"ID": "1", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 400}}
        aws.s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [rule]})
        deny = {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
        aws.s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Statement": [deny]}))
    aws.s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})


def _recovers(aws: Connection, *, recovers: bool) -> None:
    specification = {"PointInTimeRecoveryEnabled": recovers}
    aws.dynamodb.update_continuous_backups(TableName="registry", PointInTimeRecoverySpecification=specification)


def _half_deleted_secret(aws: Connection) -> None:
    aws.secrets_manager.create_secret(Name="appstore-analytics/main", SecretString="x")
    aws.secrets_manager.delete_secret(SecretId="appstore-analytics/main")


def _with_key(services: list[str], change: Callable[[Connection, str], object] = lambda *_: None) -> SetUp:
    """A set-up with a KMS key whose policy lets these services use it."""
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"},
        {
            "Effect": "Allow",
            "Principal": {"Service": services},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*", "kms:Encrypt*", "kms:ReEncrypt*", "kms:Describe*"],
            "Resource": "*",
        },
    ]
    kms, policy = SESSION.client("kms"), json.dumps({"Statement": statements})
    made = kms.create_key(Policy=policy, KeyUsage="ENCRYPT_DECRYPT", KeySpec="SYMMETRIC_DEFAULT")["KeyMetadata"]["Arn"]
    wanted = DeploymentConfiguration(kms_key_arn=made)
    return SetUp(wanted=wanted, breaking=lambda aws: change(aws, made))


def _many_apps() -> DeploymentConfiguration:
    apps = tuple(str(1_000_000_000 + number) for number in range(3_000))
    return DeploymentConfiguration(accounts=(Account("main", apps),))


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with mock_aws():
        yield


SOUND: dict[str, Callable[[], SetUp]] = {
    "before the deployment": SetUp,
    "after it": lambda: SetUp(status="UPDATE_COMPLETE"),
    "with a key of one's own": lambda: _with_key(SERVICES),
}

BROKEN: dict[str, tuple[Callable[[], SetUp], str, Result, str]] = {
    "a clock that is wrong": (
        lambda: SetUp(ahead=timedelta(hours=1)), "clock", Result.FIX, "set its clock by NTP",
    ),
    "no bootstrap": (
        lambda: SetUp(bootstrap=""), "bootstrap", Result.FIX, f"run `cdk bootstrap aws://{ACCOUNT}/{REGION}` once",
    ),
    "an old bootstrap": (
        lambda: SetUp(bootstrap="5"), "bootstrap", Result.FIX, f"run `cdk bootstrap aws://{ACCOUNT}/{REGION}` once",
    ),
    "ten Lambdas at once": (
        lambda: SetUp(lambda_quota=10), "Lambda quota", Result.WARNING, "Ask for 1,000 under Service Quotas",
    ),
    "Lake Formation took over": (
        lambda: SetUp(lake_formation="other"), "Lake Formation", Result.WARNING, 'set "lake_formation": true',
    ),
    "a database of this name": (
        lambda: SetUp(breaking=lambda aws: aws.glue.create_database(DatabaseInput={"Name": "curated"})),
        "names", Result.FIX, "choose another name in databases, or use it by existing_databases",
    ),
    "an existing database that is missing": (
        lambda: SetUp(wanted=DeploymentConfiguration(existing_databases=(Database.CURATED,))),
        "names", Result.FIX, "create it, or take it out of existing_databases",
    ),
    "a secret that is half deleted": (
        lambda: SetUp(breaking=_half_deleted_secret),
        "names", Result.FIX, "restore-secret --secret-id appstore-analytics/main",
    ),
    "a dashboard of another region": (
        lambda: SetUp(
            breaking=lambda aws: aws.cloudwatch.put_dashboard(
                DashboardName="appstore-analytics", DashboardBody='{"widgets": []}'
            )
        ),
        "names", Result.FIX, "remove it, or choose another name in cdk.json",
    ),
    "a first deployment that failed": (
        lambda: SetUp(status="ROLLBACK_COMPLETE"), "stack", Result.FIX, f"`cdk destroy {STACK}` and deploy again",
    ),
    "more apps than the quota has calls": (
        lambda: SetUp(wanted=_many_apps()), "quota of main", Result.FIX, "Fetch fewer reports, or split the apps",
    ),
    "another stage on the key": (
        lambda: SetUp(others=("harbor-staging",)), "shared quota", Result.WARNING, "divide calls_per_hour",
    ),
    "a key that is not Admin": (
        lambda: SetUp(status="CREATE_COMPLETE", key="not admin"),
        "API key main", Result.FIX, "`./manage.py put-key` stores another key",
    ),
    "a key that Apple rejects": (
        lambda: SetUp(status="CREATE_COMPLETE", key="rejected"),
        "API key main", Result.FIX, "`./manage.py put-key` stores another key",
    ),
    "a registry without backups": (
        lambda: SetUp(status="CREATE_COMPLETE", breaking=lambda aws: _recovers(aws, recovers=False)),
        "registry", Result.FIX, "`aws dynamodb update-continuous-backups --table-name registry",
    ),
    "a bucket that keeps everything": (
        lambda: SetUp(
            status="CREATE_COMPLETE", breaking=lambda aws: aws.s3.delete_bucket_lifecycle(Bucket="raw")
        ),
        "buckets", Result.FIX, "put back what `cdk synth` shows for it",
    ),
    "a KMS key that the logs may not use": (
        lambda: _with_key(SERVICES[:2]), "KMS key", Result.FIX, "add a statement that does",
    ),
    "a KMS key that is disabled": (
        lambda: _with_key(SERVICES, lambda aws, key: aws.kms.disable_key(KeyId=key.rpartition("/")[2])),
        "KMS key", Result.FIX, "enable it (`aws kms enable-key`)",
    ),
    "a KMS key of another region": (
        lambda: SetUp(
            wanted=DeploymentConfiguration(kms_key_arn=f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-5")
        ),
        "KMS key", Result.FIX, "name a key of this region",
    ),
    "a KMS key that does not exist": (
        lambda: SetUp(
            wanted=DeploymentConfiguration(kms_key_arn=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-5")
        ),
        "KMS key", Result.FIX, "name one that exists in kms_key_arn",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SOUND)
def test_a_set_up_in_order_has_no_line_that_is_not_well(name: str) -> None:
    assert [check for check in SOUND[name]().examined() if check.result is not Result.OK] == []


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_set_up_has_one_line_that_says_what_to_do(name: str) -> None:
    make, subject, result, words = BROKEN[name]
    (check,) = (check for check in make().examined() if check.result is not Result.OK)
    assert (check.subject, check.result) == (subject, result)
    assert words in check.finding
    assert "\n" not in check.finding


def test_a_key_that_no_iam_policy_may_open_is_told() -> None:
    def only_services(aws: Connection, key: str) -> None:
        policy = json.loads(aws.kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
        aws.kms.put_key_policy(
            KeyId=key, PolicyName="default", Policy=json.dumps({"Statement": policy["Statement"][1:]})
        )

    (check,) = (one for one in _with_key(SERVICES, only_services).examined() if one.result is not Result.OK)
    assert "allow kms:* to the account's root" in check.finding

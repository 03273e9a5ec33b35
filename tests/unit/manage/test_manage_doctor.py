"""`doctor`: set-ups that AWS or Apple would refuse later, each found and reported with its fix."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto import mock_aws

from appstore_analytics.contract.configuration import Account
from infra.configuration import DeploymentConfiguration
from operations import doctor
from operations.doctor import account, keys, names
from operations.doctor.checks import Check, Diagnosis, Result, looked_at
from operations.where import Connection

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
SESSION = boto3.Session("test", "test", region_name="eu-central-1")
STACK = "AppStoreAnalytics"
WANTED = DeploymentConfiguration(accounts=(Account("main", ("1000000001",), reader_key=True),))


@pytest.fixture
def aws() -> Iterator[Connection]:
    with mock_aws():
        yield Connection(SESSION, None)


class OfAnEmptyAccount(Connection):
    """Replaces answers in which moto differs from AWS."""

    def __init__(self) -> None:
        super().__init__(SESSION, None)
        for client in (self.lambda_, self.athena, self.cloudformation):
            stub = Stubber(client)
            if client is self.lambda_:
                stub.add_response("get_account_settings", {"AccountLimit": {"UnreservedConcurrentExecutions": 1_000}})
            elif client is self.athena:
                stub.add_client_error("get_work_group", "InvalidRequestException", "WorkGroup is not found")
            else:
                stub.add_client_error("describe_stacks", "ValidationError", "does not exist")
                stub.add_response("describe_stacks", {"Stacks": []})
            stub.activate()


def told(checks: Iterator[Check] | Diagnosis) -> dict[str, Result]:
    return {check.subject: check.result for check in (checks.checks if isinstance(checks, Diagnosis) else checks)}


def only(checks: Iterator[Check]) -> Check:
    (check,) = checks
    return check


def answered_at(instant: datetime) -> Mapping[str, Any]:
    return {"ResponseMetadata": {"HTTPHeaders": {"date": format_datetime(instant, usegmt=True)}}}


@pytest.mark.parametrize(
    ("skew", "result", "words"),
    [
        (timedelta(0), Result.OK, "agree"),
        (timedelta(seconds=59), Result.OK, "agree"),
        (timedelta(hours=1), Result.FIX, "3,600 seconds ahead of AWS"),
        (timedelta(minutes=-6), Result.FIX, "360 seconds behind AWS"),
    ],
)
def test_a_clock_that_is_wrong_is_told(skew: timedelta, result: Result, words: str) -> None:
    check = account.check_clock(answered_at(NOW), NOW + skew)
    assert check.result is result
    assert words in check.finding


@pytest.mark.parametrize(("version", "result"), [(None, Result.FIX), ("5", Result.FIX), ("6", Result.OK)])
def test_a_bootstrap_that_is_missing_or_too_old_is_told(aws: Connection, version: str | None, result: Result) -> None:
    ssm = aws.ssm
    if version:
        ssm.put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value=version, Type="String")
    check = only(account.check_bootstrap(ssm, "123456789012", "eu-central-1"))
    assert check.result is result
    assert ("cdk bootstrap aws://123456789012/eu-central-1" in check.finding) == (result is Result.FIX)


@pytest.mark.parametrize(("limit", "result"), [(10, Result.WARNING), (24, Result.WARNING), (25, Result.OK)])
def test_a_lambda_quota_below_the_maps_is_told(limit: int, result: Result) -> None:
    functions = SESSION.client("lambda")
    with Stubber(functions) as stub:
        stub.add_response("get_account_settings", {"AccountLimit": {"UnreservedConcurrentExecutions": limit}})
        check = only(account.check_lambda_quota(functions, 20))
    assert check.result is result
    assert ("Service Quotas" in check.finding) == (result is Result.WARNING)


@pytest.mark.parametrize(
    ("principals", "result"),
    [(["IAM_ALLOWED_PRINCIPALS"], Result.OK), ([], Result.WARNING), (["other"], Result.WARNING)],
)
def test_lake_formation_that_took_over_is_told(aws: Connection, principals: list[str], result: Result) -> None:
    lake_formation = aws.lake_formation
    defaults = [{"Principal": {"DataLakePrincipalIdentifier": one}, "Permissions": ["ALL"]} for one in principals]
    lake_formation.put_data_lake_settings(DataLakeSettings={"CreateDatabaseDefaultPermissions": defaults})
    assert only(account.check_lake_formation(lake_formation, granted=False)).result is result
    assert only(account.check_lake_formation(lake_formation, granted=True)).result is result


@pytest.mark.usefixtures("aws")
def test_nothing_is_taken_in_an_empty_account() -> None:
    assert told(names.check_names(OfAnEmptyAccount(), names_wanted())) == {"names": Result.OK}


def names_wanted(*existing: str) -> names.WantedNames:
    return names.WantedNames(("curated",), existing, "group", "board", ("pipeline/main",))


def test_an_existing_database_that_is_missing_is_told(aws: Connection) -> None:
    aws.glue.create_database(DatabaseInput={"Name": "shared"})
    findings = [check.finding for check in names.check_names(OfAnEmptyAccount(), names_wanted("shared", "gone"))]
    assert findings == ["The Glue database gone does not exist: create it, or take it out of existing_databases."]


def test_each_name_that_is_taken_is_told_with_its_way_out(aws: Connection) -> None:
    aws.glue.create_database(DatabaseInput={"Name": "curated"})
    aws.athena.create_work_group(Name="group")
    aws.cloudwatch.put_dashboard(DashboardName="board", DashboardBody='{"widgets": []}')
    aws.secrets_manager.create_secret(Name="pipeline/main", SecretString="x")
    findings = [check.finding for check in names.check_names(aws, names_wanted())]
    assert [words for words in ("database curated", "secret pipeline/main", "workgroup group", "dashboard board")
            if not any(words in finding for finding in findings)] == []  # fmt: skip
    assert len(findings) == 4


def test_a_secret_that_is_being_deleted_is_told_as_that(aws: Connection) -> None:
    secrets = aws.secrets_manager
    secrets.create_secret(Name="pipeline/main", SecretString="x")
    secrets.delete_secret(SecretId="pipeline/main")
    check = only(names.check_names(OfAnEmptyAccount(), names_wanted()))
    assert check.result is Result.FIX
    assert "restore-secret --secret-id pipeline/main" in check.finding


@pytest.mark.parametrize(
    ("status", "result"),
    [
        ("", Result.OK),
        ("UPDATE_COMPLETE", Result.OK),
        ("UPDATE_ROLLBACK_COMPLETE", Result.OK),
        ("ROLLBACK_COMPLETE", Result.FIX),
        ("DELETE_FAILED", Result.FIX),
    ],
)
def test_a_stack_that_cannot_be_updated_is_told(status: str, result: Result) -> None:
    assert names.check_stack(STACK, status).result is result


@pytest.mark.parametrize(
    ("verdict", "of_admin", "of_reader"),
    [
        ("admin", Result.OK, Result.OK),
        ("not admin", Result.FIX, Result.OK),
        ("rejected", Result.FIX, Result.FIX),
        ("unusable", Result.FIX, Result.FIX),
        ("unknown", Result.WARNING, Result.WARNING),
    ],
)
def test_only_the_key_that_registers_must_be_admin(verdict: str, of_admin: Result, of_reader: Result) -> None:
    checks = keys.check_keys(WANTED.accounts, lambda _: {"verdict": verdict, "sentence": "Said."})
    assert told(checks) == {"API key main": of_admin, "API key main/reader": of_reader}


def test_a_quota_that_apps_and_reports_exceed_is_told_before_the_first_run() -> None:
    wide = Account("wide", tuple(str(1_000_000_000 + number) for number in range(1_000)))
    assert only(keys.check_quota([wide], 26, 3_500, releases=True)).result is Result.OK
    narrow = only(keys.check_quota([wide], 26, 2_000, releases=False))
    assert (narrow.result, narrow.subject) == (Result.FIX, "quota of wide")
    just_enough = keys.check_quota([wide], 26, 2_234, releases=False)
    assert only(just_enough).result is Result.OK
    assert only(keys.check_quota([wide], 26, 2_234, releases=True)).result is Result.FIX
    assert told(keys.check_quota([Account("all")], 26, 1, releases=True)) == {}


def test_another_pipeline_may_share_the_key() -> None:
    assert told(keys.check_sharing([])) == {}
    check = only(keys.check_sharing(["Staging"]))
    assert check.result is Result.WARNING
    assert "divide calls_per_hour" in check.finding


def test_a_check_that_aws_forbids_lets_the_others_go_on() -> None:
    def forbidden() -> Iterator[Check]:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, "GetParameter")
        yield

    check = only(looked_at("bootstrap", forbidden))
    assert check.result is Result.SKIPPED
    assert "denies GetParameter" in check.finding


def test_before_the_deployment_every_check_has_a_line_and_the_sentence_names_what_failed(aws: Connection) -> None:
    aws.glue.create_database(DatabaseInput={"Name": "curated"})
    found = doctor.examine(OfAnEmptyAccount(), STACK, WANTED, datetime.now(UTC))
    subjects = [check.subject for check in found.checks]
    assert subjects[:2] == ["credentials", "clock"]
    assert {"region", "bootstrap", "Lambda quota", "Lake Formation", "stack", "names"} <= set(subjects)
    assert not found.is_good
    assert "names" in found.sentence

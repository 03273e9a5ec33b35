"""The end of a command: every expected error is one sentence on standard error, and an exit status."""

import io
import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, SSOTokenLoadError
from botocore.stub import Stubber

from appstore_analytics.answers.errors import Refused, Unreachable
from appstore_analytics.answers.executions import Pipeline
from appstore_analytics.answers.health import not_fetched
from appstore_analytics.answers.installation import configuration_in
from appstore_analytics.contract.catalogue import REPORTS_BY_NAME
from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.names import STACK
from appstore_analytics.contract.tables import CuratedTable
from infra.configuration import DeploymentConfiguration, parse_context
from operations import aws_errors, commands, embedded, questions, where
from operations.commands.asked import Asked, _confirmed
from operations.exits import ExitStatus
from operations.questions import tables_of
from operations.where import Where

pytestmark = pytest.mark.usefixtures("without_aws")

ROOT = Path(__file__).resolve().parents[3]


def ended(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        commands.main(arguments)
    return int(end.value.code or 0)


def said(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


def test_without_a_region_it_says_how_to_give_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("runs") == ExitStatus.UNREACHABLE
    assert "--region" in said(capsys)


def test_without_credentials_it_says_how_to_get_some(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("runs", "--region", "eu-west-1") == ExitStatus.UNREACHABLE
    assert "No AWS credentials" in said(capsys)


def test_an_unknown_profile_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("runs", "--profile", "nobody") == ExitStatus.UNREACHABLE
    assert "nobody" in said(capsys)


def test_where_there_is_no_stack_it_names_stack_and_region(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = boto3.client(
        "cloudformation", region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    words = f"Stack with id {STACK} does not exist"
    monkeypatch.setattr(boto3.Session, "client", lambda *_, **__: client)
    with Stubber(client) as stub:
        stub.add_client_error("describe_stacks", "ValidationError", words, expected_params={"StackName": STACK})
        assert ended("status", "--region", "eu-central-1") == ExitStatus.UNREACHABLE
    assert f"no stack {STACK} in eu-central-1" in said(capsys)


def test_without_an_embedded_aws_it_says_how_to_start_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(embedded.address, "__defaults__", ({}, tmp_path / "nothing"))
    assert ended("--local", "runs") == ExitStatus.UNREACHABLE
    assert "./quick_start.sh --keep" in said(capsys)


def test_an_embedded_aws_that_is_gone_is_said_to_be(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)  # the pauses between its retries
    monkeypatch.setattr(embedded.address, "__defaults__", ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, Path("x")))
    assert ended("--local", "runs") == ExitStatus.UNREACHABLE
    assert "No embedded AWS is running at http://127.0.0.1:9 (AWS_ENDPOINT_URL): start one" in said(capsys)


@pytest.mark.parametrize(
    "arguments",
    [
        ("fly",),
        ("backfill", "--apps", "1"),
        ("backfill", "--apps", "1", "--from", "yesterday", "--to", "2026-01-01"),
        ("verify", "--from", "2026-01-02", "--to", "2026-01-01"),
        ("runs", "--last", "0"),
        ("run",),
    ],
)
def test_what_makes_no_sense_ends_with_2(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(*arguments) == ExitStatus.REFUSED
    assert capsys.readouterr().out == ""


def client_error(code: str, message: str = "no such thing") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeStacks")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (client_error("AccessDenied", "User x may not"), "denies DescribeStacks to these credentials: User x may not"),
        (client_error("ExpiredToken"), "expired"),
        (client_error("InvalidClientTokenId"), "does not know these credentials"),
        (client_error("ThrottlingException"), "refuses DescribeStacks (ThrottlingException): no such thing"),
        (SSOTokenLoadError(error_msg="gone"), "aws sso login"),
    ],
)
def test_an_error_of_aws_is_one_sentence(error: Any, words: str) -> None:
    assert words in aws_errors.sentence(error)
    assert "\n" not in aws_errors.sentence(error)


def test_the_stack_is_called_as_the_app_calls_it() -> None:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    assert where.configured_stack() == parse_context(context).names.stack == STACK


def test_another_name_in_cdk_json_is_another_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "cdk.json"
    monkeypatch.setattr(where, "CDK_JSON", file)
    file.write_text('{"context": {"name": "studio-staging"}}')
    assert where.configured_stack() == "studio-staging"
    file.write_text("{}")
    with pytest.raises(Refused, match="object 'context'"):
        where.configured_stack()


def test_the_configuration_is_read_from_the_state_machine() -> None:
    wanted = DeploymentConfiguration(accounts=(Account("main", ("1000000001",)),)).for_plan_run
    state = {"Type": "Task", "Arguments": {"Payload": {"configuration": wanted.to_payload()}}}
    assert configuration_in(json.dumps({"States": {"PlanRun": state}})) == wanted


@pytest.mark.parametrize("definition", ["{}", '{"configuration": {"accounts": [{"name": "main"}]}}'])
def test_a_stack_of_another_version_is_said_to_be(definition: str) -> None:
    with pytest.raises(Unreachable, match="another version"):
        configuration_in(definition)


def test_ctrl_c_leaves_the_run_and_says_how_to_follow_it_again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    step_functions = Starting()

    class Here:
        pipeline = Pipeline(step_functions, "arn", None, None)  # type: ignore[arg-type]
        caller = "arn:aws:iam::123456789012:user/invented"

    monkeypatch.setattr(Pipeline, "follow", interrupt)
    monkeypatch.setattr(Asked, "installation", lambda _: Here())
    assert ended("daily") == ExitStatus.INTERRUPTED
    assert "./manage.py run 20261123T100000000Z-manage-daily-" in capsys.readouterr().err
    assert step_functions.input == {"operation": "daily", "started_by": Here.caller}


class Starting:
    def start_execution(self, **wanted: Any) -> dict[str, Any]:
        self.input = json.loads(wanted["input"])
        return {"executionArn": "arn", "startDate": datetime(2026, 11, 23, 10, 0, tzinfo=UTC)}


TOMORROW = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("daily", "--as-of", TOMORROW), "--as-of must lie between 2020-01-01 and today (UTC)"),
        (("daily", "--as-of", "9999-12-31"), "--as-of must lie between 2020-01-01 and today (UTC)"),
        (("daily", "--as-of", "0001-01-01"), "--as-of must lie between 2020-01-01 and today (UTC)"),
        (
            ("backfill", "--apps", "1", "--from", "2025-01-01", "--to", "2025-01-02", "--as-of", TOMORROW),
            "--as-of must lie between 2020-01-01 and today (UTC)",
        ),
        *(
            ((command, "--as-of", day), "--as-of must lie between 2020-01-01 and 2")
            for command in ("gaps", "status", "schema-verify", "registry-stats")
            for day in ("0001-01-01", "2019-12-31", "2100-01-01", "9999-12-31")
        ),
        (("verify", "--to", "0001-01-03"), "--to must not be before 2020-01-01"),
        (("verify", "--from", "9999-12-30"), "--from (9999-12-30) must not be after --to"),
        *(
            ((*command, "--from", "2026-01-05", "--to", "2026-01-04"), "--from (2026-01-05) must not be after --to")
            for command in (
                ("verify",),
                ("reprocess",),
                ("publish", "--tables", "engagement"),
                ("backfill", "--apps", "1000000001"),
                ("refetch", "--apps", "1000000001"),
            )
        ),
        (("rebuild-kpis", "--from", "9999-12-31"), "--from (9999-12-31) must not be after --to"),
        (("refetch", "--apps", "1", "--from", "9999-12-30", "--to", "9999-12-31"), "start_processing_date must not be"),
        *(
            ((command, option, value), f"{option} is empty: give at least one value, or leave it out.")
            for command, option in (("gaps", "--apps"), ("health", "--app"), ("schema-verify", "--tables"))
            for value in ("", " ", ",", " , ")
        ),
        (("backfill", "--apps=", "--from", "2026-01-01", "--to", "2026-01-02"), "--apps is empty"),
        (("reprocess", "--reports", "engagement", ""), "--reports is empty"),
        *(
            (("gaps", option, day), f"{option} must be a day such as 2026-01-31, not '{shown}'")
            for option in ("--from", "--as-of")
            for day, shown in (
                ("2026-02-30", "2026-02-30"),
                ("2026-13-01", "2026-13-01"),
                ("20260131", "20260131"),
                ("2026-1-1", "2026-1-1"),
                ("２０２６-01-01", "２０２６-01-01"),
                ("2026-01-01T00:00", "2026-01-01T00:00"),
                ("today", "today"),
                ("", ""),
                ("2026-01-31\n", "2026-01-31?"),
                ("x" * 500, "x" * 40),
            )
        ),
        (("gaps", "--from", TOMORROW), "--from must not be after today (UTC)"),
        (("gaps", "--from", "9999-12-31"), "--from must not be after today (UTC)"),
        *(
            ((*command, "--apps", app), f"--apps must hold Apple ids such as 1000000001, not '{app}'")
            for command in (
                ("reprocess",),
                ("backfill", "--from", "2026-01-01", "--to", "2026-01-02"),
                ("refetch", "--from", "2026-01-01", "--to", "2026-01-02"),
            )
            for app in ("abc", "0", "007", "1e9", "１", "1.0", "1000000001x", "9" * 19)
        ),
        *(
            (
                (*command, "--reports", report),
                f"--reports must hold table names or Apple's names of reports, not '{report}'",
            )
            for command in (("reprocess",), ("backfill", "--apps", "1", "--from", "2026-01-01", "--to", "2026-01-02"))
            for report in ("nope", "engagements", "app downloads standard", "curated.engagement")
        ),
        *((command, "RUN is empty") for command in (("run", ""), ("rollback", " "), ("reprocess", "--run", ""))),
        (("put-key", "--account", "main", "AuthKey_ABC1234567.p8"), "AuthKey_ABC1234567.p8 cannot be read"),
        (("put-key", "--account", "main", "nothing.p8"), "--key-id is missing"),
        (
            ("put-key", "--key-id", "ABC1234567", "/dev/null"),
            "/dev/null: private_key in the secret made of these is missing",
        ),
        (("import-registry", "nothing.json"), "nothing.json cannot be read"),
        (("import-registry", "/dev/null"), "/dev/null is not JSON"),
        (("reprocess", "--to", "2019-01-01"), "--to must not be before 2020-01-01"),
        (("status", "--stack", ""), "--stack must be the name of a CloudFormation stack"),
        (("status", "--stack", " "), "--stack must be the name of a CloudFormation stack"),
        (("status", "--stack", "a/b"), "--stack must be the name of a CloudFormation stack"),
        (("status", "--region", ""), "--region is empty"),
        (("status", "--profile", " "), "--profile is empty"),
    ],
)
def test_what_makes_no_sense_is_one_sentence_before_aws_is_asked(
    words: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Where, "open", lambda _: pytest.fail("AWS was asked"))
    assert ended(*words) == ExitStatus.REFUSED
    assert said(capsys).startswith(sentence)


@pytest.mark.parametrize("name", ["crashes_expanded", "crashes_expanded_vintages"])
def test_a_table_of_vintages_goes_by_both_its_names(name: str) -> None:
    table = CuratedTable(REPORTS_BY_NAME["App Crashes Expanded"], Granularity.DAILY)

    class Here:
        tables = (table,)

    assert tables_of(Here(), [name, table.name]) == [table]  # type: ignore[arg-type]


def test_the_script_runs_from_anywhere_with_any_python(tmp_path: Path) -> None:
    """It continues as .venv's Python."""
    answer = subprocess.run(
        [sys.base_prefix + "/bin/python3", str(ROOT / "manage.py"), "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "schema-verify" in answer.stdout
    assert (ROOT / "manage.py").stat().st_mode & 0o100


@pytest.mark.parametrize(("typed", "is_yes"), [("y\n", True), ("n\n", False), ("", False)])
def test_only_a_yes_starts_what_was_planned(typed: str, is_yes: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert _confirmed("Start it?") is is_yes


def test_without_a_command_the_health_comes_before_the_commands(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a pipeline, one sentence says why, and nothing but the help works."""

    def nothing_here(_: Asked) -> None:
        raise Unreachable("There is no stack.")

    monkeypatch.setattr(Asked, "installation", nothing_here)
    assert ended() == ExitStatus.GOOD
    shown = capsys.readouterr().out
    assert shown.startswith("No pipeline to look at: There is no stack.")
    assert "schema-verify" in shown
    monkeypatch.setattr(Asked, "installation", lambda _: None)
    monkeypatch.setattr(questions, "health", lambda *_: not_fetched("Lost App", date(2026, 11, 23)))
    assert ended() == ExitStatus.BAD
    shown = capsys.readouterr().out
    assert shown.index("Not well: no account has the app Lost App") < shown.index("schema-verify")
    assert ended("--json") == ExitStatus.BAD
    assert json.loads(capsys.readouterr().out)["is_good"] is False

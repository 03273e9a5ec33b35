"""manage.py against the synthesized template on the embedded AWS: commands and their output."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from deployed import DAILY_TABLES, DAY, TABLES, Deployed, app, friday_of_the_scenarios

from operations import commands
from operations.exits import ExitStatus

ROOT = Path(__file__).resolve().parents[2]
APPS = (app(7), app(8))
FRIDAY = friday_of_the_scenarios()
FIRST = FRIDAY - 4 * DAY


@dataclass
class Manage:
    """The command line in this process, with `--local`; what it prints as JSON."""

    capture: pytest.CaptureFixture[str]

    def ends(self, *words: str) -> tuple[int, str, str]:
        self.capture.readouterr()
        with pytest.raises(SystemExit) as end:
            commands.main([*words, "--local"])
        out, err = self.capture.readouterr()
        return int(end.value.code or 0), out, err

    def answers(self, *words: str) -> dict[str, Any]:
        status, out, _ = self.ends(*words, "--json")
        answer: dict[str, Any] = json.loads(out)
        assert status == (ExitStatus.GOOD if answer["is_good"] else ExitStatus.BAD)
        return answer


@pytest.fixture(scope="module")
def account(deployed: Deployed) -> Iterator[Deployed]:
    """The account has two apps; their requests were registered four days ago, and two days had runs."""
    deployed.begin(FIRST)
    deployed.daily("manage-first", APPS)
    deployed.world.move_to(FRIDAY - DAY)
    deployed.daily("manage-thursday", APPS)
    deployed.world.move_to(FRIDAY)
    deployed.world.apps = {app_id: deployed.every_app[app_id] for app_id in APPS}
    yield deployed
    deployed.world.apps = dict(deployed.every_app)


@pytest.fixture
def manage(account: Deployed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Manage:
    monkeypatch.setenv("AWS_ENDPOINT_URL", account.aws.url)
    return Manage(capsys)


def test_the_doctor_finds_a_deployed_pipeline_in_order(manage: Manage) -> None:
    found = {check["subject"]: check["result"] for check in manage.answers("doctor")["checks"]}
    assert found["credentials"] == found["stack"] == found["API key main"] == "ok"
    assert "fix" not in found.values()


def test_a_day_is_run_and_then_asked_about(manage: Manage) -> None:
    today = FRIDAY.isoformat()
    # before the day's run
    missing = manage.answers("gaps", "--as-of", (FRIDAY + 6 * DAY).isoformat())
    assert {gap["repair"] for gap in missing["gaps"]} == {"the next daily run"}
    # the run
    ran = manage.answers("daily", "--as-of", today)
    assert (ran["status"], ran["operation"], ran["judged_on"]) == ("SUCCEEDED", "daily", today)
    assert {app_id for line in ran["verdicts"] for app_id in re.findall(r"\d{10}", line["app_ids"])} == set(APPS)
    # found again
    runs = manage.answers("runs", "--last", "2")
    assert runs["runs"][0]["run_id"] == ran["run_id"]
    assert manage.answers("run", "newest") == manage.answers("run", ran["run_id"]) == ran
    assert manage.answers("run", "newest", "--follow")["run_id"] == ran["run_id"]
    # questions
    status = manage.answers("status", "--as-of", today)
    assert [(line["app_id"], line["verdict"], line["last_instance"]) for line in status["requests"]] == [
        (app_id, "ready", today) for app_id in APPS
    ]
    gaps = manage.answers("gaps", "--as-of", today)
    assert gaps["gaps"] == []
    assert {table["table_name"] for table in gaps["tables"]} >= set(DAILY_TABLES)
    assert manage.answers("freshness")["stale"] is not None
    assert [line["app_id"] for line in manage.answers("apps")["apps"]] == list(APPS)
    counted = manage.answers("registry-stats", "--as-of", today)
    assert counted["instances"]["converted"] > 0
    assert counted["requests"] == {"ONGOING ready": 2}


def test_tables_and_schemas_are_checked(manage: Manage) -> None:
    since = (FRIDAY - 7 * DAY).isoformat()
    verified = manage.answers("verify", "--tables", "engagement,purchases", "--from", since, "--to", FRIDAY.isoformat())
    assert [table["table_name"] for table in verified["tables"]] == ["engagement", "purchases"]
    assert all(table["batches"] >= 2 for table in verified["tables"])
    assert not {one["app_id"] for one in verified["differences"]} & set(APPS)
    schema = manage.answers("schema-verify", "--as-of", FRIDAY.isoformat(), "--all")
    assert {table["table_name"] for table in schema["tables"]} == set(TABLES)
    daily = [line for line in schema["columns"] if line["table_name"] in DAILY_TABLES]
    assert {line["verdict"] for line in daily} == {"equal"}
    assert manage.ends("schema-verify", "--as-of", FRIDAY.isoformat(), "--patch")[1] == ""


def test_a_backfill_is_planned_before_it_is_started(manage: Manage, account: Deployed) -> None:
    wanted = ("--apps", APPS[0], "--from", (FIRST - 9 * DAY).isoformat(), "--to", (FIRST - 5 * DAY).isoformat())
    more = ("--reports", "engagement", "--as-of", FRIDAY.isoformat())
    before = account.api_calls()
    plan = manage.answers("backfill", *wanted, *more)
    assert (plan["requests_to_make"], plan["tables"][0]["dates"]) == (1, 5)
    assert plan["rows_expected"] > 0
    status, out, err = manage.ends("backfill", *wanted, *more)
    assert status == ExitStatus.GOOD
    assert "snapshots" in out
    assert "Nothing was started" in err
    assert account.api_calls() == before


def test_a_run_is_taken_back_and_its_files_converted_again(manage: Manage) -> None:
    daily = next(run for run in manage.answers("runs")["runs"] if run["operation"] == "daily")["run_id"]
    plan = manage.answers("rollback", daily)
    assert {table["table_name"] for table in plan["tables"]} >= set(DAILY_TABLES)
    back = manage.answers("rollback", daily, "--yes")
    assert (back["operation"], back["status"]) == ("rollback", "SUCCEEDED")
    only = ("--apps", APPS[0], "--reports", "engagement", "--run", daily)
    planned = manage.answers("reprocess", *only)
    assert {table["table_name"] for table in planned["tables"]} <= {"engagement", "engagement_weekly"}
    again = manage.answers("reprocess", *only, "--yes")
    assert (again["operation"], again["status"]) == ("reprocess", "SUCCEEDED")
    assert again["totals"]["instances"] == sum(table["instances"] for table in planned["tables"])


def test_what_cannot_be_answered_says_why(manage: Manage) -> None:
    status, out, err = manage.ends("run", "2031")
    assert (status, out) == (ExitStatus.REFUSED, "")
    assert "There is no run '2031'" in err
    status, out, err = manage.ends("status", "--stack", "Nothing")
    assert (status, out) == (ExitStatus.UNREACHABLE, "")
    assert "no stack Nothing in us-east-1" in err
    assert manage.ends("verify", "--tables", "crashes")[0] == ExitStatus.REFUSED
    assert "end_date" in manage.ends("backfill", "--apps", "9", "--from", "2026-01-01", "--to", "2099-01-01")[2]


def test_the_script_prints_plain_tables_into_a_pipe(account: Deployed) -> None:
    answer = subprocess.run(
        [str(ROOT / "manage.py"), "--local", "runs"],
        env=os.environ | {"AWS_ENDPOINT_URL": account.aws.url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.stderr == ""
    assert "\x1b" not in answer.stdout
    assert "manage-thursday" in answer.stdout

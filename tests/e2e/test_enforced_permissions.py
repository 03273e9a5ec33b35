"""Every call of every function under the deployed IAM policies, compared with the policies in both directions."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from console_browser import Browser, change_people
from deployed import (
    CRASHES,
    DAY,
    ENGAGEMENT,
    SLACK_SECRET,
    Deployed,
    app,
    friday_of_the_scenarios,
    report_of,
    secrets_in,
    series,
    texts_left_behind,
)
from enforced import Right, covers, function_name, in_words, judged_calls, needed_by, rights_of, without, words_of

from appstore_analytics.answers.executions import Execution, Snapshot
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.lake.objects import Bucket
from infra.functions import CAPACITIES
from local.apple.faults import Fault, FaultKind
from local.apple.model import WorldSettings
from local.apple.server import SimulatedApple
from local.apple.world import World
from local.aws.server import ACCOUNT, EmbeddedAws
from local.console import invite
from local.deployment import deploy, deploy_console, open_athena, open_pipeline
from operations.embedded import REGION

APPS = (app(0), app(1))
THURSDAY = friday_of_the_scenarios() - DAY
MONDAY, TUESDAY, WEDNESDAY = THURSDAY - DAY * 3, THURSDAY - DAY * 2, THURSDAY - DAY
DATES_PER_INSTANCE = 3
GONE = TUESDAY - DAY * DATES_PER_INSTANCE  # only in Tuesday's instance
CALLS_OF_SOMEBODY_ELSE = 40

XRAY = "Lambda writes a function's traces with the function's role."
LOGS = "Lambda writes a function's log with the function's role."
ATHENA = "Athena reads the tables and writes the result with the rights of whoever asks; the emulator does it itself."
HANGS = "A query that hangs is stopped, and the emulator's never do: tests/unit/athena shows it."
WITHOUT_A_CALL = {
    ("xray:PutTraceSegments", "*"): XRAY,
    ("xray:PutTelemetryRecords", "*"): XRAY,
    ("logs:CreateLogStream", "own log"): LOGS,
    ("logs:PutLogEvents", "own log"): LOGS,
}
GIVEN_UP = (
    "Only new bytes without a Date that the old ones held take a part back: tests/integration/steps/test_refetch.py."
)
DEAD_LETTERS = "Lambda sends what a function could not take, in three attempts, with the function's role."


def _of_athena(*databases: str) -> dict[Right, str]:
    """From the Athena User Guide, "Control access to Amazon S3" and "Configure access to databases and tables"."""
    of_databases = [one for name in databases for one in (f"database/{name}", f"table/{name}/*")]
    catalog = [f"glue:{one}" for one in ("catalog", "database/default", *of_databases)]
    actions = ("glue:GetDatabase", "glue:GetTable")
    folders = [{"marts": "marts/kpis"}.get(name, name) for name in databases]
    objects = {("s3:GetObject", f"lake/{name}/*") for name in folders}
    results = {(f"s3:{action}", "results/queries/*") for action in ("GetObject", "PutObject", "AbortMultipartUpload")}
    buckets = {
        (f"s3:{action}", bucket) for action in ("GetBucketLocation", "ListBucket") for bucket in ("lake", "results")
    }
    rights = {(action, resource) for action in actions for resource in catalog} | objects | results | buckets
    workgroup = f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/appstore-analytics"
    return dict.fromkeys(rights, ATHENA) | {("athena:StopQueryExecution", workgroup): HANGS}


def _of_dead_letters() -> dict[Right, str]:
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:appstore-analytics-dead-letters"
    return {(f"sqs:{action}", queue): DEAD_LETTERS for action in ("SendMessage", "GetQueueUrl", "GetQueueAttributes")}


ON_BEHALF = {
    "verify_table": _of_athena("curated", "marts"),
    "list_releases": _of_athena("curated"),
    "check_freshness": _of_athena("curated", "appstore") | _of_dead_letters(),
    "notify_slack": _of_dead_letters(),
    "convert_instance": {
        ("dynamodb:Query", "registry"): GIVEN_UP,
        ("s3:GetObjectVersion", "lake/parts/*"): GIVEN_UP,
        ("s3:DeleteObject", "lake/parts/*"): GIVEN_UP,
    },
}
"""Permissions that no function needed in this week, or that AWS uses on its behalf, each with the reason."""


@dataclass(frozen=True)
class Week:
    """The executions, and each call of a function until a permission was removed."""

    monday: Execution
    tuesday: Execution
    wednesday: Execution
    backfill: Execution
    rollback: Execution
    reprocess: Execution
    calls: list[dict[str, Any]]
    thursday: Execution
    refusals: list[dict[str, Any]]


@pytest.fixture(scope="module")
def guarded() -> Iterator[Deployed]:
    """A separate deployment, on an AWS that enforces IAM."""
    settings = WorldSettings(
        today=MONDAY,
        apps=len(APPS),
        rows_per_date=5,
        segments_per_instance=2,  # a lone segment is not looked for in the raw bucket
        dates_per_instance=DATES_PER_INSTANCE,
        history_start=MONDAY - DAY * 10,
    )
    context = {
        "segment_hosts": ["127.0.0.1"],
        "reports": [ENGAGEMENT, CRASHES, "App Sessions Standard"],
        "accounts": [{"name": "main", "app_ids": [], "reader_key": True}],
        "snapshot_poll_seconds": 1,
        "alarm_slack_secret": SLACK_SECRET,
    }
    with SimulatedApple(World(settings)) as apple, EmbeddedAws(enforces_permissions=True) as aws:
        webhook = "http://127.0.0.1:9/services/T000/B000/notreally"
        aws.client("secretsmanager").create_secret(
            Name=SLACK_SECRET, SecretString=webhook
        )  # alarms can be in ALARM at once
        deployment = deploy(aws, {**context, "apple_base_url": apple.url}, lambda *_: None)
        yield Deployed(
            world=apple.world,
            aws=aws,
            deployment=deployment,
            pipeline=open_pipeline(aws, deployment),
            athena=open_athena(aws, deployment),
            raw=Bucket(aws.client("s3"), deployment.raw_bucket),
            context={**context, "apple_base_url": apple.url},
        )


@pytest.fixture(scope="module")
def week(guarded: Deployed) -> Week:
    world = guarded.world
    monday = guarded.daily("monday", APPS)
    world.move_to(TUESDAY)
    for key in guarded.api_keys:
        for _ in range(CALLS_OF_SOMEBODY_ELSE):
            world.calls.take(key.key_id, time.time())
    for route in ("GET /segments/", "GET /v1/analyticsReports/.*/instances"):
        world.faults.order(Fault(FaultKind.RESET, route, app_id=APPS[0], report=ENGAGEMENT))
    throttled = Fault(FaultKind.STATUS, "GET /v1/analyticsReports/.*/instances", status=429, retry_after_seconds=1)
    world.faults.order(throttled)
    tuesday = guarded.daily("tuesday", APPS)
    world.restate(series(APPS[0]), MONDAY)
    world.move_to(WEDNESDAY)
    _remove_every_part(guarded, TableDate("engagement", GONE))
    wednesday = guarded.daily("wednesday", APPS)
    backfill = _backfill(guarded)
    run_id = report_of(wednesday)["run_id"]
    rollback = guarded.run("rollback", {"operation": "rollback", "run_id": run_id}, APPS)
    guarded.run("rollback-of-nothing", {"operation": "rollback", "run_id": "20250102T030405678Z-nobody"}, APPS)
    _expire_raw_bytes(guarded)
    reprocess = guarded.run("reprocess", {"operation": "reprocess", "run_id": run_id}, APPS)
    _watch(guarded)
    calls = judged_calls(guarded)
    world.move_to(THURSDAY)
    with without(guarded, "download_segments", "s3:PutObject"):
        thursday = guarded.daily("thursday", APPS)
    refusals = [call for call in judged_calls(guarded) if not call["allowed"]]
    return Week(monday, tuesday, wednesday, backfill, rollback, reprocess, calls, thursday, refusals)


def _remove_every_part(guarded: Deployed, table_date: TableDate) -> None:
    """Roll back like a person who rejects this Date for good."""
    for stored in list(guarded.pipeline.lake.list(table_date.parts_prefix)):
        assert guarded.pipeline.lake.remove(stored.key, expected=stored.etag)
    guarded.pipeline.registry.dirty_dates.mark(table_date)


def _backfill(guarded: Deployed) -> Execution:
    payload = {
        "operation": "backfill",
        "as_of": WEDNESDAY.isoformat(),
        "app_ids": [APPS[0]],
        "reports": ["engagement"],
        "start_date": (MONDAY - DAY * 8).isoformat(),
        "end_date": (MONDAY - DAY * 6).isoformat(),
    }

    def apple_builds_the_snapshot(now: Snapshot) -> None:
        if now.apps_done == 1 and guarded.world.today == WEDNESDAY:  # the first pass found nothing
            guarded.world.move_to(THURSDAY)

    return guarded.run("backfill", payload, APPS, show=apple_builds_the_snapshot)


def _expire_raw_bytes(guarded: Deployed) -> None:
    """Delete raw files like the retention of the raw bucket."""
    prefix = f"raw/crashes_expanded_vintages/{APPS[1]}/ONGOING/{WEDNESDAY.isoformat()}/"
    for stored in list(guarded.raw.list(prefix)):
        assert guarded.raw.remove(stored.key, expected=stored.etag)


def _watch(guarded: Deployed) -> None:
    """The hourly check twice, because it reads its earlier results, and a message to a missing channel."""
    for _ in range(2):
        guarded.invoke("check_freshness", {"at": f"{WEDNESDAY.isoformat()}T14:00:00Z"})
    message = {"Records": [{"Sns": {"Message": json.dumps({"AlarmName": "n", "NewStateValue": "OK"})}}]}
    with pytest.raises(AssertionError):
        guarded.invoke("notify_slack", message)
    assert guarded.invoke("check_key", {"key": "main", "calls_per_hour": 1})["verdict"] == "unknown"  # none is left
    for key_name in ("main", "main/reader"):
        told = guarded.invoke("check_key", {"key": key_name, "calls_per_hour": 3500})
        assert told["verdict"] in ("admin", "not admin")


def test_every_run_ends_well_although_every_call_is_judged(week: Week) -> None:
    runs = (week.monday, week.tuesday, week.wednesday, week.backfill)
    assert [(run.status, run.cause) for run in runs] == [("SUCCEEDED", "")] * len(runs)
    assert report_of(week.tuesday)["apps_by_verdict"] == {"verified": [*APPS]}
    assert report_of(week.wednesday)["parts_replaced"] >= 1
    assert report_of(week.backfill)["apps_by_verdict"] == {"verified": [APPS[0]]}


def test_what_a_rollback_takes_back_is_reprocessed_but_for_bytes_that_have_expired(week: Week) -> None:
    assert (week.rollback.status, week.rollback.cause) == ("SUCCEEDED", "")
    assert report_of(week.rollback)["parts_restored"] >= 1
    assert week.reprocess.status == "FAILED"
    (error,) = report_of(week.reprocess)["errors"]
    assert "raw" in error["reason"]
    assert "AccessDenied" not in error["reason"]


def test_a_date_whose_parts_are_gone_is_gone_from_its_table(guarded: Deployed, week: Week) -> None:
    assert week.wednesday.status == "SUCCEEDED"
    assert guarded.pipeline.lake.head(TableDate("engagement", GONE).curated_key) is None


@pytest.mark.parametrize("step", CAPACITIES)
def test_a_function_is_allowed_everything_that_it_does(guarded: Deployed, week: Week, step: str) -> None:
    needed, allowed = needed_by(week.calls, step), rights_of(guarded, step)
    assert needed
    assert [need for need in needed if not any(covers(right, need) for right in allowed)] == []
    assert [call for call in week.calls if not call["allowed"]] == []


@pytest.mark.parametrize("step", CAPACITIES)
def test_a_function_does_everything_that_it_is_allowed(guarded: Deployed, week: Week, step: str) -> None:
    needed, words = needed_by(week.calls, step), words_of(guarded, step)
    unused = {
        in_words(right, words) for right in rights_of(guarded, step) if not any(covers(right, need) for need in needed)
    }
    assert unused - ON_BEHALF.get(step, {}).keys() == WITHOUT_A_CALL.keys()
    assert ON_BEHALF.get(step, {}).keys() <= {in_words(right, words) for right in rights_of(guarded, step)}


def test_a_right_taken_away_is_missed_where_it_was_used(guarded: Deployed, week: Week) -> None:
    assert week.thursday.status == "FAILED"
    assert report_of(week.thursday)["apps_by_verdict"] == {"failed": [*APPS]}
    (error, *_) = report_of(week.thursday)["errors"]
    assert "AccessDenied" in error["reason"]
    assert {(call["caller"], call["action"]) for call in week.refusals} == {
        ("appstore-analytics-download-segments", "s3:PutObject")
    }


def test_connections_that_were_reset_leave_no_secret_in_any_text(guarded: Deployed, week: Week) -> None:
    """Exceptions of requests and urllib3 repeat the requested URL, including its signature."""
    assert report_of(week.tuesday)["apps_by_verdict"] == {"verified": [*APPS]}
    assert [fault.kind for fault, times in guarded.world.faults.ordered() if times != fault.times] == []
    texts = texts_left_behind(guarded)
    assert "DownloadBroken" in texts["log /aws/lambda/appstore-analytics-download-segments"]
    assert "AppleUnavailable" in texts["log /aws/lambda/appstore-analytics-list-instances"]
    assert secrets_in(texts, guarded.api_keys) == []


# The web console beside it


SENDER = "numbers@example.com"
OF_THE_CONSOLE = ("console_read", "console_act", "console_live", "console_web", "console_migrate", "send_digest")
READ_BY_CONSOLE = (
    "/health",
    f"/health?app={APPS[0]}",
    "/apps",
    f"/apps/{APPS[0]}",
    "/tables?days=9",
    "/kpis/query?metrics=impressions&days=7",
    "/runs",
    "/runs/newest",
    "/runs/newest/items",
    "/me",
)
OF_DSQL = "Connecting is a token that boto3 signs without a call."
TO_A_CONNECTION = "execute-api:ManageConnections"
"""The emulator changes its path after it was signed (local/aws/web_sockets.py), and so refuses it. Whether the policy
covers the call is compared here."""
STREAM = "Lambda reads the registry's stream with the function's role."
CONSOLE_ON_BEHALF: dict[str, dict[str, str]] = {
    "console_read": {"dsql:DbConnect": OF_DSQL},
    "console_act": {"dsql:DbConnect": OF_DSQL},
    "console_migrate": {"dsql:DbConnectAdmin": OF_DSQL},
    "send_digest": {"dsql:DbConnect": OF_DSQL},
    "console_live": dict.fromkeys(
        ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"), STREAM
    ),
}
"""Actions of the console's functions that no call shows; each with the reason."""


@pytest.fixture(scope="module")
def console_calls(guarded: Deployed, week: Week) -> list[dict[str, Any]]:
    """What the console's functions called while people read, invited, changed rights and started a run."""
    guarded.aws.client("sesv2").create_email_identity(EmailIdentity=SENDER)
    context = {**guarded.context, "console_digests": True, "digest_sender": SENDER}
    console = deploy_console(guarded.aws, context, lambda *_: None)
    admin = Browser(guarded.aws, console)
    admin.sign_in_first(invite(guarded.aws, console, "ada@example.com", "admin"))
    for path in READ_BY_CONSOLE:
        assert admin.ask("GET", f"/api/v1{path}")[0] == 200, path
    change_people(admin, APPS[0])
    _plan_and_start(guarded, admin, str(report_of(week.monday)["run_id"]))
    _read_digest(guarded, admin)
    _, ticket, _ = admin.ask("POST", "/api/v1/live-tickets", {})
    with admin.listening(ticket["ticket"]) as live:
        registry = guarded.aws.table(guarded.deployment.registry_table)
        registry.put_item(Item={"pk": "RUN#20260602T100000.000Z-harbor", "sk": "NOTE#1"})
        for _ in range(60):
            calls = judged_calls(guarded)
            if any(call["action"] == TO_A_CONNECTION for call in calls):
                return calls
            with suppress(TimeoutError):
                live.recv(timeout=0.5)
    raise AssertionError("The function that reads the registry's stream sent nothing to the page.")


def _plan_and_start(guarded: Deployed, admin: Browser, run_id: str) -> None:
    """A plan of each kind; the one of a daily run is confirmed twice."""
    history = {"start_date": f"{MONDAY - DAY * 20}", "end_date": f"{MONDAY - DAY * 18}"}
    processed = {"start_processing_date": f"{MONDAY}", "end_processing_date": f"{TUESDAY}"}
    for operation, arguments in (
        ("backfill", {"app_ids": [APPS[0]], **history}),
        ("refetch", {"app_ids": [APPS[0]], **processed}),
        ("reprocess", {"run_id": run_id}),
        ("rollback", {"run_id": run_id}),
        ("daily", {}),
    ):
        status, plan, _ = admin.ask("POST", "/api/v1/plans", {"operation": operation, "arguments": arguments})
        assert status == 201, plan
    with guarded.showing(APPS):
        for _ in range(2):
            assert admin.ask("POST", "/api/v1/runs", {"plan_id": plan["plan_id"]})[0] in (200, 201, 202)
        guarded.pipeline.follow(next(guarded.pipeline.executions()))


def _read_digest(guarded: Deployed, admin: Browser) -> None:
    """A digest by e-mail, and the link in it that needs no login."""
    assert admin.ask("POST", "/api/v1/subscriptions", {"channel": "email"})[0] == 201
    answer = guarded.aws.client("lambda").invoke(FunctionName=function_name("send_digest"), Payload=b"{}")
    assert json.load(answer["Payload"]) == {"sent": 1}
    digest = guarded.aws.e_mails()[-1]
    (link,) = set(re.findall(r"/unsubscribe\?token=[\w.~-]+", digest.body))
    assert admin.ask("POST", link, headers={})[0] == 200


@pytest.mark.parametrize("step", OF_THE_CONSOLE)
def test_a_function_of_the_console_is_allowed_everything_that_it_does(
    guarded: Deployed, console_calls: list[dict[str, Any]], step: str
) -> None:
    needed, allowed = needed_by(console_calls, step), rights_of(guarded, step)
    assert [need for need in needed if not any(covers(right, need) for right in allowed)] == []
    callers = {function_name(each) for each in OF_THE_CONSOLE}
    of_the_console = [call for call in console_calls if call["caller"] in callers]
    assert {call["action"] for call in of_the_console if not call["allowed"]} == {TO_A_CONNECTION}


@pytest.mark.parametrize("step", OF_THE_CONSOLE)
def test_a_function_of_the_console_does_everything_that_it_is_allowed(
    guarded: Deployed, console_calls: list[dict[str, Any]], step: str
) -> None:
    used = {action for action, _ in needed_by(console_calls, step)}
    allowed = {action for action, _ in rights_of(guarded, step)}
    always = {action for action, _ in WITHOUT_A_CALL}
    assert allowed - used - always == CONSOLE_ON_BEHALF.get(step, {}).keys()

"""Monitoring as deployed: the hourly check, the alarms, Slack and the dashboard."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

import pytest
from deployed import DAY, SLACK_SECRET, Deployed, app, friday_of_the_scenarios

from appstore_analytics.contract.metrics import DIMENSION, Metric
from appstore_analytics.contract.names import Names
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.rules.call_budget import ceiling, minute_of
from local.apple.faults import Fault, FaultKind

LIVING, SILENT = APPS = (app(18), app(19))
FRIDAY = friday_of_the_scenarios()
MONDAY = FRIDAY - DAY * 4
BUDGET = {"pk": "BUDGET#main/reader", "sk": "CALLS"}
PATH = "/services/T000/B000/notreally"
NEVER_MEASURED = {("AWS/States", "ExecutionsTimedOut")}  # a time-out of 80 hours cannot be tested
NEVER_THROTTLED = {("AWS/Lambda", "Throttles")}  # this embedded AWS has no limit of concurrent functions

Series = tuple[str, str, frozenset[tuple[str, str]]]


@dataclass(frozen=True)
class Watched:
    """The messages so far."""

    verdicts_on_monday: dict[str, int]
    states_on_monday: dict[str, str]
    verdicts_on_friday: dict[str, int]
    states_on_friday: dict[str, str]
    heard: str


@pytest.fixture(scope="module")
def channel(deployed: Deployed) -> Iterator["Queue[str]"]:
    """Messages to a webhook on this machine, whose URL is in the secret."""
    texts: Queue[str] = Queue()

    class Channel(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == PATH:
                texts.put(json.loads(body)["text"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Channel) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}{PATH}"
        deployed.aws.client("secretsmanager").create_secret(Name=SLACK_SECRET, SecretString=url)
        yield texts
        server.shutdown()


@pytest.fixture(scope="module")
def watched(deployed: Deployed, channel: "Queue[str]") -> Watched:
    deployed.begin(MONDAY)
    deployed.daily("watched-monday", APPS)
    verdicts_on_monday, states_on_monday = check(deployed, MONDAY), states(deployed)
    deployed.world.stop_request(SILENT)
    deployed.world.move_to(FRIDAY)
    execution = deployed.daily("watched-friday", APPS)
    assert execution.status == "SUCCEEDED", execution.cause
    verdicts_on_friday, states_on_friday = check(deployed, FRIDAY), states(deployed)
    deployed.invoke("check_key", {"key": "main", "calls_per_hour": 3500})
    heard = next(iter(lambda: said_of(channel, "StaleData is in ALARM"), None))
    return Watched(verdicts_on_monday, states_on_monday, verdicts_on_friday, states_on_friday, heard)


def said_of(channel: "Queue[str]", words: str) -> str:
    """The next message that contains this text, without markup of names."""
    while words not in (text := channel.get(timeout=30).replace("*", "")):
        pass
    return text


def check(deployed: Deployed, day: date) -> dict[str, int]:
    return dict(deployed.invoke("check_freshness", {"at": f"{day}T14:00:00Z"}))


def states(deployed: Deployed) -> dict[str, str]:
    alarms = deployed.aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return {alarm["AlarmName"].removeprefix("appstore-analytics-"): alarm["StateValue"] for alarm in alarms}


# Freshness


def test_on_the_first_day_nothing_is_due_and_nothing_stale(watched: Watched) -> None:
    assert watched.verdicts_on_monday == {"not ready": 14}
    assert watched.states_on_monday["StaleData"] == "OK"


def test_the_app_that_fell_silent_is_late_where_a_date_is_due(deployed: Deployed, watched: Watched) -> None:
    assert watched.verdicts_on_friday["late"] == 2
    assert watched.verdicts_on_friday["fresh"] == 7
    rows = deployed.rows(
        f"SELECT app_id, table_name, missing_dates FROM freshness WHERE dt = DATE '{FRIDAY}' AND verdict = 'late' "
        "ORDER BY table_name",
        "appstore",
    )
    assert rows == [(SILENT, table, f"[{FRIDAY - DAY * 3}]") for table in ("downloads", "purchases")]


def test_what_is_fresh_has_a_time_of_arrival_and_every_table_a_verdict(deployed: Deployed, watched: Watched) -> None:
    rows = deployed.rows(
        f"SELECT table_name, arrived_at FROM freshness WHERE dt = DATE '{FRIDAY}' AND verdict = 'fresh' "
        f"AND app_id = {LIVING}",
        "appstore",
    )
    assert {str(table) for table, _ in rows} <= set(tables_by_name())
    assert all(datetime.fromisoformat(str(arrived)) <= datetime.now(UTC) for _, arrived in rows)
    assert sum(watched.verdicts_on_friday.values()) == 14


# Alarms


def test_stale_data_rings_and_slack_hears_it_with_the_page(watched: Watched) -> None:
    assert watched.states_on_friday["StaleData"] == "ALARM"
    assert "docs/operations.md#appstore-analytics-staledata" in watched.heard


@pytest.mark.usefixtures("watched")
def test_a_dead_letter_rings(deployed: Deployed) -> None:
    sqs = deployed.aws.client("sqs")
    url = sqs.get_queue_url(QueueName="appstore-analytics-dead-letters")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="a start that nobody took")
    assert states(deployed)["DeadLetters"] == "ALARM"
    sqs.purge_queue(QueueUrl=url)


@pytest.mark.usefixtures("watched")
def test_the_webhook_stands_in_no_log(deployed: Deployed) -> None:
    logs = deployed.aws.client("logs")
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName="/aws/lambda/appstore-analytics-notify-slack")
    lines = [event["message"] for page in pages for event in page["events"]]
    assert lines
    assert not [line for line in lines if "notreally" in line or "/services/" in line]


# Every metric of an alarm or a dashboard has data


@pytest.fixture(scope="module")
def measured(deployed: Deployed, watched: Watched) -> set[Series]:
    """The metrics in CloudWatch after these runs, a refused, a stopped and a rolled-back run, a used-up budget."""
    deployed.run("watched-refused", {"operation": "daily", "as_of": "tomorrow"}, APPS)
    _stop_a_run(deployed)
    event = _list_again(deployed)
    deployed.run("watched-rollback", {"operation": "rollback", "run_id": event["run_id"]}, APPS)
    table = deployed.pipeline.registry.table
    used = ceiling(3500, Operation.DAILY)
    table.put_item(Item={**BUDGET, "used": used, f"m{minute_of(datetime.now(UTC))}": used})
    assert deployed.invoke("list_instances", event)["outcome"] == "wait"
    table.delete_item(Key=BUDGET)
    deployed.world.faults.order(Fault(FaultKind.STATUS, route="/v1/", status=429))
    assert deployed.invoke("list_instances", event)["outcome"] == "wait"
    table.delete_item(Key=BUDGET)
    states(deployed)  # reads the queue
    pages = deployed.aws.client("cloudwatch").get_paginator("list_metrics").paginate()
    return {_series(each) for page in pages for each in page["Metrics"]}


def _stop_a_run(deployed: Deployed) -> None:
    states_ = deployed.aws.client("stepfunctions")
    machine = deployed.deployment.state_machine_arn
    started = states_.start_execution(stateMachineArn=machine, input=json.dumps({"operation": "daily"}))
    states_.stop_execution(executionArn=started["executionArn"])


def _list_again(deployed: Deployed) -> dict[str, str]:
    """The event with which the last run listed an app, sent once more."""
    run_id = max(key.key.split("/")[1] for key in deployed.pipeline.lake.list("runs/") if "watched-friday" in key.key)
    return {"run_id": run_id, "account": "main", "app_id": LIVING}


def _series(metric: dict[str, Any]) -> Series:
    dimensions = frozenset((each["Name"], each["Value"]) for each in metric["Dimensions"])
    return metric["Namespace"], metric["MetricName"], dimensions


def test_our_metrics_are_exactly_those_that_were_emitted(measured: set[Series]) -> None:
    ours = {series for series in measured if series[0] == Names().metrics_namespace}
    assert ours == {(Names().metrics_namespace, str(metric), frozenset([DIMENSION])) for metric in Metric}


def test_every_alarm_reads_a_metric_that_was_measured(deployed: Deployed, measured: set[Series]) -> None:
    alarms = deployed.aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    ours = [each for each in alarms if not each["AlarmName"].startswith(Names().prefixed("Console"))]
    read = {_series(alarm) for alarm in ours}
    assert len(read) == len(ours)
    assert {series[:2] for series in read - measured} == NEVER_MEASURED


def test_every_metric_of_the_dashboard_was_measured(deployed: Deployed, measured: set[Series]) -> None:
    body = deployed.aws.client("cloudwatch").get_dashboard(DashboardName="appstore-analytics")["DashboardBody"]
    shown = set(_shown(json.loads(body)["widgets"]))
    assert {name for namespace, name, _ in shown if namespace == Names().metrics_namespace} == set(Metric)
    assert {namespace for namespace, _, _ in shown} == {
        Names().metrics_namespace,
        "AWS/Lambda",
        "AWS/States",
        "AWS/SQS",
    }
    assert {series[:2] for series in shown - measured} == NEVER_THROTTLED


def _shown(widgets: list[dict[str, Any]]) -> Iterator[Series]:
    for widget in widgets:
        for row in widget["properties"].get("metrics", ()):
            words = [word for word in row if isinstance(word, str)]
            if words:
                yield words[0], words[1], frozenset(zip(words[2::2], words[3::2], strict=True))

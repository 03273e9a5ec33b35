import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.aws.metrics import embedded_metrics
from local.aws.server import EmbeddedAws
from tests.integration.embedded_aws.deployment import create_function, execute, invoke, task

DOCUMENT = {
    "_aws": {
        "Timestamp": 1763900000000,
        "CloudWatchMetrics": [
            {"Namespace": "Harbor", "Dimensions": [["service"]], "Metrics": [{"Name": "Boats", "Unit": "Count"}]}
        ],
    },
    "service": "notes",
    "Boats": [3.0],
}
PRINTS = f"def handle(event, context):\n    print({json.dumps(DOCUMENT)!r})\n    return {{}}\n"
FAILS = "def handle(event, context):\n    raise ValueError('no')\n"


def total(aws: EmbeddedAws, namespace: str, name: str, **dimensions: str) -> float | None:
    """The sum over the last hour; None without any data point."""
    now = datetime.now(UTC)
    answer = aws.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=7200,
        Statistics=["Sum"],
    )
    points = answer["Datapoints"]
    return sum(point["Sum"] for point in points) if points else None


def test_a_log_line_in_the_embedded_format_becomes_a_metric(aws: EmbeddedAws) -> None:
    create_function(aws, "prints", PRINTS)
    invoke(aws, "prints")
    invoke(aws, "prints")
    assert total(aws, "Harbor", "Boats", service="notes") == 6
    assert total(aws, "Harbor", "Boats", service="other") is None


def test_a_function_is_counted_whoever_invokes_it(aws: EmbeddedAws) -> None:
    arn = create_function(aws, "counted", PRINTS)
    invoke(aws, "counted")
    execute(aws, {"Call": task(arn)})
    assert total(aws, "AWS/Lambda", "Invocations", FunctionName="counted") == 2
    assert total(aws, "AWS/Lambda", "Errors", FunctionName="counted") == 0
    assert (total(aws, "AWS/Lambda", "Duration", FunctionName="counted") or 0) > 0


def test_a_function_that_fails_is_an_error(aws: EmbeddedAws) -> None:
    create_function(aws, "fails", FAILS)
    invoke(aws, "fails")
    assert total(aws, "AWS/Lambda", "Errors", FunctionName="fails") == 1


@pytest.mark.parametrize(
    ("states", "ended"),
    [
        ({"End": {"Type": "Succeed"}}, "ExecutionsSucceeded"),
        ({"End": {"Type": "Fail", "Error": "Storm"}}, "ExecutionsFailed"),
    ],
)
def test_an_execution_is_counted_when_it_starts_and_when_it_ends(
    aws: EmbeddedAws, states: dict[str, Any], ended: str
) -> None:
    machine = execute(aws, states)["stateMachineArn"]
    found = {
        name: total(aws, "AWS/States", name, StateMachineArn=machine)
        for name in ("ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed")
    }
    assert {name for name, count in found.items() if count == 1} == {"ExecutionsStarted", ended}


@pytest.mark.parametrize("line", ["plain", '{"_aws": 1}', '{"_aws": {"CloudWatchMetrics": [{}]}}', '{"_aws"'])
def test_a_line_that_only_looks_like_a_metric_is_a_log_line(line: str) -> None:
    assert list(embedded_metrics(line)) == []

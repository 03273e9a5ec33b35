import json
from typing import Any

import pytest

from benchmarks.measuring.timeline import read_timeline
from local.aws.server import EmbeddedAws
from local.load.histories import Largest, read_travelled
from tests.integration.embedded_aws import deployment

HANDLER = """
def handle(event, context):
    return {"outcome": "done"}
"""
LARGE = "x" * 100_000
DONE = {"Type": "Pass", "Result": {}, "End": True}


@pytest.fixture(scope="module", autouse=True)
def _function(aws: EmbeddedAws) -> None:
    deployment.create_function(aws, "step", HANDLER)


def mapped(states: dict[str, Any], **fields: object) -> dict[str, Any]:
    """A Distributed Map over `$.items`, whose children start with the first of the states."""
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": next(iter(states)),
        "States": states,
    }
    every = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor, "ResultPath": None, "End": True}
    return {"Map": {**every, **fields}}


def history(aws: EmbeddedAws, arn: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = aws.client("stepfunctions").get_execution_history(executionArn=arn)["events"]
    return events


def test_the_child_of_a_map_has_a_history_with_the_data_of_every_state(aws: EmbeddedAws) -> None:
    decide = {
        "Type": "Choice",
        "Choices": [{"Variable": "$.step.outcome", "StringEquals": "done", "Next": "Wait"}],
        "Default": "Done",
    }
    states = {
        "Step": {
            "Type": "Task",
            "Resource": "arn:aws:lambda:us-east-1:000000000000:function:step",
            "ResultPath": "$.step",
            "Next": "Decide",
        },
        "Decide": decide,
        "Wait": {"Type": "Wait", "Seconds": 0, "Next": "Done"},
        "Done": DONE,
    }
    answer = deployment.execute(aws, mapped(states), {"items": [{"app_id": "1000000001"}]})
    client = aws.client("stepfunctions")
    (run,) = client.list_map_runs(executionArn=answer["executionArn"])["mapRuns"]
    (child,) = client.list_executions(mapRunArn=run["mapRunArn"])["executions"]
    events = history(aws, child["executionArn"])
    assert [event["type"] for event in events] == [
        "ExecutionStarted",
        *("TaskStateEntered", "TaskScheduled", "TaskSucceeded", "TaskStateExited"),
        *("ChoiceStateEntered", "ChoiceStateExited"),
        *("WaitStateEntered", "WaitStateExited"),
        *("PassStateEntered", "PassStateExited"),
        "ExecutionSucceeded",
    ]
    item, stepped = {"app_id": "1000000001"}, {"app_id": "1000000001", "step": {"outcome": "done"}}
    assert json.loads(events[2]["taskScheduledEventDetails"]["parameters"]) == item
    assert json.loads(events[1]["stateEnteredEventDetails"]["input"]) == item
    assert json.loads(events[4]["stateExitedEventDetails"]["output"]) == stepped
    assert events[-1]["executionSucceededEventDetails"]["output"] == "{}"


def test_what_travelled_is_read_from_the_parent_and_all_its_children(aws: EmbeddedAws) -> None:
    states = {"Step": {**deployment.task("step", Next="Done"), "End": False}, "Done": DONE}
    answer = deployment.execute(aws, mapped(states), {"items": [{"n": 1}, {"n": 2, "long": "x" * 1000}]})
    travelled = read_travelled(aws.client("stepfunctions"), answer["executionArn"])
    (run,) = travelled.maps
    assert (run.name, run.items, run.failed, run.result_bytes) == ("Map", 2, 0, len("[{},{}]"))
    assert 1000 < travelled.payload.size < 1100
    assert travelled.payload.where == "Step"
    assert travelled.data == Largest(travelled.payload.size, "parameters of Step")
    assert (travelled.events_of_child.size, travelled.events_of_child.where) == (9, "Map")
    assert travelled.events_of_parent == 4 + 4  # started, entered, left, ended, and AWS's additional events of a Map


def test_a_timeline_knows_how_long_each_task_of_a_map_ran(aws: EmbeddedAws) -> None:
    states = {"Step": {**deployment.task("step", Next="Again"), "End": False}, "Again": deployment.task("step")}
    answer = deployment.execute(aws, mapped(states, MaxConcurrency=2), {"items": [{"n": n} for n in range(3)]})
    timeline = read_timeline(aws.client("stepfunctions"), answer["executionArn"])
    (run,) = timeline.maps
    assert (run.name, run.items, run.lanes, timeline.task_seconds) == ("Map", 3, 2, {})
    assert run.task_seconds.keys() == {"Step", "Again"}
    assert 0 < sum(run.wall_seconds().values()) <= run.seconds <= timeline.seconds
    assert run.wall_seconds()["Step"] == run.task_seconds["Step"] / 2


@pytest.mark.parametrize(
    "states",
    [
        {"Large": {"Type": "Pass", "Result": LARGE * 3, "End": True}},
        {"Large": {"Type": "Pass", "Result": LARGE * 3, "ResultPath": "$.large", "Next": "Done"}, "Done": DONE},
        mapped({"Large": {"Type": "Pass", "Result": LARGE, "End": True}}),
    ],
    ids=["output", "passed on", "results of a Map"],
)
def test_data_beyond_256_kib_ends_the_execution(aws: EmbeddedAws, states: dict[str, Any]) -> None:
    answer = deployment.execute(aws, states, {"items": [1, 2, 3]})
    assert (answer["status"], answer["error"]) == ("FAILED", "States.DataLimitExceeded")


def test_data_of_less_than_256_kib_passes(aws: EmbeddedAws) -> None:
    large = {"Large": {"Type": "Pass", "Result": LARGE, "End": True}}
    assert deployment.execute(aws, mapped(large), {"items": [1, 2]})["status"] == "SUCCEEDED"

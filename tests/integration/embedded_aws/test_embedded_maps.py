"""Batches of a Distributed Map, the counts of its Map Run, and the inline Map within a child."""

import json
from typing import Any

import pytest

from local.aws.server import EmbeddedAws
from tests.integration.embedded_aws import deployment

HANDLER = """
class AppleVerdictError(Exception): pass

def handle(event, context):
    if event.get("verdict"):
        raise AppleVerdictError("no")
    return {"outcome": "done"}
"""
DONE = {"Type": "Pass", "Result": {}, "End": True}
ITEMS = [{"app_id": str(number)} for number in range(25)]

State = dict[str, Any]


@pytest.fixture(scope="module", autouse=True)
def _function(aws: EmbeddedAws) -> None:
    deployment.create_function(aws, "step", HANDLER)


def inline(states: State, **fields: object) -> State:
    processor = {"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": next(iter(states)), "States": states}
    return {"Type": "Map", "ItemsPath": "$.Items", "ItemProcessor": processor, "End": True, **fields}


def batched(states: State, **fields: object) -> State:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
        "StartAt": next(iter(states)),
        "States": states,
    }
    every = {"Type": "Map", "ItemsPath": "$.items", "ItemBatcher": {"MaxItemsPerBatch": 10}, "End": True}
    return {"Map": {**every, "ItemProcessor": processor, "ToleratedFailurePercentage": 100, **fields}}


def map_run(aws: EmbeddedAws, answer: State) -> tuple[State, list[State]]:
    """The Map Run of an execution, and its children."""
    client = aws.client("stepfunctions")
    (run,) = client.list_map_runs(executionArn=answer["executionArn"])["mapRuns"]
    children = client.list_executions(mapRunArn=run["mapRunArn"])["executions"]
    return client.describe_map_run(mapRunArn=run["mapRunArn"]), [
        client.describe_execution(executionArn=child["executionArn"]) for child in children
    ]


def test_a_child_gets_a_batch_of_items_and_what_all_batches_share(aws: EmbeddedAws) -> None:
    batcher = {"MaxItemsPerBatch": 10, "BatchInput": {"run_id.$": "$.run_id"}}
    states = batched({"Done": DONE}, ItemBatcher=batcher)
    answer = deployment.execute(aws, states, {"items": ITEMS, "run_id": "r1"})
    _, children = map_run(aws, answer)
    inputs = sorted((json.loads(child["input"]) for child in children), key=lambda one: int(one["Items"][0]["app_id"]))
    assert inputs == [{"BatchInput": {"run_id": "r1"}, "Items": ITEMS[first : first + 10]} for first in (0, 10, 20)]


@pytest.mark.parametrize(
    ("config", "body"),
    [
        ({"InputType": "JSON"}, json.dumps(ITEMS)),
        ({"InputType": "JSONL"}, "\n".join(json.dumps(item) for item in ITEMS)),
    ],
    ids=["JSON", "JSONL"],
)
def test_batches_are_cut_from_what_the_reader_reads_and_the_selector_makes_of_it(
    aws: EmbeddedAws, config: State, body: str
) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="batches")
    s3.put_object(Bucket="batches", Key="items", Body=body)
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": config,
        "Parameters": {"Bucket": "batches", "Key": "items"},
    }
    states = batched({"Done": DONE}, ItemReader=reader, ItemSelector={"app.$": "$$.Map.Item.Value.app_id"})
    del states["Map"]["ItemsPath"]
    _, children = map_run(aws, deployment.execute(aws, states))
    items = [item["app"] for child in children for item in json.loads(child["input"])["Items"]]
    assert sorted(items, key=int) == [item["app_id"] for item in ITEMS]


def test_a_map_run_counts_items_and_children_apart(aws: EmbeddedAws) -> None:
    run, children = map_run(aws, deployment.execute(aws, batched({"Done": DONE}), {"items": ITEMS}))
    assert (run["itemCounts"]["total"], run["itemCounts"]["succeeded"]) == (25, 25)
    assert (run["executionCounts"]["total"], run["executionCounts"]["succeeded"]) == (3, 3) == (len(children),) * 2


def test_a_child_that_fails_fails_all_its_items(aws: EmbeddedAws) -> None:
    items = [{"app_id": str(number), "verdict": number == 3} for number in range(25)]
    run, _ = map_run(
        aws, deployment.execute(aws, batched({"Items": inline({"Step": deployment.task("step")})}), {"items": items})
    )
    assert {name: run["itemCounts"][name] for name in ("succeeded", "failed", "pending")} == {
        "succeeded": 15,
        "failed": 10,
        "pending": 0,
    }


def test_a_failure_that_is_caught_stops_no_other_item_of_its_batch(aws: EmbeddedAws) -> None:
    caught = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Failed"}]
    states = {
        "Step": {**deployment.task("step", Catch=caught, ResultPath="$.step", Next="Done"), "End": False},
        "Failed": {"Type": "Pass", "Result": "failed", "End": True},
        "Done": {"Type": "Pass", "Result": "done", "End": True},
    }
    items = [{"app_id": str(number), "verdict": number % 5 == 0} for number in range(25)]
    answer = deployment.execute(aws, batched({"Items": inline(states, MaxConcurrency=2)}), {"items": items})
    ends = [end for batch in answer["output"] for end in batch]
    assert (answer["status"], ends.count("failed"), ends.count("done")) == ("SUCCEEDED", 5, 20)


def test_after_a_failure_that_nobody_catches_no_further_iteration_begins(aws: EmbeddedAws) -> None:
    items = [{"app_id": str(number), "verdict": number == 2} for number in range(10)]
    answer = deployment.execute(
        aws, batched({"Items": inline({"Step": deployment.task("step")}, MaxConcurrency=1)}), {"items": items}
    )
    _, (child,) = map_run(aws, answer)
    assert (child["status"], child["error"]) == ("FAILED", "AppleVerdictError")
    events = aws.client("stepfunctions").get_execution_history(executionArn=child["executionArn"])["events"]
    assert [event["type"] for event in events].count("TaskScheduled") == 3


def test_the_history_of_a_child_begins_once_and_has_the_payload_of_each_iteration(aws: EmbeddedAws) -> None:
    answer = deployment.execute(
        aws, batched({"Items": inline({"Step": deployment.task("step")}, MaxConcurrency=2)}), {"items": ITEMS[:10]}
    )
    _, (child,) = map_run(aws, answer)
    events = aws.client("stepfunctions").get_execution_history(executionArn=child["executionArn"])["events"]
    types = [event["type"] for event in events]
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert types.count("ExecutionStarted") == types.count("MapStateEntered") == types.count("MapStateExited") == 1
    payloads = [
        json.loads(event["taskScheduledEventDetails"]["parameters"])["Payload"]
        for event in events
        if event["type"] == "TaskScheduled"
    ]
    assert sorted(payloads, key=lambda item: int(item["app_id"])) == ITEMS[:10]


@pytest.mark.parametrize(("at_once", "limit"), [(0, 40), (41, 40), (3, 3)])
def test_an_inline_map_runs_at_most_forty_iterations_at_once(aws: EmbeddedAws, at_once: int, limit: int) -> None:
    wait = {"Wait": {"Type": "Wait", "Seconds": 1, "End": True}}
    states = {"Items": inline(wait, MaxConcurrency=at_once)}
    answer = deployment.execute(aws, batched(states, ItemBatcher={"MaxItemsPerBatch": 60}), {"items": [*range(60)]})
    _, (child,) = map_run(aws, answer)
    events = aws.client("stepfunctions").get_execution_history(executionArn=child["executionArn"])["events"]
    working = [1 if event["type"] == "WaitStateEntered" else -1 for event in events if event["type"].startswith("Wait")]
    assert 1 < max(sum(working[:end]) for end in range(1, len(working) + 1)) <= limit


@pytest.mark.parametrize("batcher", [{}, {"MaxItemsPerBatch": 10, "MaxInputBytesPerBatch": 1000}])
def test_a_batcher_that_the_embedded_aws_does_not_know_is_refused(aws: EmbeddedAws, batcher: State) -> None:
    answer = deployment.execute(aws, batched({"Done": DONE}, ItemBatcher=batcher), {"items": ITEMS})
    assert (answer["status"], answer["error"]) == ("FAILED", "States.Runtime")

import json
import time

import pytest

from local.aws import step_functions
from local.aws.server import EmbeddedAws
from tests.integration.embedded_aws import deployment

HANDLER = """
class AppleTransientError(Exception): pass
class AppleVerdictError(Exception): pass

calls = {}

def handle(event, context):
    name = event.get("name", "")
    calls[name] = calls.get(name, 0) + 1
    if event.get("verdict"):
        raise AppleVerdictError("no")
    if calls[name] <= event.get("failures", 0):
        raise AppleTransientError("later")
    return {"calls": calls[name], "event": event}
"""


@pytest.fixture(scope="module", autouse=True)
def _function(aws: EmbeddedAws) -> None:
    deployment.create_function(aws, "step", HANDLER)


def test_retry_matches_the_exceptions_class(aws: EmbeddedAws) -> None:
    retry = [{"ErrorEquals": ["AppleTransientError"], "IntervalSeconds": 1, "MaxDelaySeconds": 1, "BackoffRate": 2}]
    answer = deployment.execute(aws, {"Step": deployment.task("step", Retry=retry)}, {"name": "retried", "failures": 1})
    assert answer["output"]["answer"]["calls"] == 2


def test_catch_matches_the_exceptions_class_and_keeps_the_input(aws: EmbeddedAws) -> None:
    states = {
        "Step": deployment.task(
            "step",
            Retry=[{"ErrorEquals": ["AppleTransientError"]}],
            Catch=[{"ErrorEquals": ["AppleVerdictError"], "ResultPath": "$.error", "Next": "Parse"}],
        ),
        "Parse": {
            "Type": "Pass",
            "Parameters": {
                "name.$": "$.name",
                "error.$": "$.error.Error",
                "cause.$": "States.StringToJson($.error.Cause)",
            },
            "End": True,
        },
    }  # fmt: skip
    output = deployment.execute(aws, states, {"name": "caught", "verdict": True})["output"]
    assert (output["name"], output["error"]) == ("caught", "AppleVerdictError")
    assert output["cause"]["errorMessage"] == "no"


def test_retry_delays_are_capped(aws: EmbeddedAws) -> None:
    retry = [{"ErrorEquals": ["AppleTransientError"], "IntervalSeconds": 1, "MaxDelaySeconds": 1, "BackoffRate": 10}]
    started = time.monotonic()
    states = {"Step": deployment.task("step", Retry=retry)}
    assert deployment.execute(aws, states, {"name": "capped", "failures": 2})["status"] == "SUCCEEDED"
    assert time.monotonic() - started < 5


def test_full_jitter_draws_the_delay_between_nothing_and_the_capped_interval() -> None:
    retrier = {"IntervalSeconds": 10, "BackoffRate": 10, "MaxDelaySeconds": 20, "JitterStrategy": "FULL"}
    find = step_functions.with_capped_jittered_delay(lambda *_: (retrier, 0))
    delays = [find([retrier], "AppleTransientError", {0: 5})[0]["IntervalSeconds"] for _ in range(200)]
    assert 0 <= min(delays) < 5
    assert 15 < max(delays) <= 20


def test_the_state_machine_times_out_and_stays_timed_out(aws: EmbeddedAws) -> None:
    item_processor = {
        "ProcessorConfig": {"Mode": "INLINE"},
        "StartAt": "Wait",
        "States": {
            "Wait": {"Type": "Wait", "Seconds": 2, "Next": "Fail"},
            "Fail": {"Type": "Fail", "Error": "TooLate"},
        },
    }
    states = {"Map": {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": item_processor, "End": True}}
    client = aws.client("stepfunctions")
    answer = deployment.execute(aws, states, {"items": [1]}, TimeoutSeconds=1)
    assert answer["error"] == "States.Timeout"
    deadline = time.monotonic() + 1.5
    while time.monotonic() < deadline:
        assert client.describe_execution(executionArn=answer["executionArn"])["status"] == "TIMED_OUT"
        time.sleep(0.05)


def test_a_path_that_leads_nowhere_ends_the_execution(aws: EmbeddedAws) -> None:
    states = {"Pass": {"Type": "Pass", "Parameters": {"app_id.$": "$.app.id"}, "End": True}}
    answer = deployment.execute(aws, states, {"app": {}})
    assert (answer["status"], answer["error"]) == ("FAILED", "States.Runtime")
    assert "'$.app.id' could not be found" in answer["cause"]


def test_a_null_is_found(aws: EmbeddedAws) -> None:
    states = {"Pass": {"Type": "Pass", "Parameters": {"app_id.$": "$.app.id"}, "End": True}}
    assert deployment.execute(aws, states, {"app": {"id": None}})["output"] == {"app_id": None}


@pytest.mark.parametrize(
    ("execution_input", "chosen"),
    [({"a": {"b": 1}}, "yes"), ({"a": {"b": None}}, "yes"), ({"a": {}}, "no"), ({}, "no")],
)
def test_is_present_asks_for_the_name_and_not_for_the_value(
    aws: EmbeddedAws, execution_input: object, chosen: str
) -> None:
    states = {
        "Choice": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.a.b", "IsPresent": True, "Next": "Yes"}],
            "Default": "No",
        },
        "Yes": {"Type": "Pass", "Result": "yes", "End": True},
        "No": {"Type": "Pass", "Result": "no", "End": True},
    }
    assert deployment.execute(aws, states, execution_input)["output"] == chosen


def test_a_wait_until_a_moment_that_is_past_does_not_wait(aws: EmbeddedAws) -> None:
    states = {"Wait": {"Type": "Wait", "TimestampPath": "$.available_at", "End": True}}
    started = time.monotonic()
    assert deployment.execute(aws, states, {"available_at": "2020-01-01T00:00:00Z"})["status"] == "SUCCEEDED"
    assert time.monotonic() - started < 2


def test_fail_takes_error_and_cause_from_the_input(aws: EmbeddedAws) -> None:
    states = {"Fail": {"Type": "Fail", "ErrorPath": "$.error", "CausePath": "$.cause"}}
    answer = deployment.execute(aws, states, {"error": "BadInput", "cause": "operation is unknown"})
    assert (answer["error"], answer["cause"]) == ("BadInput", "operation is unknown")


def test_a_distributed_map_reads_its_items_from_s3_and_tolerates_failures(aws: EmbeddedAws) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="manifests")
    items = [{"app_id": str(number), "verdict": number % 4 == 0} for number in range(40)]
    s3.put_object(Bucket="manifests", Key="run/items.json", Body=json.dumps(items))
    child = deployment.task("step", ResultSelector={})
    states = {
        "Map": {
            "Type": "Map",
            "MaxConcurrency": 4,
            "ToleratedFailurePercentage": 100,
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:getObject",
                "ReaderConfig": {"InputType": "JSON"},
                "Parameters": {"Bucket.$": "$.bucket", "Key": "run/items.json"},
            },
            "ItemSelector": {
                "name.$": "$$.Map.Item.Value.app_id",
                "verdict.$": "$$.Map.Item.Value.verdict",
                "run_id.$": "$.run_id",
            },
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "Step",
                "States": {"Step": child},
            },
            "ResultPath": None,
            "End": True,
        }
    }
    answer = deployment.execute(aws, states, {"bucket": "manifests", "run_id": "r1"})
    assert answer["output"] == {"bucket": "manifests", "run_id": "r1"}
    client = aws.client("stepfunctions")
    run = client.list_map_runs(executionArn=answer["executionArn"])["mapRuns"][0]
    counts = client.describe_map_run(mapRunArn=run["mapRunArn"])["itemCounts"]
    assert (counts["succeeded"], counts["failed"], counts["total"]) == (30, 10, 40)


def test_dynamodb_items_are_written_from_a_state(aws: EmbeddedAws) -> None:
    dynamodb = aws.client("dynamodb")
    dynamodb.create_table(
        TableName="registry",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    key = {"pk": {"S.$": "States.Format('run#{}', $$.Execution.Name)"}}
    states = {
        "Put": {
            "Type": "Task",
            "Resource": "arn:aws:states:::dynamodb:putItem",
            "Parameters": {"TableName": "registry", "Item": key, "ConditionExpression": "attribute_not_exists(pk)"},
            "ResultPath": None,
            "Next": "Update",
        },
        "Update": {
            "Type": "Task",
            "Resource": "arn:aws:states:::dynamodb:updateItem",
            "Parameters": {
                "TableName": "registry",
                "Key": key,
                "UpdateExpression": "SET #e = :error ADD failures :one",
                "ExpressionAttributeNames": {"#e": "error"},
                "ExpressionAttributeValues": {":error": {"S.$": "$.error"}, ":one": {"N": "1"}},
            },
            "End": True,
        },
    }
    answer = deployment.execute(aws, states, {"error": "Late"})
    assert answer["status"] == "SUCCEEDED", answer
    item = dynamodb.get_item(TableName="registry", Key={"pk": {"S": f"run#{answer['name']}"}}, ConsistentRead=True)[
        "Item"
    ]
    assert (item["error"], item["failures"]) == ({"S": "Late"}, {"N": "1"})


def test_a_function_beyond_the_accounts_concurrency_is_throttled_by_its_name_on_aws() -> None:
    """Two branches call a function at the same time, but only one can run: the slower one is throttled."""
    with EmbeddedAws(concurrent_functions=1) as small:
        deployment.create_function(small, "slow", "import time\ndef handle(event, context):\n    time.sleep(1)\n")
        processor = {
            "ProcessorConfig": {"Mode": "INLINE"},
            "StartAt": "Step",
            "States": {
                "Step": deployment.task(
                    "slow", Catch=[{"ErrorEquals": ["Lambda.TooManyRequestsException"], "Next": "Throttled"}]
                ),
                "Throttled": {"Type": "Pass", "Result": "throttled", "End": True},
            },
        }
        states = {"Map": {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor, "End": True}}
        answer = deployment.execute(small, states, {"items": [1, 2, 3]})
        assert (answer["status"], answer["output"].count("throttled")) == ("SUCCEEDED", 2)

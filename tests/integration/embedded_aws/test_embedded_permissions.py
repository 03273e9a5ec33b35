import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from deployment import invoke, zipped

from local.aws.server import EmbeddedAws

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shelf/open/*"},
        {
            "Effect": "Allow",
            "Action": ["athena:StartQueryExecution", "athena:GetQueryExecution"],
            "Resource": "arn:aws:athena:us-east-1:000000000000:workgroup/ours",
        },
    ],
}
# Runs the event: a client's name, a method, its arguments.
CALLER = """
import boto3

def handle(event, context):
    try:
        answer = getattr(boto3.client(event["service"]), event["method"])(**event["arguments"])
    except Exception as error:
        return type(error).__name__ + ": " + str(error)
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer.get("QueryExecutionId")
"""
REFUSES_PLAIN_HTTP = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": "arn:aws:s3:::shelf/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    },
}


@pytest.fixture(scope="module")
def guarded() -> Iterator[EmbeddedAws]:
    with EmbeddedAws(enforces_permissions=True) as aws:
        trust = {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            },
        }
        iam = aws.client("iam")
        role = iam.create_role(RoleName="caller", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        iam.put_role_policy(RoleName="caller", PolicyName="all", PolicyDocument=json.dumps(POLICY))
        aws.client("lambda").create_function(
            FunctionName="caller",
            Runtime="python3.11",
            Role=role,
            Handler="handler.handle",
            Timeout=30,
            Code={"ZipFile": zipped({"handler.py": CALLER})},
        )
        s3 = aws.client("s3")
        s3.create_bucket(Bucket="shelf")
        s3.put_bucket_policy(Bucket="shelf", Policy=json.dumps(REFUSES_PLAIN_HTTP))
        for key in ("open/a", "closed/a"):
            s3.put_object(Bucket="shelf", Key=key, Body=b"book")
        aws.client("athena").create_work_group(
            Name="ours", Configuration={"ResultConfiguration": {"OutputLocation": "s3://shelf/results/"}}
        )
        yield aws


def call(aws: EmbeddedAws, service: str, method: str, **arguments: str) -> Any:
    event = {"service": service, "method": method, "arguments": arguments}
    return invoke(aws, "caller", event)["payload"]


def calls(aws: EmbeddedAws) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{aws.url}/_local/calls", timeout=5) as answer:  # noqa: S310 (loopback)
        return list(json.load(answer))


def test_a_function_may_do_what_its_policy_allows_and_nothing_else(guarded: EmbeddedAws) -> None:
    assert call(guarded, "s3", "get_object", Bucket="shelf", Key="open/a") == [200, None]
    assert "AccessDenied" in call(guarded, "s3", "get_object", Bucket="shelf", Key="closed/a")


def test_every_judged_call_of_a_function_is_told_with_its_answer_and_nobody_elses(guarded: EmbeddedAws) -> None:
    call(guarded, "s3", "get_object", Bucket="shelf", Key="open/absent")
    call(guarded, "s3", "head_object", Bucket="shelf", Key="closed/a")
    guarded.client("s3").get_object(Bucket="shelf", Key="open/a")
    told = calls(guarded)
    judged = {"caller": "caller", "action": "s3:GetObject"}
    resource = "arn:aws:s3:::shelf/"
    assert {**judged, "resource": f"{resource}open/absent", "allowed": True, "status": 404} in told
    assert {**judged, "resource": f"{resource}closed/a", "allowed": False, "status": 403} in told
    assert {each["caller"] for each in told} == {"caller"}


def test_a_call_about_a_query_is_judged_on_the_querys_workgroup(guarded: EmbeddedAws) -> None:
    status, query = call(guarded, "athena", "start_query_execution", QueryString="SELECT 1", WorkGroup="ours")
    assert status == 200
    assert call(guarded, "athena", "get_query_execution", QueryExecutionId=query) == [200, None]
    other = guarded.client("athena").start_query_execution(
        QueryString="SELECT 1", ResultConfiguration={"OutputLocation": "s3://shelf/results/"}
    )
    assert "AccessDenied" in call(guarded, "athena", "get_query_execution", QueryExecutionId=other["QueryExecutionId"])


def test_without_enforcement_nothing_is_judged(aws: EmbeddedAws) -> None:
    with pytest.raises(urllib.error.HTTPError):
        calls(aws)

"""The quick moto answers as moto itself does: each call, its answer or its error, and what is stored at last."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.aws_in_process import aws_in_process

KEYS = (("pk", "HASH"), ("sk", "RANGE"))
HERE = {"pk": {"S": "app#1"}, "sk": {"S": "a"}}
DEEP = {"M": {"rows": {"N": "7"}, "list": {"L": [{"S": "é"}, {"NULL": True}, {"M": {}}]}, "flag": {"BOOL": False}}}
UPDATES: tuple[dict[str, Any], ...] = (
    {"expression": "SET a = :a, deep = :deep", "values": {":a": {"N": "1"}, ":deep": DEEP}},
    {"expression": "SET a = a + :n", "values": {":n": {"N": "2.5"}}},
    {"expression": "SET a=if_not_exists(b, :n), #l = list_append(deep.#l, :l)", "names": {"#l": "list"}}
    | {"values": {":n": {"N": "3"}, ":l": {"L": [{"S": "end"}]}}},
    {"expression": "ADD counts :n, words :w", "values": {":n": {"N": "4"}, ":w": {"SS": ["x", "y"]}}},
    {"expression": "DELETE words :w", "values": {":w": {"SS": ["x"]}}},
    {"expression": "SET deep.#r = :n REMOVE deep.flag, b", "names": {"#r": "rows"}, "values": {":n": {"N": "8"}}},
    {"expression": "SET a = :n", "values": {":n": {"N": "9"}}, "condition": "a > :n"},
    {"expression": "SET a = :n", "values": {":n": {"N": "9"}}, "condition": "attribute_exists(pk) AND NOT a > :n"},
    {"expression": "SET a = :n SET b = :n", "values": {":n": {"N": "1"}}},
    {"expression": "SET a = :n, a = :n", "values": {":n": {"N": "1"}}},
    {"expression": "SET pk = :n", "values": {":n": {"S": "other"}}},
    {"expression": "SET a = :missing", "values": {":n": {"N": "1"}}},
    {"expression": "SET none.there = :n", "values": {":n": {"N": "1"}}},
    {"expression": "SET name = :n", "values": {":n": {"N": "1"}}},
    {"expression": "SET a = deep + :n", "values": {":n": {"N": "1"}}},
)
OBJECTS = ("plain.txt", "dt=2026-01-02/a b+c.parquet", "ünïcode/50%/key", "query?x=1&y=2")


def _asked(call: Callable[..., Any], **parameters: Any) -> Any:
    """An answer or an error without what differs each time."""
    try:
        answer = call(**parameters)
    except ClientError as error:
        return {**error.response["Error"], "status": error.response["ResponseMetadata"]["HTTPStatusCode"]}
    headers = answer.pop("ResponseMetadata")["HTTPHeaders"]
    body = answer.pop("Body", None)
    told = {
        name: value for name, value in headers.items() if name not in ("date", "last-modified") and "id" not in name
    }
    return re.sub(r"datetime\(.*?\)\)", "", repr((answer, told, body and body.read())))


def _of_dynamodb() -> Iterator[Any]:
    client = boto3.client("dynamodb", "us-east-1")
    client.create_table(
        TableName="registry",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in KEYS],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in KEYS],
        BillingMode="PAY_PER_REQUEST",
    )
    for update in UPDATES * 2:
        optional = {"ConditionExpression": update.get("condition"), "ExpressionAttributeNames": update.get("names")}
        yield _asked(
            client.update_item,
            TableName="registry",
            Key=HERE,
            UpdateExpression=update["expression"],
            ExpressionAttributeValues=update["values"],
            ReturnValues="ALL_NEW",
            **{name: value for name, value in optional.items() if value},
        )
    for number in range(12):
        item = {"pk": {"S": "app#1"}, "sk": {"S": f"b{number:02}"}, "b": {"BOOL": True}, "text": {"S": "ü" * 900}}
        yield _asked(client.put_item, TableName="registry", Item=item, ConditionExpression="attribute_not_exists(sk)")
        yield _asked(client.put_item, TableName="registry", Item=item, ConditionExpression="attribute_not_exists(sk)")
    yield _asked(client.get_item, TableName="registry", Key=HERE, ConsistentRead=True)
    yield _asked(client.get_item, TableName="registry", Key={**HERE, "sk": {"S": "none"}})
    for more in ({}, {"Limit": 5}, {"ScanIndexForward": False}, {"FilterExpression": "attribute_exists(b)"}):
        yield _asked(
            client.query,
            TableName="registry",
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues={":pk": {"S": "app#1"}, ":sk": {"S": "b"}},
            **more,
        )
    yield _asked(client.batch_get_item, RequestItems={"registry": {"Keys": [HERE]}})
    yield _asked(client.delete_item, TableName="registry", Key=HERE, ReturnValues="ALL_OLD")
    yield _asked(client.scan, TableName="registry")
    yield _asked(client.get_item, TableName="nowhere", Key=HERE)


def _of_s3() -> Iterator[Any]:
    client = boto3.client("s3", "us-east-1")
    for bucket in ("lake", "raw"):
        client.create_bucket(Bucket=bucket)
    client.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    for key in OBJECTS:
        yield _asked(client.put_object, Bucket="raw", Key=key, Body=b"\0one", Metadata={"batch-id": "1", "a_b": "2"})
        yield _asked(client.put_object, Bucket="raw", Key=key, Body=b"two", IfNoneMatch="*")
        yield _asked(client.put_object, Bucket="raw", Key=key, Body=b"", ContentType="text/plain", Tagging="x=1&y=2")
        yield _asked(client.head_object, Bucket="raw", Key=key)
        yield _asked(client.get_object, Bucket="raw", Key=key)
        yield _asked(client.put_object, Bucket="raw", Key=key, Body=b"0123456789")
        yield _asked(client.get_object, Bucket="raw", Key=key, Range="bytes=-4")
        yield _asked(client.get_object, Bucket="raw", Key=key, IfMatch='"other"')
        yield _asked(client.copy_object, Bucket="raw", Key=f"copy/{key}", CopySource={"Bucket": "raw", "Key": key})
    for more in ({}, {"Prefix": "dt=2026-01-02/"}, {"MaxKeys": 3}, {"StartAfter": "plain"}, {"Delimiter": "/"}):
        yield _asked(client.list_objects_v2, Bucket="raw", **more)
    yield _asked(client.delete_objects, Bucket="raw", Delete={"Objects": [{"Key": key} for key in OBJECTS[:2]]})
    yield _asked(client.delete_object, Bucket="raw", Key=OBJECTS[2])
    yield _asked(client.list_objects_v2, Bucket="raw", FetchOwner=True)
    yield _asked(client.head_object, Bucket="raw", Key="none")
    yield _asked(client.get_object, Bucket="nowhere", Key="none")
    client.put_object(Bucket="lake", Key="kept", Body=b"1")
    yield [version["IsLatest"] for version in client.list_object_versions(Bucket="lake")["Versions"]]
    yield re.sub(
        r"(Signature|Expires)=[^&]*", "", client.generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"})
    )


@pytest.mark.parametrize("story", [_of_dynamodb, _of_s3], ids=["DynamoDB", "S3"])
def test_every_answer_is_that_of_moto(story: Callable[[], Iterator[Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        expected = [*story()]
    with aws_in_process():
        assert [*story()] == expected

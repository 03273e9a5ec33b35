"""moto inside the test's process: the registry's table, buckets, and calls that are atomic as on AWS."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch

from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber

from appstore_analytics.lake.objects import Bucket
from appstore_analytics.registry import Registry
from appstore_analytics.wiring.aws import aws
from appstore_analytics.wiring.clock import utc_now
from tests.quick_moto import quick_calls

_SESSION = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}


@contextmanager
def aws_in_process() -> Iterator[None]:
    """moto, one call at a time: otherwise its DynamoDB would let two threads pass the same condition."""
    lock, answer = threading.RLock(), BotocoreStubber.__call__

    def one_at_a_time(stubber: BotocoreStubber, *arguments: Any, **named: Any) -> Any:
        with lock:
            return answer(stubber, *arguments, **named)

    with mock_aws(), quick_calls(), patch.object(BotocoreStubber, "__call__", one_at_a_time):
        yield


@cache
def _connection(service: str) -> Any:
    """Created once, because creating it takes longer than a test. The state behind it is new for every test."""
    return aws().resource(service, **_SESSION)


def new_registry(name: str = "registry") -> Registry:
    table = _connection("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    return Registry(table, utc_now)


def new_bucket(name: str, *, versioned: bool = False) -> Bucket:
    client = _connection("s3").meta.client
    client.create_bucket(Bucket=name)
    if versioned:
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return Bucket(client, name)


def in_threads(work: Any, count: int) -> list[Any]:
    """Run `work(number)` in this many threads that start together. Returns results or exceptions, in order."""
    gate = threading.Barrier(count)
    results: list[Any] = [None] * count

    def run(number: int) -> None:
        gate.wait()
        try:
            results[number] = work(number)
        except Exception as error:  # noqa: BLE001 (it is the result)
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results

from collections.abc import Iterator

import pytest
from botocore.awsrequest import AWSPreparedRequest

from appstore_analytics.wiring.connections import open_bucket, open_s3
from tests.aws_in_process import aws_in_process

BUCKETS = ("lake", "raw")


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    open_s3.cache_clear()
    with aws_in_process():
        yield
    open_s3.cache_clear()


def test_two_buckets_are_reached_by_one_client_and_under_the_pipelines_name() -> None:
    requests: list[AWSPreparedRequest] = []
    client = open_s3()
    client.meta.events.register("before-send.s3", lambda request, **_: requests.append(request))
    for name in BUCKETS:
        client.create_bucket(Bucket=name)
        open_bucket(name).write("key", b"content")
    assert [request.method for request in requests] == ["PUT"] * 4
    assert {request.headers["User-Agent"].split()[0] for request in requests} == {b"appstore-analytics"}

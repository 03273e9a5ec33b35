import json
import time
import urllib.request
from typing import Any

import botocore.exceptions
import pytest

from local.aws.server import EmbeddedAws


def faults(aws: EmbeddedAws, method: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{aws.url}/_local/faults", data=data, method=method)  # noqa: S310 (loopback)
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 (loopback)
        return json.load(answer)


def test_a_fault_is_answered_as_often_as_asked_for_and_not_applied(aws: EmbeddedAws) -> None:
    secrets = aws.client("secretsmanager")
    faults(aws, "POST", [{"target": "secretsmanager.CreateSecret$", "status": 400, "code": "LimitExceededException"}])
    with pytest.raises(botocore.exceptions.ClientError, match="LimitExceededException"):
        secrets.create_secret(Name="key", SecretString="invented")
    secrets.create_secret(Name="key", SecretString="invented")
    assert faults(aws, "GET") == []


def test_a_fault_after_the_call_leaves_the_call_applied(aws: EmbeddedAws) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="after")
    faults(aws, "POST", [{"target": "^PUT:/after/key$", "status": 403, "code": "Late", "after": True}])
    with pytest.raises(botocore.exceptions.ClientError, match="Late"):
        s3.put_object(Bucket="after", Key="key", Body=b"bytes")
    assert s3.get_object(Bucket="after", Key="key")["Body"].read() == b"bytes"


def test_boto3_retries_an_injected_503(aws: EmbeddedAws) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="retried")
    faults(aws, "POST", [{"target": "^PUT:/retried/key$", "status": 503, "code": "SlowDown"}])
    answer = s3.put_object(Bucket="retried", Key="key", Body=b"bytes")
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1


def test_a_fault_may_only_delay(aws: EmbeddedAws) -> None:
    faults(aws, "POST", [{"target": "^GET:/$", "delay_seconds": 0.2}])
    started = time.monotonic()
    aws.client("s3").list_buckets()
    assert time.monotonic() - started >= 0.2


def test_faults_are_listed_and_cleared(aws: EmbeddedAws) -> None:
    assert faults(aws, "POST", [{"target": "never", "times": 3}])[0]["times"] == 3
    assert len(faults(aws, "GET")) == 1
    assert faults(aws, "DELETE") == []


def test_a_fault_with_an_unknown_field_is_refused(aws: EmbeddedAws) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        faults(aws, "POST", [{"target": "x", "often": 3}])

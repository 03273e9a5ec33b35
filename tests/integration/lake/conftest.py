"""A versioned bucket of moto's S3."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from appstore_analytics.lake.objects import Bucket


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with mock_aws():
        yield new_bucket("lake")


def new_bucket(name: str) -> Bucket:
    client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    client.create_bucket(Bucket=name)
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return Bucket(client, name)

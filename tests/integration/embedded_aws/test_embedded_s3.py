from collections.abc import Callable

import boto3
import botocore.exceptions
import pytest
from botocore.config import Config

from local.aws.server import EmbeddedAws

BUCKET = "lake"


def status(call: Callable[[], object]) -> int:
    try:
        call()
    except botocore.exceptions.ClientError as error:
        return int(error.response["ResponseMetadata"]["HTTPStatusCode"])
    return 200


@pytest.fixture(scope="module", autouse=True)
def _bucket(aws: EmbeddedAws) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})


def test_a_put_is_a_compare_and_swap(aws: EmbeddedAws) -> None:
    s3 = aws.client("s3")
    first = s3.put_object(Bucket=BUCKET, Key="part", Body=b"1", IfNoneMatch="*")["ETag"]
    second = s3.put_object(Bucket=BUCKET, Key="part", Body=b"2", IfMatch=first, Metadata={"vintage": "2"})["ETag"]
    assert status(lambda: s3.put_object(Bucket=BUCKET, Key="part", Body=b"3", IfNoneMatch="*")) == 412
    assert status(lambda: s3.put_object(Bucket=BUCKET, Key="part", Body=b"3", IfMatch=first)) == 412
    assert status(lambda: s3.put_object(Bucket=BUCKET, Key="absent", Body=b"3", IfMatch=first)) == 404
    assert status(lambda: s3.get_object(Bucket=BUCKET, Key="part", IfMatch=first)) == 412
    assert s3.get_object(Bucket=BUCKET, Key="part", IfMatch=second)["Metadata"] == {"vintage": "2"}


def test_a_delete_names_the_object_it_means(aws: EmbeddedAws) -> None:
    s3 = aws.client("s3")
    etag = s3.put_object(Bucket=BUCKET, Key="dropped", Body=b"1")["ETag"]
    assert status(lambda: s3.delete_object(Bucket=BUCKET, Key="dropped", IfMatch='"other"')) == 412
    assert status(lambda: s3.delete_object(Bucket=BUCKET, Key="dropped", IfMatch=etag)) == 200
    assert status(lambda: s3.head_object(Bucket=BUCKET, Key="dropped")) == 404
    assert len(s3.list_object_versions(Bucket=BUCKET, Prefix="dropped")["Versions"]) == 1


def test_a_replaced_and_a_deleted_version_can_be_read_and_put_back(aws: EmbeddedAws) -> None:
    s3 = aws.client("s3")
    first = s3.put_object(Bucket=BUCKET, Key="kept", Body=b"1", Metadata={"vintage": "1"})
    assert s3.head_object(Bucket=BUCKET, Key="kept")["VersionId"] == first["VersionId"]
    second = s3.put_object(Bucket=BUCKET, Key="kept", Body=b"2", IfMatch=first["ETag"])
    old = s3.get_object(Bucket=BUCKET, Key="kept", VersionId=first["VersionId"])
    assert (old["Body"].read(), old["Metadata"]) == (b"1", {"vintage": "1"})
    s3.delete_object(Bucket=BUCKET, Key="kept", IfMatch=second["ETag"])
    assert s3.get_object(Bucket=BUCKET, Key="kept", VersionId=second["VersionId"])["Body"].read() == b"2"
    assert status(lambda: s3.get_object(Bucket=BUCKET, Key="kept", VersionId="0" * 32)) == 404
    again = s3.put_object(Bucket=BUCKET, Key="kept", Body=b"1", IfNoneMatch="*")
    assert again["ETag"] == first["ETag"]
    assert again["VersionId"] != first["VersionId"]


def test_the_folders_below_a_prefix_are_listed(aws: EmbeddedAws) -> None:
    s3 = aws.client("s3")
    for key in ("runs/a/plan.json", "runs/a/manifests/land.json", "runs/b/plan.json"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    page = s3.list_objects_v2(Bucket=BUCKET, Prefix="runs/", Delimiter="/")
    assert [entry["Prefix"] for entry in page["CommonPrefixes"]] == ["runs/a/", "runs/b/"]


def test_bytes_that_do_not_match_their_md5_are_refused(aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in aws.environment.items():
        monkeypatch.setenv(name, value)
    # boto3 would retry four more times
    s3 = boto3.client("s3", config=Config(retries={"max_attempts": 0}))
    wrong = "AAAAAAAAAAAAAAAAAAAAAA=="
    assert status(lambda: s3.put_object(Bucket=BUCKET, Key="raw", Body=b"1", ContentMD5=wrong)) == 400


def test_a_listing_is_paged(aws: EmbeddedAws) -> None:
    s3 = aws.client("s3")
    for number in range(25):
        s3.put_object(Bucket=BUCKET, Key=f"parts/{number:02}", Body=b"")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=BUCKET, Prefix="parts/", PaginationConfig={"PageSize": 10}
    )
    assert [len(page["Contents"]) for page in pages] == [10, 10, 5]

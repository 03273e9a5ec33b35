"""If S3 breaks off, the bytes read are complete anyway, or the read ends with an error that is retried."""

import io
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    EndpointConnectionError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from urllib3.exceptions import ProtocolError
from urllib3.exceptions import ReadTimeoutError as Urllib3ReadTimeout

from appstore_analytics.contract.errors import AwsUnavailable, TransientError
from appstore_analytics.lake.objects import Bucket

CONTENT = bytes(range(256)) * 40
BREAKS: tuple[Callable[[], Exception], ...] = (
    lambda: ResponseStreamingError(error="reset"),
    lambda: ReadTimeoutError(endpoint_url="s3"),
    lambda: IncompleteReadError(actual_bytes=1, expected_bytes=2),
    lambda: ProtocolError("Connection broken"),
    lambda: Urllib3ReadTimeout(None, "s3", "timed out"),  # type: ignore[arg-type]
    lambda: ConnectionClosedError(endpoint_url="s3"),
    lambda: EndpointConnectionError(endpoint_url="s3"),
    lambda: ConnectionResetError(104, "reset"),
    lambda: TimeoutError("timed out"),
    lambda: ssl.SSLError("decryption failed"),
)


class Body(io.BytesIO):
    """Breaks after `whole` bytes with `error`; without an error it just ends there."""

    def __init__(self, content: bytes, whole: int | None, error: Exception | None) -> None:
        super().__init__(content if whole is None else content[:whole])
        self.breaks = whole is not None and error is not None
        self.error = error

    def read(self, size: int | None = -1) -> bytes:
        piece = super().read(size)
        if self.breaks and (size in (None, -1) or not piece):
            raise self.error  # type: ignore[misc]
        return piece


class S3:
    """Holds one object; the bodies of the next answers break at `breaks`."""

    def __init__(self, error: Exception | None, *breaks: int) -> None:
        self.error, self.breaks = error, list(breaks)
        self.asked: list[dict[str, Any]] = []

    def get_object(self, **of: Any) -> dict[str, Any]:
        self.asked.append(of)
        content = CONTENT
        if "Range" in of:
            first = of["Range"].removeprefix("bytes=").split("-")
            content = CONTENT[int(first[0]) :] if first[0] else CONTENT[-int(first[1]) :]
        whole = self.breaks.pop(0) if self.breaks else None
        return {
            "Body": Body(content, whole, self.error),
            "ETag": "etag",
            "ContentLength": len(content),
            "LastModified": datetime(2026, 11, 23, tzinfo=UTC),
            "Metadata": {"a": "b"},
        }


def readings(bucket: Bucket) -> Iterator[tuple[str, Callable[[], bytes]]]:
    yield "read", lambda: bucket.read("k") or b""
    yield "read_version", lambda: bucket.read_version("k", "v")[0]
    yield "tail", lambda: bucket.tail("k", len(CONTENT))
    yield "open", lambda: opened(bucket)
    yield "fetch", lambda: fetched(bucket)


def opened(bucket: Bucket) -> bytes:
    with bucket.open("k") as stream:
        return b"".join(iter(lambda: stream.read(1000), b""))


def fetched(bucket: Bucket) -> bytes:
    target = io.BytesIO()
    bucket.fetch("k", target, if_match="etag")
    return target.getvalue()


@pytest.mark.parametrize("make", BREAKS, ids=lambda make: type(make()).__name__)
@pytest.mark.parametrize("way", ["read", "read_version", "tail", "open", "fetch"])
def test_an_answer_that_breaks_off_is_read_whole_all_the_same(way: str, make: Callable[[], Exception]) -> None:
    s3 = S3(make(), 3000, 0, 1)
    bucket = Bucket(s3, "b")
    assert dict(readings(bucket))[way]() == CONTENT
    assert len(s3.asked) == 4


@pytest.mark.parametrize("make", BREAKS, ids=lambda make: type(make()).__name__)
@pytest.mark.parametrize("way", ["read", "read_version", "tail", "open", "fetch"])
def test_an_answer_that_goes_on_breaking_off_is_retried_later(way: str, make: Callable[[], Exception]) -> None:
    bucket = Bucket(S3(make(), *([0] * 50)), "b")
    with pytest.raises(AwsUnavailable, match=r"^k: S3 broke off 4 times"):
        dict(readings(bucket))[way]()
    assert issubclass(AwsUnavailable, TransientError)


def test_a_stream_that_ends_too_early_without_an_error_goes_on() -> None:
    assert opened(Bucket(S3(None, 5000, 10), "b")) == CONTENT


def test_only_what_is_missing_is_asked_for_and_of_the_same_object() -> None:
    s3 = S3(ConnectionResetError(), 3000)
    assert opened(Bucket(s3, "b")) == CONTENT
    assert s3.asked[1:] == [{"Bucket": "b", "Key": "k", "IfMatch": "etag", "Range": "bytes=3000-"}]


def test_a_slow_trickle_is_not_given_up_as_long_as_bytes_come() -> None:
    assert opened(Bucket(S3(ConnectionResetError(), *([100] * 90)), "b")) == CONTENT


def test_any_piece_of_a_stream_can_be_read_into_a_buffer() -> None:
    with Bucket(S3(ConnectionResetError(), 700), "b").open("k") as stream:
        buffer = bytearray(5000)
        assert stream.readinto(buffer) == 700  # type: ignore[attr-defined]
        assert bytes(buffer[:700]) + stream.read() == CONTENT

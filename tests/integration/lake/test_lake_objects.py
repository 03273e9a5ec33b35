"""S3 with compare-and-swap, and the landing of raw bytes."""

import hashlib
import io
import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from appstore_analytics.contract.errors import DownloadBroken, InstanceTooLarge
from appstore_analytics.lake.objects import Bucket, ObjectReplacedError
from appstore_analytics.lake.raw import LandedSegment, is_landed, land_segment

KEY = "raw/engagement/1000000001/ONGOING/2026-11-21/instance/segment.txt.gz"


def etag(bucket: Bucket, key: str = "key") -> str:
    stored = bucket.head(key)
    assert stored is not None
    return stored.etag


def test_what_is_not_there_is_none(bucket: Bucket) -> None:
    assert bucket.head("key") is None
    assert bucket.read("key") is None
    assert list(bucket.list("")) == []


def test_a_bucket_that_does_not_exist_is_not_taken_for_an_absent_object(bucket: Bucket) -> None:
    elsewhere = Bucket(bucket._client, "elsewhere")
    with pytest.raises(ClientError):
        elsewhere.read("key")
    with pytest.raises(ClientError):
        elsewhere.swap("key", b"", expected=None)


def test_what_was_written_is_read_headed_and_listed(bucket: Bucket) -> None:
    bucket.write("a/key", io.BytesIO(b"content"), metadata={"vintage": "x"})
    bucket.write("b/key", b"")
    stored = bucket.head("a/key")
    assert stored is not None
    assert (stored.key, stored.size_bytes, stored.metadata) == ("a/key", 7, {"vintage": "x"})
    assert bucket.read("a/key") == b"content"
    assert bucket.open("a/key").read() == b"content"
    assert [(each.key, each.etag, each.size_bytes, each.metadata) for each in bucket.list("a/")] == [
        ("a/key", stored.etag, 7, {})
    ]


def test_a_listing_goes_over_all_pages(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    for number in range(5):
        bucket.write(f"many/{number}", b"")
    assert [each.key for each in bucket.list("many/")] == [f"many/{number}" for number in range(5)]


def test_a_swap_creates_only_where_nothing_stands(bucket: Bucket) -> None:
    assert bucket.swap("key", b"1", expected=None, metadata={"vintage": "1"})
    assert not bucket.swap("key", b"2", expected=None)
    assert bucket.read("key") == b"1"


def test_a_swap_replaces_only_what_it_expects(bucket: Bucket) -> None:
    assert not bucket.swap("key", b"1", expected='"0"')
    bucket.write("key", b"1")
    first = etag(bucket)
    assert bucket.swap("key", b"2", expected=first)
    assert not bucket.swap("key", b"3", expected=first)
    assert bucket.read("key") == b"2"


def test_of_many_writers_one_wins(bucket: Bucket) -> None:
    bucket.write("key", b"1")
    expected = etag(bucket)
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda number: bucket.swap("key", b"%d" % number, expected=expected), range(100, 130)))
    assert won.count(True) == 1
    assert bucket.read("key") == b"%d" % (100 + won.index(True))


def test_only_the_expected_object_is_removed(bucket: Bucket) -> None:
    bucket.write("key", b"1")
    first = etag(bucket)
    bucket.write("key", b"2")
    assert not bucket.remove("key", expected=first)
    assert bucket.remove("key", expected=etag(bucket))
    assert bucket.head("key") is None
    assert not bucket.remove("key", expected=first)


def test_a_stream_of_an_object_that_was_replaced_is_refused(bucket: Bucket) -> None:
    bucket.write("key", b"1", metadata={"vintage": "1"})
    first = etag(bucket)
    target = io.BytesIO()
    assert bucket.fetch("key", target, if_match=first).metadata == {"vintage": "1"}
    assert target.getvalue() == b"1"
    bucket.write("key", b"2")
    for key in ("key", "absent"):
        with pytest.raises(ObjectReplacedError):
            bucket.open(key, if_match=first)
        with pytest.raises(ObjectReplacedError):
            bucket.fetch(key, io.BytesIO(), if_match=first)


CHUNKS = [b"some ", b"compressed ", b"bytes"]
CONTENT = b"".join(CHUNKS)
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(("checksum", "size_bytes"), [(MD5, len(CONTENT)), (MD5.upper(), None), (None, None)])
def test_a_segment_lands_as_sent(bucket: Bucket, checksum: str | None, size_bytes: int | None) -> None:
    landed = land_segment(bucket, lambda _: KEY, CHUNKS, checksum=checksum, size_bytes=size_bytes)
    assert landed == LandedSegment(KEY, len(CONTENT), MD5)
    assert bucket.read(KEY) == CONTENT
    assert is_landed(bucket, KEY, MD5.upper()) == landed


def test_a_segment_of_another_md5_or_size_does_not_land(bucket: Bucket) -> None:
    with pytest.raises(DownloadBroken, match=f"announces 22 bytes, {len(CONTENT)} arrived"):
        land_segment(bucket, lambda _: KEY, CHUNKS, checksum=MD5, size_bytes=22)
    with pytest.raises(DownloadBroken, match=f"announces MD5 {'0' * 32}, the bytes have {MD5}"):
        land_segment(bucket, lambda _: KEY, CHUNKS, checksum="0" * 32, size_bytes=len(CONTENT))
    assert bucket.head(KEY) is None


def test_a_stream_without_end_is_left_as_soon_as_it_is_too_long(bucket: Bucket) -> None:
    taken = []

    def chunks() -> Iterator[bytes]:
        while True:
            taken.append(10)
            yield bytes(10)

    with pytest.raises(DownloadBroken, match="announces 25 bytes, 30 or more arrived"):
        land_segment(bucket, lambda _: KEY, chunks(), checksum=None, size_bytes=25)
    assert len(taken) == 3
    assert bucket.head(KEY) is None


def test_a_segment_that_announces_no_size_is_left_when_it_no_longer_fits_on_the_disk(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appstore_analytics.lake.raw.LARGEST_SEGMENT_BYTES", 25)
    chunks = itertools.repeat(bytes(10))
    with pytest.raises(InstanceTooLarge, match="raise DOWNLOAD_GIBIBYTES"):
        land_segment(bucket, lambda _: KEY, chunks, checksum=None, size_bytes=None)
    assert bucket.head(KEY) is None


def test_other_bytes_absent_ones_and_unnamed_ones_have_not_landed(bucket: Bucket) -> None:
    assert is_landed(bucket, KEY, MD5) is None
    land_segment(bucket, lambda _: KEY, [b"other"], checksum=None, size_bytes=None)
    assert is_landed(bucket, KEY, MD5) is None
    assert is_landed(bucket, KEY, None) is None


class _Broken:
    """A body that fails before its first byte."""

    def read(self, _: int) -> bytes:
        raise ConnectionResetError(104, "reset")

    def close(self) -> None:
        pass


def test_after_a_break_the_rest_of_the_same_object_is_read(bucket: Bucket) -> None:
    bucket.write("k", b"old" * 1000)
    with bucket.open("k") as stream:
        assert stream.read(4) == b"oldo"
        stream._body = _Broken()  # type: ignore[attr-defined]
        assert stream.read() == (b"old" * 1000)[4:]


def test_after_a_break_an_object_that_was_replaced_is_not_mixed_with_the_new_one(bucket: Bucket) -> None:
    bucket.write("k", b"old" * 1000)
    with bucket.open("k") as stream:
        assert stream.read(3) == b"old"
        bucket.write("k", b"new" * 1000)
        stream._body = _Broken()  # type: ignore[attr-defined]
        with pytest.raises(ObjectReplacedError):
            stream.read(3)

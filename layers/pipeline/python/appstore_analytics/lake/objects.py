"""S3 objects with compare-and-swap: a write names the object that it replaces, and fails if another one is there.

Source: Amazon S3, "Conditional requests": PutObject and DeleteObject take `If-Match: <etag>`, PutObject also takes
`If-None-Match: *`. 412 means that the condition failed, 409 that another write was in progress, and 404 that there is
no object to match; all three mean "look again".
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from botocore.exceptions import ClientError

from appstore_analytics.lake.broken_answers import WholeBody, whole_answer

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import (
        GetObjectOutputTypeDef,
        GetObjectRequestTypeDef,
        HeadObjectOutputTypeDef,
        PutObjectRequestTypeDef,
    )

_T = TypeVar("_T")

_LOOK_AGAIN = frozenset({404, 409, 412})
_COPY_BYTES = 1 << 20


class ObjectAbsentError(Exception):
    """The object, or this version of it, does not exist (any more). The step decides what that means."""


class ObjectReplacedError(Exception):
    """The object has changed since it was listed. Handled inside the lake, by starting from a new listing."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One S3 object at one moment. A listing has neither metadata nor version, so they are empty there."""

    key: str
    etag: str
    size_bytes: int
    modified_at: datetime = field(compare=False)
    metadata: Mapping[str, str] = field(default_factory=dict)
    version_id: str = ""


class Bucket:
    """One S3 bucket, through a boto3 S3 client."""

    def __init__(self, client: "S3Client", name: str) -> None:
        self._client = client
        self.name = name

    def head(self, key: str) -> StoredObject | None:
        """The current object at `key`, with its metadata; None if there is none."""
        answer = _none_if_absent(lambda: self._client.head_object(Bucket=self.name, Key=key))
        return None if answer is None else _stored_object(key, answer)

    def read(self, key: str) -> bytes | None:
        """The bytes at `key`; None if there is no such object."""
        found = _none_if_absent(lambda: self._read(self._request(key)))
        return None if found is None else found[0]

    def read_stored(self, key: str) -> tuple[bytes, StoredObject] | None:
        """The bytes at `key`, and the object; None if there is none."""
        found = _none_if_absent(lambda: self._read(self._request(key)))
        return None if found is None else (found[0], _stored_object(key, found[1]))

    def open(self, key: str, if_match: str | None = None) -> BinaryIO:
        """The bytes at `key` as a stream, which the caller closes; ObjectAbsentError if there is no object.

        With `if_match`, an ETag: ObjectReplacedError unless exactly that object is there.
        """
        body, _ = self._get(key, if_match)
        return body

    def read_version(self, key: str, version_id: str) -> tuple[bytes, Mapping[str, str]]:
        """The bytes and metadata of an earlier version at `key`; ObjectAbsentError if that version has expired."""
        found = _none_if_absent(lambda: self._read(self._request(key) | {"VersionId": version_id}))
        if found is None:
            raise ObjectAbsentError(key)
        content, answer = found
        return content, answer["Metadata"]

    def tail(self, key: str, size_bytes: int) -> bytes:
        """The last bytes at `key`; all bytes if the object is smaller."""
        content, _ = self._read(self._request(key) | {"Range": f"bytes=-{size_bytes}"})
        return content

    def end(self, key: str, size_bytes: int) -> tuple[bytes, StoredObject]:
        """The last bytes at `key`, all bytes if the object is smaller, and the object. ObjectAbsentError if there is
        none.
        """
        request = self._request(key) | {"Range": f"bytes=-{size_bytes}"}

        def read() -> tuple[bytes, StoredObject]:
            answer = self._open(request)
            with answer["Body"] as body:
                return body.read(), _stored_object(key, answer)

        return whole_answer(key, read)

    def range(self, key: str, start: int, stop: int, *, if_match: str) -> bytes:
        """The bytes at `key` from `start` up to `stop`.

        ObjectReplacedError if the object there no longer has the ETag `if_match`.
        """
        request = self._request(key) | {"Range": f"bytes={start}-{stop - 1}", "IfMatch": if_match}

        def read() -> bytes:
            with self._open(request)["Body"] as body:
                return body.read()

        return whole_answer(key, read)

    def fetch(self, key: str, target: BinaryIO, *, if_match: str) -> StoredObject:
        """Copy the object with the ETag `if_match` into `target`. Its metadata comes from the same answer as its bytes.

        ObjectReplacedError if another object, or none, is there by now.
        """
        body, stored = self._get(key, if_match)
        with body:
            while chunk := body.read(_COPY_BYTES):
                target.write(chunk)
        return stored

    def write(
        self,
        key: str,
        body: bytes | BinaryIO,
        *,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        content_md5: str | None = None,
    ) -> str:
        """Put `body` at `key` unconditionally; returns the ETag. With `content_md5` (Base64) S3 refuses other bytes."""
        request = self._put_request(key, body, metadata)
        if content_type is not None:
            request["ContentType"] = content_type
        if content_md5 is not None:
            request["ContentMD5"] = content_md5
        return self._client.put_object(**request)["ETag"]

    def swap(
        self,
        key: str,
        body: bytes | BinaryIO,
        *,
        expected: str | None,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> bool:
        """Put `body` at `key` if the object with the ETag `expected` is there; with None, if there is no object.

        False if another writer was first; then nothing has changed. A retry inside boto3 after a lost answer can also
        return False although it has written: the caller looks again and finds its own object.
        """
        request = self._put_request(key, body, metadata)
        if content_type is not None:
            request["ContentType"] = content_type
        if expected is None:
            request["IfNoneMatch"] = "*"
        else:
            request["IfMatch"] = expected
        return _unless_somebody_was_first(lambda: self._client.put_object(**request))

    def remove(self, key: str, *, expected: str) -> bool:
        """Delete the object with the ETag `expected`; False if another object, or none, is there by now."""
        return _unless_somebody_was_first(
            lambda: self._client.delete_object(Bucket=self.name, Key=key, IfMatch=expected)
        )

    def folders(self, prefix: str) -> Iterator[str]:
        """The names between `prefix` and the next slash, in order."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix, Delimiter="/")
        for page in pages:
            for entry in page.get("CommonPrefixes", ()):
                yield entry["Prefix"].removeprefix(prefix).rstrip("/")

    def list(self, prefix: str, after: str = "") -> Iterator[StoredObject]:
        """The objects below `prefix`, ordered by key; with `after` only those with a greater key."""
        paginator = self._client.get_paginator("list_objects_v2")
        whole = paginator.paginate(Bucket=self.name, Prefix=prefix)
        for page in paginator.paginate(Bucket=self.name, Prefix=prefix, StartAfter=after) if after else whole:
            for entry in page.get("Contents", ()):
                yield StoredObject(entry["Key"], entry["ETag"], entry["Size"], entry["LastModified"])

    def _put_request(
        self, key: str, body: bytes | BinaryIO, metadata: Mapping[str, str] | None
    ) -> "PutObjectRequestTypeDef":
        return {"Bucket": self.name, "Key": key, "Body": body, "Metadata": dict(metadata or {})}

    def _request(self, key: str) -> "GetObjectRequestTypeDef":
        return {"Bucket": self.name, "Key": key}

    def _read(self, request: "GetObjectRequestTypeDef") -> "tuple[bytes, GetObjectOutputTypeDef]":
        """The bytes of an answer, with the answer."""

        def read() -> "tuple[bytes, GetObjectOutputTypeDef]":
            answer = self._client.get_object(**request)
            with answer["Body"] as body:
                return body.read(), answer

        return whole_answer(request["Key"], read)

    def _get(self, key: str, if_match: str | None) -> tuple[BinaryIO, StoredObject]:
        """The body, which resumes after a break, and its object."""

        def rest(offset: int) -> "StreamingBody":
            return self._open(request | {"IfMatch": stored.etag, "Range": f"bytes={offset}-"})["Body"]

        request = self._request(key)
        answer = self._open(request if if_match is None else request | {"IfMatch": if_match})
        stored = _stored_object(key, answer)
        return WholeBody(key, answer["Body"], stored.size_bytes, rest), stored  # type: ignore[return-value]

    def _open(self, request: "GetObjectRequestTypeDef") -> "GetObjectOutputTypeDef":
        """Raises ObjectReplacedError if a required ETag does not match, or the object is gone."""
        try:
            return self._client.get_object(**request)
        except ClientError as error:
            if "IfMatch" in request and _status(error) in _LOOK_AGAIN:
                raise ObjectReplacedError(request["Key"]) from error
            if _status(error) == 404 and error.response["Error"]["Code"] != "NoSuchBucket":
                raise ObjectAbsentError(request["Key"]) from error
            raise


def _status(error: ClientError) -> int:
    return error.response["ResponseMetadata"]["HTTPStatusCode"]


def _stored_object(key: str, answer: "GetObjectOutputTypeDef | HeadObjectOutputTypeDef") -> StoredObject:
    return StoredObject(
        key,
        answer["ETag"],
        # For a range it has the size of the whole object: "bytes 10-19/200".
        int(answer["ContentRange"].rsplit("/", 1)[1]) if "ContentRange" in answer else answer["ContentLength"],
        answer["LastModified"],
        answer["Metadata"],
        answer.get("VersionId", ""),
    )


def _none_if_absent(call: Callable[[], _T]) -> _T | None:
    try:
        return call()
    except ClientError as error:
        if _status(error) == 404 and error.response["Error"]["Code"] != "NoSuchBucket":
            return None
        raise


def _unless_somebody_was_first(call: Callable[[], object]) -> bool:
    try:
        call()
    except ClientError as error:
        if _status(error) in _LOOK_AGAIN and error.response["Error"]["Code"] != "NoSuchBucket":
            return False
        raise
    return True

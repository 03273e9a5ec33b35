"""S3 objects with compare-and-swap: a write says what it expects to stand there, and loses when something else does.

Source: Amazon S3, "Conditional requests": PutObject and DeleteObject take `If-Match: <etag>`, PutObject also takes
`If-None-Match: *`. 412 means that the condition failed, 409 that somebody else was writing at the same moment, and 404
that there is nothing to match; all three mean "look again".
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO

from botocore.exceptions import ClientError

_LOOK_AGAIN = frozenset({404, 409, 412})
_COPY_BYTES = 1 << 20


class ObjectAbsentError(Exception):
    """There is no such object, or no such version of it, (any more). A step says what that means."""


class ObjectReplacedError(Exception):
    """The object does not stand as it was listed any more. Handled inside the lake, by starting from a new listing."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One S3 object as it stood at one moment. A listing tells neither metadata nor version: there they are empty."""

    key: str
    etag: str
    size_bytes: int
    modified_at: datetime = field(compare=False)
    metadata: Mapping[str, str] = field(default_factory=dict)
    version_id: str = ""


class Bucket:
    """One S3 bucket, through a boto3 S3 client."""

    def __init__(self, client: Any, name: str) -> None:  # boto3 builds its clients at run time: there is no class
        self._client = client
        self.name = name

    def head(self, key: str) -> StoredObject | None:
        """What stands at `key` now, with its metadata; None when nothing does."""
        answer = _none_if_absent(lambda: self._client.head_object(Bucket=self.name, Key=key))
        return None if answer is None else _stored_object(key, answer)

    def read(self, key: str) -> bytes | None:
        """The bytes at `key`; None when there is no such object."""
        answer = _none_if_absent(lambda: self._client.get_object(Bucket=self.name, Key=key))
        if answer is None:
            return None
        with answer["Body"] as body:
            content: bytes = body.read()
        return content

    def open(self, key: str, if_match: str | None = None) -> BinaryIO:
        """The bytes at `key` as a stream, which the caller closes; ObjectAbsentError where there are none.

        With `if_match`, an ETag: ObjectReplacedError unless exactly that object stands there.
        """
        body: BinaryIO = self._get(key, if_match)["Body"]
        return body

    def read_version(self, key: str, version_id: str) -> tuple[bytes, Mapping[str, str]]:
        """The bytes and the metadata of what once stood at `key`; ObjectAbsentError when that version has expired."""
        answer = _none_if_absent(lambda: self._client.get_object(Bucket=self.name, Key=key, VersionId=version_id))
        if answer is None:
            raise ObjectAbsentError(key)
        with answer["Body"] as body:
            return body.read(), answer["Metadata"]

    def tail(self, key: str, size_bytes: int) -> bytes:
        """The last bytes at `key`, all of them when it is smaller."""
        answer = self._client.get_object(Bucket=self.name, Key=key, Range=f"bytes=-{size_bytes}")
        with answer["Body"] as body:
            content: bytes = body.read()
        return content

    def fetch(self, key: str, target: BinaryIO, *, if_match: str) -> StoredObject:
        """Copy the object with the ETag `if_match` into `target`; its metadata is of the same answer as its bytes.

        ObjectReplacedError when another object, or none, stands there by now.
        """
        answer = self._get(key, if_match)
        with answer["Body"] as body:
            while chunk := body.read(_COPY_BYTES):
                target.write(chunk)
        return _stored_object(key, answer)

    def write(
        self,
        key: str,
        body: bytes | BinaryIO,
        *,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        content_md5: str | None = None,
    ) -> None:
        """Put `body` at `key`, whatever stands there. With `content_md5` (Base64) S3 refuses other bytes."""
        self._client.put_object(
            Bucket=self.name,
            Key=key,
            Body=body,
            Metadata=dict(metadata or {}),
            **({} if content_type is None else {"ContentType": content_type}),
            **({} if content_md5 is None else {"ContentMD5": content_md5}),
        )

    def swap(
        self, key: str, body: bytes | BinaryIO, *, expected: str | None, metadata: Mapping[str, str] | None = None
    ) -> bool:
        """Put `body` at `key` if the object with the ETag `expected` stands there; None expects that nothing does.

        False when somebody was first; nothing has changed then. A retry inside boto3 after a lost answer may also say
        False although it has written: the caller looks again and finds its own object.
        """
        condition = {"IfNoneMatch": "*"} if expected is None else {"IfMatch": expected}
        return _unless_somebody_was_first(
            lambda: self._client.put_object(
                Bucket=self.name, Key=key, Body=body, Metadata=dict(metadata or {}), **condition
            )
        )

    def remove(self, key: str, *, expected: str) -> bool:
        """Delete the object with the ETag `expected`; False when another object, or none, stands there by now."""
        return _unless_somebody_was_first(
            lambda: self._client.delete_object(Bucket=self.name, Key=key, IfMatch=expected)
        )

    def folders(self, prefix: str) -> Iterator[str]:
        """The names between `prefix` and the next slash, in order."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix, Delimiter="/")
        for page in pages:
            for entry in page.get("CommonPrefixes", ()):
                yield entry["Prefix"].removeprefix(prefix).rstrip("/")

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """The objects below `prefix`, in the order of their keys."""
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix):
            for entry in page.get("Contents", ()):
                yield StoredObject(entry["Key"], entry["ETag"], entry["Size"], entry["LastModified"])

    def _get(self, key: str, if_match: str | None) -> dict[str, Any]:
        if if_match is None:
            found = _none_if_absent(lambda: self._client.get_object(Bucket=self.name, Key=key))
            if found is None:
                raise ObjectAbsentError(key)
            return found
        try:
            answer: dict[str, Any] = self._client.get_object(Bucket=self.name, Key=key, IfMatch=if_match)
        except ClientError as error:
            if _status(error) in _LOOK_AGAIN:
                raise ObjectReplacedError(key) from error
            raise
        return answer


def _status(error: ClientError) -> int:
    return error.response["ResponseMetadata"]["HTTPStatusCode"]


def _stored_object(key: str, answer: dict[str, Any]) -> StoredObject:
    return StoredObject(
        key,
        answer["ETag"],
        answer["ContentLength"],
        answer["LastModified"],
        answer["Metadata"],
        answer.get("VersionId", ""),
    )


def _none_if_absent(call: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
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

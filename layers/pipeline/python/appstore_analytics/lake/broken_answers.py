"""Answers from S3 that break off, or never come.

boto3 repeats a call as long as it has no answer, but not once the body has begun: reading it can then fail with an
error of botocore, of urllib3 or of the connection below (botocore/response.py:StreamingBody).
"""

import io
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ConnectionError as NoConnection
from botocore.exceptions import HTTPClientError, IncompleteReadError
from urllib3.exceptions import HTTPError

from appstore_analytics.contract.errors import AwsUnavailable

if TYPE_CHECKING:
    from botocore.response import StreamingBody

_T = TypeVar("_T")

BROKEN = (HTTPClientError, NoConnection, IncompleteReadError, HTTPError, ConnectionError, TimeoutError, ssl.SSLError)
"""HTTPClientError covers botocore's ResponseStreamingError and ReadTimeoutError, HTTPError urllib3's ProtocolError."""
ATTEMPTS = 4
"""Attempts in a row without a byte. Step Functions retries after a pause (contract/errors.py)."""
_PIECE_BYTES = 1 << 20


def whole_answer(key: str, read: Callable[[], _T]) -> _T:
    """The result of `read`, which fetches a small object: repeated from the beginning after a break."""
    for _ in range(ATTEMPTS):
        try:
            return read()
        except BROKEN as error:
            broken = error
    raise AwsUnavailable(f"{key}: S3 broke off {ATTEMPTS} times ({type(broken).__name__}).") from broken


class WholeBody(io.RawIOBase):
    """The bytes of one object as a stream that resumes after a break.

    `reopen` returns the body of the same object from an offset on. AwsUnavailable if nothing more comes.
    """

    def __init__(
        self, key: str, body: "StreamingBody", size_bytes: int, reopen: Callable[[int], "StreamingBody"]
    ) -> None:
        super().__init__()
        self._key = key
        self._body = body
        self._size_bytes = size_bytes
        self._reopen = reopen
        self._offset = 0

    def readable(self) -> bool:
        """Always true."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes, at most `size`; without a size, all that are left."""
        if size is not None and size >= 0:
            return self._piece(size)
        return b"".join(iter(lambda: self._piece(_PIECE_BYTES), b""))

    def readinto(self, buffer: Any) -> int:
        """See io.RawIOBase."""
        piece = self._piece(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        """Release the connection."""
        if not self.closed:
            self._body.close()
        super().close()

    def _piece(self, size: int) -> bytes:
        wanted = min(size, self._size_bytes - self._offset)
        for attempt in range(ATTEMPTS if wanted else 0):
            try:
                piece = self._next(wanted, is_broken=attempt > 0)
            except BROKEN as error:
                broken = error
                continue
            self._offset += len(piece)
            return piece
        if not wanted:
            return b""
        raise AwsUnavailable(
            f"{self._key}: S3 broke off {ATTEMPTS} times after {self._offset:,} of {self._size_bytes:,} bytes "
            f"({type(broken).__name__})."
        ) from broken

    def _next(self, wanted: int, *, is_broken: bool) -> bytes:
        if is_broken:
            self._body.close()
            self._body = self._reopen(self._offset)
        piece = self._body.read(wanted)
        if not piece:
            raise IncompleteReadError(actual_bytes=self._offset, expected_bytes=self._size_bytes)
        return piece

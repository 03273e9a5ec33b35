"""The gzip of one segment, unpacked as long as its size is plausible for a report."""

import io
import zlib
from typing import Any, BinaryIO

from isal import igzip, isal_zlib

from appstore_analytics.contract.capacities import LARGEST_UNPACKED_BYTES
from appstore_analytics.contract.errors import InstanceQuarantined

_PIECE_BYTES = 256 << 10

_LARGEST_EXPANSION = 300
_EXPANSION_FREE_BYTES = 256 << 20
"""Report rows shrink 5 to 50 times. Gzip can reach 1,032, so a gzip bomb is detected early. Small files are exempt,
because a few MB of equal rows can shrink as much."""


class Inflated:
    """The unpacked bytes of a segment, as long as their size is plausible."""

    def __init__(self, segment: BinaryIO, report: str) -> None:
        self._compressed = _Counted(segment)
        self._gzip = igzip.IGzipFile(fileobj=self._compressed, mode="rb")
        self._report = report
        self._inflated_bytes = 0
        self.has_carriage_return = False

    def read(self, size_bytes: int) -> bytes:
        """Up to `size_bytes` bytes; empty at the end of a complete file."""
        try:
            data: bytes = self._gzip.read(size_bytes)
        except (EOFError, zlib.error, igzip.BadGzipFile, isal_zlib.error) as error:
            raise InstanceQuarantined(
                f"{self._report}: the segment's gzip is broken: {error}.", bytes_are_broken=True
            ) from None
        if not self._compressed.count_bytes:
            raise InstanceQuarantined(
                f"{self._report}: the segment has no bytes at all, not even those of a gzip.", bytes_are_broken=True
            )
        self._inflated_bytes += len(data)
        self._check_expansion()
        self.has_carriage_return = self.has_carriage_return or b"\r" in data
        return data

    def read_into(self, target: memoryview) -> int:
        """Fill `target` and return the number of bytes: less than its size only at the end of a complete file."""
        filled = 0
        while data := self.read(min(_PIECE_BYTES, len(target) - filled)):
            target[filled : filled + len(data)] = data
            filled += len(data)
        return filled

    def _check_expansion(self) -> None:
        if self._inflated_bytes > LARGEST_UNPACKED_BYTES:
            raise InstanceQuarantined(
                f"{self._report}: the segment unpacks to more than {LARGEST_UNPACKED_BYTES >> 30} GiB."
            )
        if (
            self._inflated_bytes > _EXPANSION_FREE_BYTES
            and self._inflated_bytes > _LARGEST_EXPANSION * self._compressed.count_bytes
        ):
            raise InstanceQuarantined(
                f"{self._report}: the segment unpacks to more than {_LARGEST_EXPANSION} times its size, "
                "as no report does."
            )


class _Counted(io.RawIOBase):
    """A stream that counts the bytes read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.count_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any, /) -> int:  # a Buffer, which has no name before Python 3.12
        buffer = memoryview(target)
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self.count_bytes += len(data)
        return len(data)

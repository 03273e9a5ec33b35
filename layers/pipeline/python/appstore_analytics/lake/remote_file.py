"""One S3 object as a file, of which only the pieces that are read are fetched."""

import io
from typing import Any

from appstore_analytics.lake.objects import Bucket

END_BYTES = 64 << 10
"""The bytes that Arrow reads first from a Parquet file: with fewer, it would fetch again."""


class RemoteFile(io.RawIOBase):
    """The object at `key`. Its end is fetched at once, because there a Parquet file says where the rest is.

    ObjectAbsentError if there is no object, ObjectReplacedError if it is replaced while it is read.
    """

    def __init__(self, bucket: Bucket, key: str, end_bytes: int = END_BYTES) -> None:
        super().__init__()
        self._bucket = bucket
        self._end, self.stored = bucket.end(key, end_bytes)
        self._end_begins = self.stored.size_bytes - len(self._end)
        self._position = 0

    def readable(self) -> bool:
        """Always true: it can be read."""
        return True

    def seekable(self) -> bool:
        """Always true: it can be read at any position."""
        return True

    def tell(self) -> int:
        """See io.IOBase."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """See io.IOBase."""
        begins = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.stored.size_bytes}
        self._position = begins[whence] + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        """See io.RawIOBase."""
        piece = self._piece(self._position, min(self._position + len(buffer), self.stored.size_bytes))
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def _piece(self, start: int, stop: int) -> bytes:
        if start >= self._end_begins:
            return self._end[start - self._end_begins : stop - self._end_begins]
        fetched = self._bucket.range(self.stored.key, start, min(stop, self._end_begins), if_match=self.stored.etag)
        return fetched + self._end[: max(stop - self._end_begins, 0)]

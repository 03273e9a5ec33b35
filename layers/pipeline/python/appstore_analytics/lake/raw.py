"""Landing: a raw object has exactly Apple's bytes, or does not exist."""

import base64
import hashlib
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import BinaryIO

from appstore_analytics.contract.capacities import LARGEST_SEGMENT_BYTES
from appstore_analytics.contract.errors import DownloadBroken, InstanceTooLarge
from appstore_analytics.lake.objects import Bucket

_MD5 = "md5"


@dataclass(frozen=True, slots=True)
class LandedSegment:
    """A raw object: `checksum` is the MD5 (hex) of its bytes, which are compressed."""

    key: str
    size_bytes: int
    checksum: str


def is_landed(bucket: Bucket, key: str, checksum: str | None) -> LandedSegment | None:
    """The segment at `key` if it already has the bytes with Apple's `checksum`, otherwise None.

    Without a checksum the bytes cannot be compared, so the result is None and the segment is downloaded again.
    """
    if checksum is None:
        return None
    stored = bucket.head(key)
    if stored is None or stored.metadata.get(_MD5) != checksum.lower():
        return None
    return LandedSegment(key, stored.size_bytes, checksum.lower())


def land_segment(
    bucket: Bucket,
    key_of: Callable[[str], str],
    chunks: Iterable[bytes],
    *,
    checksum: str | None,
    size_bytes: int | None,
) -> LandedSegment:
    """Store a segment that arrives as `chunks`, if its MD5 (hex) and its size are those that Apple announced.

    `key_of` is its key by that MD5. `checksum` and `size_bytes` are Apple's values for the compressed bytes, None if
    absent. Raises DownloadBroken, and writes nothing, if either differs; InstanceTooLarge if the disk is full. A second
    run replaces the object with the same bytes.
    """
    with tempfile.TemporaryFile() as file:
        digest, received_bytes = _receive(chunks, file, LARGEST_SEGMENT_BYTES if size_bytes is None else size_bytes)
        landed = LandedSegment(key_of(digest.hex()), received_bytes, digest.hex())
        _compare(landed, checksum, size_bytes)
        file.seek(0)
        bucket.write(
            landed.key,
            file,
            metadata={_MD5: landed.checksum},
            content_type="application/gzip",
            content_md5=base64.b64encode(digest).decode("ascii"),
        )
    return landed


def _receive(chunks: Iterable[bytes], file: BinaryIO, most_bytes: int) -> tuple[bytes, int]:
    """The chunks, up to the first one beyond the limit: an endless stream must not fill the disk."""
    digest = hashlib.md5(usedforsecurity=False)
    for chunk in chunks:
        digest.update(chunk)
        file.write(chunk)
        if file.tell() > min(most_bytes, LARGEST_SEGMENT_BYTES):
            break
    return digest.digest(), file.tell()


def _compare(landed: LandedSegment, checksum: str | None, size_bytes: int | None) -> None:
    if landed.size_bytes > LARGEST_SEGMENT_BYTES:
        raise InstanceTooLarge(
            f"{landed.key}: a segment of more than {LARGEST_SEGMENT_BYTES >> 20} MiB does not fit on the disk of "
            "download_segments: raise DOWNLOAD_GIBIBYTES in contract/capacities.py and deploy."
        )
    if size_bytes is not None and landed.size_bytes != size_bytes:
        more = " or more" if landed.size_bytes > size_bytes else ""
        raise DownloadBroken(f"{landed.key}: Apple announces {size_bytes} bytes, {landed.size_bytes}{more} arrived.")
    if checksum is not None and landed.checksum != checksum.lower():
        raise DownloadBroken(f"{landed.key}: Apple announces MD5 {checksum.lower()}, the bytes have {landed.checksum}.")

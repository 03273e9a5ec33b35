"""The disk and memory of the functions, the limits that follow from them, and Arrow's memory settings."""

from collections.abc import Mapping
from errno import EDQUOT, ENOSPC

GIBIBYTE = 1 << 30
MOST_GIBIBYTES = 10
"""The maximum for one function (Lambda quotas)."""

DOWNLOAD_GIBIBYTES = 4
CONVERSION_GIBIBYTES = 4
PUBLICATION_GIBIBYTES = 4

LARGEST_SEGMENT_BYTES = (DOWNLOAD_GIBIBYTES - 1) * GIBIBYTE
"""A segment is on the disk of download_segments until it is in S3."""

LARGEST_INSTANCE_BYTES = CONVERSION_GIBIBYTES * GIBIBYTE // 4
"""All segments together, compressed: to be sorted, their rows are on the disk of convert_instance at the same time.

There they take 5 to 7 times as many bytes as Apple sends, measured with rows like those of real reports; so files
larger than a quarter of the disk do not fit. For smaller files, a full disk decides.
"""

LARGEST_UNPACKED_BYTES = 2 * CONVERSION_GIBIBYTES * GIBIBYTE
"""For one segment. Its typed rows take more than half of its size on the disk, so larger ones cannot be used."""

TOO_LARGE = (
    "The instance {} of {}, {} MiB as Apple sends it, does not fit on the disk of convert_instance: raise "
    f"CONVERSION_GIBIBYTES in contract/capacities.py, now {CONVERSION_GIBIBYTES} and at most {MOST_GIBIBYTES}, and "
    "deploy; the next run takes it up."
)

ARROW_MEMORY: Mapping[str, str] = {"MIMALLOC_PURGE_DELAY": "-1"}
"""Environment variables that Arrow reads when it is loaded: its allocator keeps memory for the next rows.

For conversion and publication. A Lambda does not share its memory, and returning pages is expensive, because they are
cleared and mapped again. Source: mimalloc, "Environment Options".
"""

_SETTINGS = {
    "convert_instance": ("CONVERSION_GIBIBYTES", CONVERSION_GIBIBYTES),
    "download_segments": ("DOWNLOAD_GIBIBYTES", DOWNLOAD_GIBIBYTES),
    "publish_date": ("PUBLICATION_GIBIBYTES", PUBLICATION_GIBIBYTES),
}


def is_full(error: OSError) -> bool:
    """Whether this error says that the disk has no room."""
    return error.errno in (ENOSPC, EDQUOT)


def no_room(step: str) -> str:
    """The sentence about a full disk of a step's function, with the setting to raise."""
    if step not in _SETTINGS:
        return f"The disk of {step} is full: give its function a larger size in contract/capacities.py, and deploy."
    setting, gibibytes = _SETTINGS[step]
    return (
        f"The disk of {step} is full: raise {setting} in contract/capacities.py, now {gibibytes} and at most "
        f"{MOST_GIBIBYTES}, and deploy; the next run takes it up."
    )

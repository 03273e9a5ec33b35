"""A small object that several functions change: read, changed and swapped on its ETag, so that no change is lost."""

from collections.abc import Callable

from appstore_analytics.contract.errors import ObjectContended
from appstore_analytics.lake.objects import Bucket

_ATTEMPTS = 30


def rewrite(bucket: Bucket, key: str, change: Callable[[bytes], bytes], content_type: str) -> bool:
    """Store what `change` makes of the bytes at `key`, which are empty if there is no object.

    `change` can be called more than once. False if nothing differs; then nothing is written. Raises ObjectContended if
    other writers were first too often.
    """
    for _ in range(_ATTEMPTS):
        before, stored = bucket.read_stored(key) or (b"", None)
        after = change(before)
        if after == before:
            return False
        if bucket.swap(key, after, expected=stored.etag if stored else None, content_type=content_type):
            return True
    raise ObjectContended(f"{key} was replaced {_ATTEMPTS} times while a change to it was to be stored.")

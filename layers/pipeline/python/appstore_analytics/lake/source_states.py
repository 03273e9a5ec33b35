"""The stored states of one Date: a line of JSON for each app, read by Athena as `marts.states`.

Lines that a run has judged replace the stored ones. If nothing differs, nothing is written; else the object is swapped
on its ETag, and where another writer was first, read again.
"""

import json
from collections.abc import Callable, Mapping
from datetime import date

from appstore_analytics.contract.errors import ObjectContended
from appstore_analytics.contract.kpis.stored import STATE_SOURCES, SourceState
from appstore_analytics.contract.layout import STATES_PREFIX, states_key
from appstore_analytics.lake.objects import Bucket, ObjectReplacedError, StoredObject

_ATTEMPTS = 10
_JSON_LINES = "application/jsonl"

States = Mapping[str, SourceState]
"""By source table."""

StatesOfApps = Mapping[int, States]


def read_states(bucket: Bucket, day: date) -> dict[int, States]:
    """The stored states of a Date, by app; empty if none are stored."""
    return _parsed(bucket.read(states_key(day)) or b"")


def stored_states(bucket: Bucket, since: date) -> dict[date, StoredObject]:
    """The objects of the Dates from `since` on."""
    after = f"{STATES_PREFIX}dt={since.isoformat()}"
    return {date.fromisoformat(each.key.split("dt=", 1)[1][:10]): each for each in bucket.list(STATES_PREFIX, after)}


def change_states(
    bucket: Bucket, day: date, stored: StoredObject | None, change: Callable[[StatesOfApps], StatesOfApps]
) -> bool:
    """Store what `change` makes of the stored states; it can be called more than once. False if nothing differs.

    `stored` is the object of the Date at the last look, None for none. Apps that `change` leaves out stay as they are.
    Raises ObjectContended if other writers were first too often.
    """
    key = states_key(day)
    for attempt in range(_ATTEMPTS):
        stored = bucket.head(key) if attempt else stored
        try:
            before = b"" if stored is None else _read(bucket, key, stored.etag)
        except ObjectReplacedError:
            continue
        states = _parsed(before)
        after = _lines({**states, **change(states)})
        if after == before:
            return False
        expected = None if stored is None else stored.etag
        if bucket.swap(key, after, expected=expected, content_type=_JSON_LINES):
            return True
    raise ObjectContended(f"{key} was replaced {_ATTEMPTS} times while states were to be stored.")


def _read(bucket: Bucket, key: str, etag: str) -> bytes:
    with bucket.open(key, if_match=etag) as body:
        return body.read()


def _parsed(lines: bytes) -> dict[int, States]:
    rows = map(json.loads, lines.splitlines())
    known = {table.name for table in STATE_SOURCES}
    return {
        row["app_id"]: {source: SourceState(word) for source, word in row.items() if source in known} for row in rows
    }


def _lines(states: StatesOfApps) -> bytes:
    """The same states give the same bytes."""
    names = [table.name for table in STATE_SOURCES]
    return b"".join(
        json.dumps({"app_id": app_id, **{name: of[name] for name in names if name in of}}).encode() + b"\n"
        for app_id, of in sorted(states.items())
    )

"""The stored states of one Date: a line of JSON for each app, read by Athena as `marts.states`.

Lines that a run has judged replace the stored ones. If nothing differs, nothing is written.
"""

import json
from collections.abc import Callable, Mapping
from datetime import date

from appstore_analytics.contract.kpis.stored import STATE_SOURCES, SourceState
from appstore_analytics.contract.layout import STATES_PREFIX, day_of, states_key
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.rewriting import rewrite

_JSON_LINES = "application/jsonl"

States = Mapping[str, SourceState]
"""By source table."""

StatesOfApps = Mapping[int, States]


def dates_with_states(bucket: Bucket, since: date) -> frozenset[date]:
    """The Dates from `since` on for which states are stored."""
    prefix = f"{STATES_PREFIX}dt="
    listed = bucket.list(prefix, f"{prefix}{since.isoformat()}")
    return frozenset(day_of(stored.key) for stored in listed)


def change_states(bucket: Bucket, day: date, change: Callable[[StatesOfApps], StatesOfApps]) -> bool:
    """Store what `change` makes of the stored states; it can be called more than once. False if nothing differs.

    Apps that `change` leaves out stay as they are. Raises ObjectContended if other writers were first too often.
    """

    def changed(before: bytes) -> bytes:
        states = _parsed(before)
        return _lines({**states, **change(states)})

    return rewrite(bucket, states_key(day), changed, _JSON_LINES)


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

"""The stored states of a Date: merged, written only if they differ, and never lost."""

import json
from datetime import date
from typing import Any
from unittest.mock import patch

import pytest

from appstore_analytics.contract.errors import ObjectContended
from appstore_analytics.contract.kpis.stored import SourceState
from appstore_analytics.contract.layout import states_key
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.source_states import StatesOfApps, change_states

DATE = date(2025, 6, 1)
FINAL, ZERO, MISSING = SourceState.FINAL, SourceState.ZERO, SourceState.MISSING


def store(bucket: Bucket, states: StatesOfApps) -> bool:
    return change_states(bucket, DATE, lambda _: states)


def stored(bucket: Bucket) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (bucket.read(states_key(DATE)) or b"").splitlines()]


def test_each_app_has_a_line_in_order_and_an_app_that_is_left_out_stays(bucket: Bucket) -> None:
    assert store(bucket, {20: {"downloads": FINAL}, 3: {"sessions": ZERO, "downloads": MISSING}})
    assert (bucket.read(states_key(DATE)) or b"").decode().splitlines() == [
        '{"app_id": 3, "downloads": "missing", "sessions": "zero"}',
        '{"app_id": 20, "downloads": "final"}',
    ]
    assert store(bucket, {3: {"downloads": FINAL}})
    assert stored(bucket) == [{"app_id": 3, "downloads": "final"}, {"app_id": 20, "downloads": "final"}]


def test_the_same_states_are_not_written_again(bucket: Bucket) -> None:
    states = {3: {"downloads": FINAL}}
    assert store(bucket, states)
    with patch.object(Bucket, "swap") as swap:
        assert not store(bucket, states)
        assert not store(bucket, {})
    assert not swap.called
    assert not change_states(bucket, date(2025, 6, 2), lambda _: {})
    assert bucket.head(states_key(date(2025, 6, 2))) is None


def test_what_another_run_stores_in_between_is_kept(bucket: Bucket) -> None:
    store(bucket, {1: {"downloads": MISSING}})
    swap, others = Bucket.swap, [{2: {"downloads": ZERO}}]

    def late(there: Bucket, key: str, body: bytes, **more: Any) -> bool:
        if others:
            other = others.pop()
            with patch.object(Bucket, "swap", swap):
                store(there, other)
        return swap(there, key, body, **more)

    with patch.object(Bucket, "swap", late):
        assert store(bucket, {1: {"downloads": FINAL}})
    assert stored(bucket) == [{"app_id": 1, "downloads": "final"}, {"app_id": 2, "downloads": "zero"}]


def test_who_is_never_first_gives_up(bucket: Bucket) -> None:
    with patch.object(Bucket, "swap", lambda *_, **__: False), pytest.raises(ObjectContended, match="states"):
        store(bucket, {1: {"downloads": FINAL}})

"""A stored freshness check: what its rows say, read from what it found lacking."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from appstore_analytics.contract.layout import appstore_key, check_key
from appstore_analytics.lake.check_rows import open_check
from appstore_analytics.lake.checks import Check, read_check, stored_checks
from appstore_analytics.lake.objects import Bucket, StoredObject
from appstore_analytics.model.remembered import Remembered
from appstore_analytics.rules.freshness import Freshness

MONDAY = date(2025, 6, 9)
FRIDAY = MONDAY - timedelta(days=3)


class CountingBucket(Bucket):
    """Remembers which keys were read."""

    def __init__(self, bucket: Bucket) -> None:
        super().__init__(bucket._client, bucket.name)
        self.keys: list[str] = []

    def read(self, key: str) -> bytes | None:
        self.keys.append(key)
        return super().read(key)


@pytest.fixture
def lake(bucket: Bucket) -> CountingBucket:
    return CountingBucket(bucket)


def row(app_id: int, table: str = "downloads", *missing: date, **more: Any) -> dict[str, Any]:
    return {
        "checked_at": "2025-06-09T14:00:00+00:00",
        "app_id": app_id,
        "table_name": table,
        "verdict": Freshness.LATE if missing else Freshness.FRESH,
        "reason": "Apple listed no instance." if missing else "",
        "newest_due_date": FRIDAY,
        "missing_dates": list(missing),
        "newest_processing_date": MONDAY,
        "arrived_at": None,
        **more,
    }


ROWS = (
    row(1),
    row(1, "crashes", newest_due_date=FRIDAY - timedelta(days=1)),
    row(2, "downloads", FRIDAY),
    row(2, "crashes", newest_due_date=None, verdict=Freshness.NOT_READY),
    row(3, newest_due_date=FRIDAY - timedelta(days=2)),
)


def write(lake: Bucket, rows: Iterable[Mapping[str, Any]]) -> StoredObject:
    with open_check(lake, MONDAY) as append:
        for one in rows:
            append(one)
    return stored_checks(lake)[MONDAY]


def read(lake: Bucket, stored: StoredObject, *, whole: bool = False) -> Check:
    return read_check(lake, stored, Remembered(1), whole=whole)


def test_what_is_lacking_says_the_same_as_all_rows_and_they_are_not_read(lake: CountingBucket) -> None:
    stored = write(lake, ROWS)
    found = read(lake, stored)
    assert lake.keys == [check_key(MONDAY)]
    assert (found.checked_at, found.app_ids) == ("2025-06-09T14:00:00+00:00", {"1", "2", "3"})
    assert found.newest_due == {"downloads": FRIDAY, "crashes": FRIDAY - timedelta(days=1)}
    assert found.not_due == {("2", "crashes")}
    assert [(feed.app_id, feed.table_name, feed.missing) for feed in found.feeds] == [("2", "downloads", (FRIDAY,))]
    lake._client.delete_object(Bucket=lake.name, Key=check_key(MONDAY))
    assert read(lake, stored) == found


def test_a_whole_check_is_read_from_its_rows(lake: CountingBucket) -> None:
    stored = write(lake, ROWS)
    whole = read(lake, stored, whole=True)
    assert lake.keys == [stored.key]
    assert [feed.app_id for feed in whole.feeds] == ["1", "1", "2", "2", "3"]
    assert whole.feeds[2] in read(lake, stored).feeds


def test_rows_that_were_replaced_alone_are_read(lake: CountingBucket) -> None:
    write(lake, ROWS)
    lacking = lake.read(check_key(MONDAY)) or b""
    stored = write(lake, [row(4)])
    lake.write(check_key(MONDAY), lacking)  # as if the check had died between its two objects
    assert read(lake, stored).app_ids == {"4"}


@pytest.mark.parametrize("content", [b"", b"\n", b"{", b"7", b"\xff\xfe", b'{"app_id": 1}\n'])
def test_the_rows_are_read_if_what_is_lacking_was_damaged(lake: CountingBucket, content: bytes) -> None:
    stored = write(lake, ROWS)
    found = read(lake, stored)
    lake.write(check_key(MONDAY), content)
    assert read(lake, stored) == found


def test_a_check_without_anything_to_judge_leaves_the_day_as_it_was(lake: CountingBucket) -> None:
    write(lake, ROWS)
    before = [(stored.key, stored.etag) for stored in lake.list("")]
    assert [key for key, _ in before] == [appstore_key("freshness", MONDAY, "last-check"), check_key(MONDAY)]
    write(lake, ())
    assert [(stored.key, stored.etag) for stored in lake.list("")] == before


def test_a_check_of_which_nothing_is_lacking_has_one_line_whatever_the_number_of_apps(lake: CountingBucket) -> None:
    stored = write(lake, [row(app_id) for app_id in range(1, 101)])
    assert len((lake.read(check_key(MONDAY)) or b"").splitlines()) == 1
    assert len(read(lake, stored).app_ids) == 100


def test_a_check_that_fails_in_the_middle_writes_neither_object(lake: CountingBucket) -> None:
    with pytest.raises(ZeroDivisionError), open_check(lake, MONDAY) as append:
        append(row(1))
        raise ZeroDivisionError
    assert list(lake.list("")) == []

"""The list of runs in a bucket: nothing is lost when runs end at the same time."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from appstore_analytics.contract.errors import ObjectContended
from appstore_analytics.contract.layout import INDEX_KEY
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.report.index import RUNS_LISTED, RunEntry, entries_of, index_page, list_run

FIRST = datetime(2025, 6, 2, 10)  # noqa: DTZ001 (part of a name)
RUN = RunEntry("", "page.html", "daily", "2025-06-02", "2025-06-02T10:00:00+00:00", "schedule", 75.5, 70)


def entry(number: int) -> RunEntry:
    run_id = f"{FIRST + timedelta(days=number):%Y%m%dT%H%M%S}000Z-run"
    return replace(RUN, run_id=run_id, page=f"production_daily_{run_id}.html")


def listed(bucket: Bucket) -> list[str]:
    return [each.run_id for each in entries_of(bucket.read(INDEX_KEY) or b"")]


def test_the_newest_run_is_first_in_whatever_order_they_end_and_a_second_report_changes_nothing(bucket: Bucket) -> None:
    for number in (1, 0, 2):
        list_run(bucket, entry(number))
    assert listed(bucket) == [entry(number).run_id for number in (2, 1, 0)]
    before = bucket.head(INDEX_KEY)
    list_run(bucket, entry(1))
    assert bucket.head(INDEX_KEY) == before
    assert before
    list_run(bucket, replace(entry(1), has_failed=True))
    assert [each.has_failed for each in entries_of(bucket.read(INDEX_KEY) or b"")] == [False, True, False]


def test_a_browser_reads_it_as_a_page(bucket: Bucket) -> None:
    list_run(bucket, entry(0))
    answer = bucket._client.get_object(Bucket=bucket.name, Key=INDEX_KEY)
    assert answer["ContentType"] == "text/html; charset=utf-8"


def test_runs_that_end_at_the_same_moment_lose_nothing(bucket: Bucket) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: list_run(bucket, entry(number)), range(8)))
    assert listed(bucket) == [entry(number).run_id for number in reversed(range(8))]


def test_between_reading_and_writing_another_run_is_listed(bucket: Bucket) -> None:
    list_run(bucket, entry(0))
    swap, others = Bucket.swap, [entry(2), entry(1)]

    def late(bucket: Bucket, key: str, body: bytes, **more: Any) -> bool:
        if others:
            other = others.pop()
            with patch.object(Bucket, "swap", swap):
                list_run(bucket, other)
        return swap(bucket, key, body, **more)

    with patch.object(Bucket, "swap", late):
        list_run(bucket, entry(3))
    assert listed(bucket) == [entry(number).run_id for number in (3, 2, 1, 0)]


def test_who_is_never_first_gives_up_and_the_function_is_tried_again(bucket: Bucket) -> None:
    never_first = patch.object(Bucket, "swap", lambda *_, **__: False)
    with never_first, pytest.raises(ObjectContended, match=r"reports/index\.html was replaced 30 times"):
        list_run(bucket, entry(0))


def test_the_list_does_not_grow_for_ever(bucket: Bucket) -> None:
    full = [replace(entry(number), cause="x" * 300) for number in reversed(range(1, RUNS_LISTED + 1))]
    bucket.write(INDEX_KEY, index_page(full))
    list_run(bucket, replace(entry(RUNS_LISTED + 1), cause="y" * 9_000))
    assert len(listed(bucket)) == RUNS_LISTED
    assert listed(bucket)[0] == entry(RUNS_LISTED + 1).run_id
    assert entry(1).run_id not in listed(bucket)
    assert len(bucket.read(INDEX_KEY) or b"") < 600_000
    list_run(bucket, entry(0))
    assert entry(0).run_id not in listed(bucket), "an older run that is reported late is no reason to drop a newer one"

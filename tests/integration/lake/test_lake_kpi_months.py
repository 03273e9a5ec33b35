"""Months: copies of KPI amounts that make long questions cheap and never change an answer."""

import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_lake_kpi_objects import Dying

from appstore_analytics.contract.kpis.stored import PORTFOLIO, TOTAL
from appstore_analytics.contract.layout import CURATED_PREFIX, KPIS_PREFIX, MONTHS_PREFIX, TableDate, TableMonth
from appstore_analytics.lake.kpis import compaction, reader
from appstore_analytics.lake.kpis.compaction import compact, months_to_compact
from appstore_analytics.lake.kpis.damaged import KpisUnreadableError
from appstore_analytics.lake.kpis.reader import Wanted, read_kpis
from appstore_analytics.lake.kpis.schema import DEFINITIONS
from appstore_analytics.lake.objects import Bucket, ObjectReplacedError, StoredObject
from appstore_analytics.lake.parts import write_parts
from appstore_analytics.lake.publication import publish
from appstore_analytics.model.kpis import Storage, StoredKpis
from tests.aws_in_process import aws_in_process, new_bucket
from tests.integration.lake.parts_of_instances import OTHER_APP, Noted
from tests.lake_samples import APP, DAY, ENGAGEMENT, converted, row, tsv, vintage

DAYS = (date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 2), DAY)
DATES = [TableDate(ENGAGEMENT.name, day) for day in DAYS]
NOVEMBER = TableMonth(ENGAGEMENT.name, date(2026, 11, 1))
APPS = (APP, OTHER_APP)
AMOUNTS = frozenset({"impressions", "taps"})
WANTED = (
    Wanted(AMOUNTS, frozenset({PORTFOLIO})),
    Wanted(AMOUNTS, frozenset({APP})),
    Wanted(AMOUNTS, frozenset({OTHER_APP, PORTFOLIO}), "territory"),
    Wanted(AMOUNTS, frozenset(APPS), "device"),
)
EVERYTHING = Wanted(AMOUNTS, frozenset({PORTFOLIO, *APPS}), "territory")


class Counting(Bucket):
    """Counts the requests by what they are for."""

    def __init__(self, bucket: Bucket) -> None:
        super().__init__(bucket._client, bucket.name)
        self.asked: Counter[str] = Counter()

    def head(self, key: str) -> StoredObject | None:
        self.asked["head"] += 1
        return super().head(key)

    def end(self, key: str, size_bytes: int) -> tuple[bytes, StoredObject]:
        self.asked["month" if key.startswith(MONTHS_PREFIX) else "date"] += 1
        return super().end(key, size_bytes)

    def list(self, prefix: str, after: str = "") -> Iterator[StoredObject]:
        self.asked["list"] += 1
        return super().list(prefix, after)


class Replacing(Bucket):
    """A bucket whose months are replaced whenever a range of them is read."""

    def range(self, key: str, start: int, stop: int, *, if_match: str) -> bytes:
        if key.startswith(MONTHS_PREFIX):
            raise ObjectReplacedError(key)
        return super().range(key, start, stop, if_match=if_match)


def rows_of(day: date, app_id: int, version: int) -> bytes:
    """A few rows: other territories and devices in each version."""
    places = [("NA", "iPhone"), ("EU", "iPad"), ("", "iPhone"), ("JP", "Desktop")][: 1 + (version + day.day) % 4]
    return tsv(
        [
            row(
                ENGAGEMENT,
                app_id,
                event=event,
                counts=str(10 * version + number),
                territory=territory,
                device=device,
                date=day.isoformat(),
            )
            for event in ("Impression", "Tap")[: 1 + version % 2]
            for number, (territory, device) in enumerate(places)
        ]
    )


@cache
def part(day: date, app_id: int, version: int) -> tuple[bytes, Mapping[str, str]]:
    """A part as a conversion writes it."""
    with aws_in_process(), TemporaryDirectory() as scratch:
        bucket, of = new_bucket("scratch"), vintage(21 + version % 2, f"instance-{version}")
        parts = converted([rows_of(day, app_id, version)], Path(scratch), ENGAGEMENT, app_id, of).parts
        write_parts(bucket, ENGAGEMENT, app_id, of, parts, Noted())
        key = TableDate(ENGAGEMENT.name, day).part_key(str(app_id))
        stored = bucket.head(key)
        assert stored is not None
        return bucket.read(key) or b"", stored.metadata


def put(bucket: Bucket, day: date, app_id: int = APP, version: int = 1) -> None:
    """A part, whatever stood there: a newer instance, or one that a rollback put back."""
    body, metadata = part(day, app_id, version)
    bucket.write(TableDate(ENGAGEMENT.name, day).part_key(str(app_id)), body, metadata=metadata)


def publish_day(bucket: Bucket, day: date) -> None:
    with TemporaryDirectory() as scratch:
        publish(bucket, ENGAGEMENT, day, Path(scratch))


def compact_all(bucket: Bucket) -> list[TableMonth]:
    """The months that were due."""
    due = months_to_compact(bucket, ENGAGEMENT)
    with TemporaryDirectory() as scratch:
        for month, dates in due.items():
            compact(bucket, ENGAGEMENT, month, dates, Path(scratch))
    return list(due)


def delete_months(bucket: Bucket) -> None:
    for stored in [*bucket.list(MONTHS_PREFIX)]:
        bucket.remove(stored.key, expected=stored.etag)


def answers(bucket: Bucket, wanted: Wanted) -> dict[date, StoredKpis]:
    return {stored.table_date.day: stored for stored in read_kpis(bucket, DATES, wanted)}


def counted(bucket: Bucket, day: date, wanted: Wanted) -> dict[tuple[str, str | None, int], int]:
    """The amounts of the rows that are published, by the standard library."""
    content = bucket.read(TableDate(ENGAGEMENT.name, day).curated_key)
    assert content is not None
    rows = pq.read_table(io.BytesIO(content)).to_pylist()
    sums: Counter[tuple[str, str | None, int]] = Counter()
    for one in rows:
        name = {"Impression": "impressions", "Tap": "taps"}[one["event"]]
        for app_id in {one["app_id"], PORTFOLIO} & wanted.app_ids:
            sums[name, None if wanted.dimension == TOTAL else one[wanted.dimension], app_id] += one["counts"]
    if wanted.dimension == TOTAL:
        for app_id in {*(one["app_id"] for one in rows), PORTFOLIO} & wanted.app_ids:
            for name in AMOUNTS:
                sums[name, None, app_id] += 0
    return dict(sums)


def amounts(stored: StoredKpis) -> dict[tuple[str, str | None, int], Any]:
    return {
        (name, value, app_id): number
        for (name, value), by_app in stored.amounts.items()
        for app_id, number in by_app.items()
    }


@pytest.fixture(autouse=True)
def _every_month_in_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "LEAST_DATES_OF_A_MONTH", 1)
    monkeypatch.setattr(compaction, "DETAIL_ROWS", 3)
    monkeypatch.setattr(compaction, "TOTAL_ROWS", 2)
    monkeypatch.setattr(compaction, "_ROWS_AT_ONCE", 5)


DAYS_OF_A_STEP = st.sampled_from(DAYS)
STEPS = st.one_of(
    st.tuples(st.just("put"), DAYS_OF_A_STEP, st.sampled_from(APPS), st.integers(1, 4)),
    st.tuples(st.just("take away"), DAYS_OF_A_STEP, st.sampled_from(APPS)),
    st.tuples(st.just("publish"), DAYS_OF_A_STEP),
    st.tuples(st.just("die between the swaps"), DAYS_OF_A_STEP),
    st.tuples(st.just("make KPIs older"), DAYS_OF_A_STEP),
    st.tuples(st.just("compact")),
    st.tuples(st.just("delete months")),
)


def put_and_publish(bucket: Bucket, day: date, app_id: int, version: int) -> None:
    put(bucket, day, app_id, version)
    publish_day(bucket, day)


def take_away(bucket: Bucket, day: date, app_id: int) -> None:
    key = TableDate(ENGAGEMENT.name, day).part_key(str(app_id))
    if stored := bucket.head(key):
        bucket.remove(key, expected=stored.etag)


def die_between_the_swaps(bucket: Bucket, day: date) -> None:
    with suppress(KeyboardInterrupt):  # unless there is nothing to swap
        publish_day(Dying(bucket, TableDate(ENGAGEMENT.name, day).curated_key), day)


def make_kpis_older(bucket: Bucket, day: date) -> None:
    key = TableDate(ENGAGEMENT.name, day).kpis_key
    if stored := bucket.head(key):
        bucket.write(key, bucket.read(key) or b"", metadata={**stored.metadata, DEFINITIONS: "older"})


HISTORY: Mapping[str, Callable[..., Any]] = {
    "put": put_and_publish,
    "take away": take_away,
    "publish": publish_day,
    "die between the swaps": die_between_the_swaps,
    "make KPIs older": make_kpis_older,
    "compact": compact_all,
    "delete months": delete_months,
}


@settings(
    max_examples=max(5, settings.default.max_examples // 6),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.lists(STEPS, min_size=6, max_size=14))
def test_after_any_history_months_answer_as_the_dates_do_and_as_the_rows_are(history: list[Any]) -> None:
    with aws_in_process():
        bucket = new_bucket("lake")
        for step in history:
            what, *of = step
            HISTORY[what](bucket, *of)
        with_months = [answers(bucket, wanted) for wanted in WANTED]
        delete_months(bucket)
        for wanted, found in zip(WANTED, with_months, strict=True):
            alone = answers(bucket, wanted)
            for day in DAYS:
                if alone[day].storage in (Storage.CURRENT, Storage.ABSENT):
                    assert found[day] == alone[day]
                if found[day].storage is Storage.CURRENT:  # also while the Date's own KPIs are ahead or older
                    assert amounts(found[day]) == counted(bucket, day, wanted)


@pytest.fixture
def lake(bucket: Bucket) -> Bucket:
    """Every Date published and compacted."""
    for number, day in enumerate(DAYS):
        for app_id in APPS:
            put(bucket, day, app_id, number + 1)
        publish_day(bucket, day)
    assert [month.first for month in compact_all(bucket)] == [date(2026, 11, 1), date(2026, 10, 1)]
    return bucket


def named(wanted: Wanted) -> str:
    """The same in each process, which the text of a set is not."""
    return f"{wanted.dimension} of {sorted(wanted.app_ids)}"


@pytest.mark.parametrize("wanted", [*WANTED, EVERYTHING], ids=named)
def test_a_month_is_read_instead_of_its_dates(lake: Bucket, wanted: Wanted) -> None:
    counting = Counting(lake)
    found = answers(counting, wanted)
    assert counting.asked == {"list": 1, "month": 2}
    delete_months(lake)
    assert found == answers(counting, wanted)
    assert counting.asked["date"] == counting.asked["head"] == len(DAYS)
    assert all(amounts(found[day]) == counted(lake, day, wanted) for day in DAYS)


def test_few_dates_of_a_month_are_read_alone(lake: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "LEAST_DATES_OF_A_MONTH", 3)
    counting = Counting(lake)
    answers(counting, EVERYTHING)
    assert counting.asked == {"list": 1, "month": 1, "head": 1, "date": 1}


def test_a_date_that_was_published_since_is_read_alone_and_a_removed_one_is_absent(lake: Bucket) -> None:
    put(lake, DAY, APP, 3)
    publish_day(lake, DAY)
    for app_id in APPS:
        take_away(lake, DAYS[1], app_id)
    publish_day(lake, DAYS[1])
    counting = Counting(lake)
    found = answers(counting, EVERYTHING)
    assert counting.asked == {"list": 1, "month": 2, "head": 1, "date": 1}
    assert found[DAYS[1]] == StoredKpis(TableDate(ENGAGEMENT.name, DAYS[1]), Storage.ABSENT)
    assert amounts(found[DAY]) == counted(lake, DAY, EVERYTHING)
    assert compact_all(lake) == [NOVEMBER]
    answers(counting, EVERYTHING)
    assert counting.asked["date"] == 1


def test_a_month_is_due_once_and_again_when_it_was_deleted(lake: Bucket) -> None:
    assert compact_all(lake) == []
    before = {stored.key: stored.etag for stored in lake.list(MONTHS_PREFIX)}
    delete_months(lake)
    assert len(compact_all(lake)) == 2
    assert {stored.key: stored.etag for stored in lake.list(MONTHS_PREFIX)} == before


@pytest.mark.parametrize("damage", ["older", "missing", "of other rows"])
def test_a_date_without_current_kpis_is_left_out_until_it_has_some(lake: Bucket, damage: str) -> None:
    delete_months(lake)
    key = DATES[-1].kpis_key
    stored = lake.head(key)
    assert stored is not None
    if damage == "missing":
        lake.remove(key, expected=stored.etag)
    else:
        changed = {DEFINITIONS: "older"} if damage == "older" else {"digest": "another"}
        lake.write(key, lake.read(key) or b"", metadata={**stored.metadata, **changed})
    compact_all(lake)
    assert answers(lake, EVERYTHING)[DAY].storage is not Storage.CURRENT
    assert answers(lake, EVERYTHING)[DAYS[1]].storage is Storage.CURRENT
    publish_day(lake, DAY)  # builds its KPIs again, and leaves the rows alone
    assert compact_all(lake) == [NOVEMBER]
    counting = Counting(lake)
    assert answers(counting, EVERYTHING)[DAY].storage is Storage.CURRENT
    assert counting.asked["date"] == 0


def _without_footer(content: bytes) -> bytes:
    size = int.from_bytes(content[-8:-4], "little")
    return content[: -8 - size] + b"\xff" * size + content[-8:]


DAMAGES = [pytest.param(lambda _: b"no Parquet", id="no Parquet"), pytest.param(_without_footer, id="a broken footer")]
"""Arrow raises ArrowInvalid for the first, and OSError for the second."""


def _damage(lake: Bucket, key: str, damaged: Callable[[bytes], bytes]) -> None:
    stored = lake.head(key)
    assert stored is not None
    lake.write(key, damaged(lake.read(key) or b""), metadata=stored.metadata)


@pytest.mark.parametrize("damaged", DAMAGES)
def test_the_dates_of_a_damaged_month_are_read_one_by_one(lake: Bucket, damaged: Callable[[bytes], bytes]) -> None:
    before = answers(lake, EVERYTHING)
    _damage(lake, NOVEMBER.key, damaged)
    assert answers(lake, EVERYTHING) == before


@pytest.mark.parametrize("damaged", DAMAGES)
def test_a_damaged_date_is_not_built_and_keeps_its_month_from_being_made(
    lake: Bucket, damaged: Callable[[bytes], bytes]
) -> None:
    delete_months(lake)
    _damage(lake, DATES[-1].kpis_key, damaged)
    found = answers(lake, EVERYTHING)
    assert found[DAY].storage is Storage.NOT_BUILT
    assert found[DAYS[1]].storage is Storage.CURRENT
    with pytest.raises(KpisUnreadableError):
        compact_all(lake)
    lake.remove(DATES[-1].kpis_key, expected=lake.head(DATES[-1].kpis_key).etag)  # type: ignore[union-attr]
    publish_day(lake, DAY)
    assert compact_all(lake) == [NOVEMBER, TableMonth(ENGAGEMENT.name, date(2026, 10, 1))]


def test_months_of_other_definitions_are_not_read_and_are_due(lake: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appstore_analytics.lake.kpis.months._FORM", "other")
    counting = Counting(lake)
    found = answers(counting, EVERYTHING)
    assert counting.asked["date"] == len(DAYS)
    assert {stored.storage for stored in found.values()} == {Storage.CURRENT}
    assert len(compact_all(lake)) == 2


def test_a_month_that_is_replaced_while_it_is_read_is_left_to_the_dates(
    lake: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_END_OF_A_MONTH", 1_200)
    expected = answers(lake, EVERYTHING)
    assert answers(Replacing(lake._client, lake.name), EVERYTHING) == expected


def test_without_any_current_kpis_no_month_is_written(bucket: Bucket, tmp_path: Path) -> None:
    put(bucket, DAY)
    publish_day(bucket, DAY)
    make_kpis_older(bucket, DAY)
    assert compact(bucket, ENGAGEMENT, NOVEMBER, DATES, tmp_path) == ()
    assert [*bucket.list(MONTHS_PREFIX)] == []


def test_one_app_is_read_from_few_row_groups(lake: Bucket) -> None:
    file = pq.ParquetFile(io.BytesIO(lake.read(NOVEMBER.key) or b""))
    groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
    bounds = [(each.column(0).statistics.min, each.column(0).statistics.max) for each in groups]
    totals = [each.column(2).statistics.min == TOTAL for each in groups]
    assert totals == sorted(totals)  # the last ones
    assert max(each.num_rows for each in groups) <= 3
    details = [each for each, is_total in zip(bounds, totals, strict=True) if not is_total]
    assert (PORTFOLIO, PORTFOLIO) in details
    assert all(first == last for first, last in details)
    assert sum(first <= APP <= last for first, last in bounds) < len(bounds)


def test_the_folders_of_dates_and_months_are_apart() -> None:
    """Athena's table lies in the folder of the Dates."""
    assert not NOVEMBER.key.startswith((KPIS_PREFIX, CURATED_PREFIX))
    assert DATES[-1].month == NOVEMBER
    assert NOVEMBER.key == "marts/months/engagement/2026-11.parquet"
    assert DAY - timedelta(days=19) == NOVEMBER.first

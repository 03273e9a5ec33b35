"""The newest vintage replaces a Date as a whole and at once: from segments to the object that Athena reads."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appstore_analytics.contract.catalogue.definition import AccessType, Column, ColumnType
from appstore_analytics.contract.errors import InstanceQuarantined, ObjectContended
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake import merge
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.publication import Publication, PublicationState, publish
from appstore_analytics.lake.published import read_publication
from appstore_analytics.lake.schema import table_schema
from appstore_analytics.model.vintage import Vintage
from tests.aws_in_process import aws_in_process
from tests.integration.lake.conftest import new_bucket
from tests.integration.lake.parts_of_instances import (
    OTHER_APP,
    Instance,
    Interrupted,
    counts,
    land,
    overwriting,
    published_rows,
)
from tests.lake_samples import APP, CRASHES_EXPANDED, DAY, ENGAGEMENT, vintage

TABLE_KEY = TableDate("engagement", DAY).curated_key


def test_a_date_is_published_sorted_by_app_with_what_it_is_made_of(bucket: Bucket, tmp_path: Path) -> None:
    land(bucket, tmp_path, Instance(vintage(21), (2, 3)))
    land(bucket, tmp_path, Instance(vintage(20), (1,), OTHER_APP))
    publication = publish(bucket, ENGAGEMENT, DAY, tmp_path)
    assert publication.state is PublicationState.PUBLISHED
    assert publication.rows == 3
    assert [(each.app_id, each.vintage, each.rows, dict(each.sums)) for each in publication.batches] == [
        (OTHER_APP, vintage(20), 1, {"counts": "1"}),
        (APP, vintage(21), 2, {"counts": "5"}),
    ]
    assert [(change.now, change.before) for change in publication.changes] == [
        (batch, None) for batch in publication.batches
    ]
    assert counts(bucket) == [(OTHER_APP, 1), (APP, 2), (APP, 3)]
    assert read_publication(bucket, ENGAGEMENT, DAY) == publication.batches
    standing = bucket.head(TABLE_KEY)
    assert standing is not None
    assert standing.metadata["digest"] == publication.digest


def test_a_part_too_large_for_the_memory_is_merged_from_the_disk_and_leaves_nothing_there(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(bucket, tmp_path, Instance(vintage(21), (2, 3)))
    land(bucket, tmp_path, Instance(vintage(20), (1,), OTHER_APP))
    publish(bucket, ENGAGEMENT, DAY, tmp_path)
    from_memory = bucket.read(TABLE_KEY)
    bucket._client.delete_object(Bucket=bucket.name, Key=TABLE_KEY)
    monkeypatch.setattr("appstore_analytics.lake.merge._KEPT_IN_MEMORY_BYTES", 0)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    publish(bucket, ENGAGEMENT, DAY, scratch)
    assert bucket.read(TABLE_KEY) == from_memory
    assert sorted(path.name for path in scratch.iterdir()) == ["data.parquet", "kpis.parquet"]


def test_the_published_object_has_the_schema_of_the_glue_table(bucket: Bucket, tmp_path: Path) -> None:
    for table in (ENGAGEMENT, CRASHES_EXPANDED):
        land(bucket, tmp_path, Instance(vintage(21), (2,)), table)
        publish(bucket, table, DAY, tmp_path)
        path = tmp_path / "table.parquet"
        path.write_bytes(bucket.read(TableDate(table.name, DAY).curated_key) or b"")
        assert pq.read_schema(path).remove_metadata() == table_schema(table)
        group = pq.read_metadata(path).row_group(0)
        columns = [group.column(index) for index in range(group.num_columns)]
        assert {each.compression for each in columns} == {"ZSTD"}
        assert not any("BYTE_STREAM_SPLIT" in each.encodings for each in columns)  # Athena may not list it
        dates = [each.name for each in table.columns if each.type is ColumnType.DATE]
        assert [each.path_in_schema for each in columns if each.is_stats_set] == ["app_id", *dates]
        assert [*duckdb.read_parquet(str(path)).columns, "extra"] == [column.name for column in table.columns]


def test_nothing_new_is_unchanged_and_reads_no_part(bucket: Bucket, tmp_path: Path) -> None:
    land(bucket, tmp_path, Instance(vintage(21), (2, 3)))
    first = publish(bucket, ENGAGEMENT, DAY, tmp_path)

    def reading() -> Iterator[None]:
        raise AssertionError("a part was read")
        yield

    again = publish(Interrupted(bucket, "fetch", reading()), ENGAGEMENT, DAY, tmp_path)
    assert again == Publication(PublicationState.UNCHANGED, first.digest, first.batches, ())


def test_a_publication_names_what_it_replaced(bucket: Bucket, tmp_path: Path) -> None:
    land(bucket, tmp_path, Instance(vintage(21), (2, 3)))
    land(bucket, tmp_path, Instance(vintage(21), (1,), OTHER_APP))
    before = publish(bucket, ENGAGEMENT, DAY, tmp_path).batches[1]
    land(bucket, tmp_path, Instance(vintage(22), (7,)))
    (change,) = publish(bucket, ENGAGEMENT, DAY, tmp_path).changes
    assert change.before == before
    assert change.now is not None
    assert (change.now.vintage, change.now.rows) == (vintage(22), 1)


def test_a_lost_note_is_written_again(bucket: Bucket, tmp_path: Path) -> None:
    land(bucket, tmp_path, Instance(vintage(21), (2,)))
    first = publish(bucket, ENGAGEMENT, DAY, tmp_path)
    key = TableDate("engagement", DAY).publication_key(first.digest)
    bucket._client.delete_object(Bucket=bucket.name, Key=key)
    publish(bucket, ENGAGEMENT, DAY, tmp_path)
    assert read_publication(bucket, ENGAGEMENT, DAY) == first.batches


def test_without_parts_the_object_goes(bucket: Bucket, tmp_path: Path) -> None:
    assert publish(bucket, ENGAGEMENT, DAY, tmp_path).state is PublicationState.UNCHANGED
    land(bucket, tmp_path, Instance(vintage(21), (2,)))
    batches = publish(bucket, ENGAGEMENT, DAY, tmp_path).batches
    bucket._client.delete_object(Bucket=bucket.name, Key=TableDate("engagement", DAY).part_key(str(APP)))
    removed = publish(bucket, ENGAGEMENT, DAY, tmp_path)
    assert (removed.state, removed.rows, removed.changes[0].before) == (PublicationState.REMOVED, 0, batches[0])
    assert bucket.head(TABLE_KEY) is None
    assert read_publication(bucket, ENGAGEMENT, DAY) == ()


def test_a_part_that_is_replaced_while_it_is_merged_starts_the_merge_again(bucket: Bucket, tmp_path: Path) -> None:
    land(bucket, tmp_path, Instance(vintage(21), (2,)))
    meanwhile = (land(bucket, tmp_path / "other", Instance(vintage(22), (9,))) for _ in range(1))
    publication = publish(Interrupted(bucket, "fetch", meanwhile), ENGAGEMENT, DAY, tmp_path)
    assert counts(bucket) == [(APP, 9)]
    assert publication.batches[0].vintage == vintage(22)


def test_a_publisher_with_an_older_view_does_not_win(bucket: Bucket, tmp_path: Path) -> None:
    def another_publisher() -> Iterator[None]:
        land(bucket, tmp_path / "other", Instance(vintage(22), (9,)))
        publish(bucket, ENGAGEMENT, DAY, tmp_path / "other")
        yield

    land(bucket, tmp_path, Instance(vintage(21), (2,)))
    publication = publish(Interrupted(bucket, "swap", another_publisher()), ENGAGEMENT, DAY, tmp_path)
    assert counts(bucket) == [(APP, 9)]
    assert publication.state is PublicationState.UNCHANGED  # the other one reports it
    assert publication.batches[0].vintage == vintage(22)


def test_a_publisher_that_is_never_first_says_so(bucket: Bucket, tmp_path: Path) -> None:
    land(bucket, tmp_path, Instance(vintage(21), (2,)))
    others = overwriting(bucket, TABLE_KEY, {})
    with pytest.raises(ObjectContended, match="engagement, 2026-11-20"):
        publish(Interrupted(bucket, "swap", others), ENGAGEMENT, DAY, tmp_path)


def test_where_apple_states_no_rule_every_vintage_stays_and_one_is_the_newest(bucket: Bucket, tmp_path: Path) -> None:
    snapshot = Vintage(date(2026, 11, 22), AccessType.ONE_TIME_SNAPSHOT, "a")
    vintages = [vintage(22, "b"), vintage(21), snapshot]
    for number, each in enumerate(vintages):
        land(bucket, tmp_path, Instance(each, (number,)), CRASHES_EXPANDED)
    land(bucket, tmp_path, Instance(vintage(20), (5,), OTHER_APP), CRASHES_EXPANDED)
    first = publish(bucket, CRASHES_EXPANDED, DAY, tmp_path)
    assert [(each.app_id, each.vintage) for each in first.batches] == [
        (OTHER_APP, vintage(20)),
        (APP, vintage(21)),
        (APP, snapshot),
        (APP, vintage(22, "b")),
    ]
    rows = published_rows(bucket, CRASHES_EXPANDED)
    assert [(each["count"], each["instance_id"], each["is_newest_vintage"]) for each in rows] == [
        (5, vintage(20).instance_id, True),
        (1, vintage(21).instance_id, False),
        (2, "a", False),  # with the same processing date as the newest: the instance decides
        (0, "b", True),
    ]
    land(bucket, tmp_path, Instance(vintage(23), (7, 7)), CRASHES_EXPANDED)
    (change,) = publish(bucket, CRASHES_EXPANDED, DAY, tmp_path).changes
    assert change.before is None
    rows = published_rows(bucket, CRASHES_EXPANDED)
    assert [each["is_newest_vintage"] for each in rows] == [True, False, False, False, True, True]


def test_a_new_column_is_null_in_older_parts_and_a_dropped_one_is_left_out(bucket: Bucket, tmp_path: Path) -> None:
    land(bucket, tmp_path, Instance(vintage(21), (2,)))
    first = publish(bucket, ENGAGEMENT, DAY, tmp_path)
    kept = tuple(column for column in ENGAGEMENT.report.columns if column.name != "device")
    new = (*kept, Column("Campaign"), Column("Amount", ColumnType.MONEY))
    changed = replace(ENGAGEMENT, report=replace(ENGAGEMENT.report, columns=new))
    second = publish(bucket, changed, DAY, tmp_path)
    assert (second.state, second.changes) == (PublicationState.PUBLISHED, ())
    assert second.digest != first.digest
    (only,) = published_rows(bucket)
    assert (only["campaign"], only["amount"], only["counts"], "device" in only) == (None, None, 2, False)


def test_parts_with_and_without_room_for_nulls_become_one_object(bucket: Bucket, tmp_path: Path) -> None:
    for app_id in (APP, OTHER_APP):
        land(bucket, tmp_path, Instance(vintage(21), (2, 3), app_id))
    publish(bucket, ENGAGEMENT, DAY, tmp_path)
    expected = published_rows(bucket)
    key = TableDate("engagement", DAY).part_key(str(APP))
    stored, content = bucket.head(key), bucket.read(key)
    assert stored is not None
    assert content is not None
    rows = pq.read_table(io.BytesIO(content))
    assert not any(field.nullable for field in rows.schema)
    with_room = io.BytesIO()
    pq.write_table(rows.cast(pa.schema([field.with_nullable(True) for field in rows.schema])), with_room)
    assert bucket.swap(key, with_room.getvalue(), expected=stored.etag, metadata=stored.metadata)
    assert publish(bucket, ENGAGEMENT, DAY, tmp_path).state is PublicationState.PUBLISHED
    assert published_rows(bucket) == expected


def test_a_column_whose_type_does_not_fit_any_more_is_refused(bucket: Bucket, tmp_path: Path) -> None:
    land(bucket, tmp_path, Instance(vintage(21), (2,)))
    columns = tuple(
        Column("Event", ColumnType.INT64) if column.name == "event" else column for column in ENGAGEMENT.report.columns
    )
    changed = replace(ENGAGEMENT, report=replace(ENGAGEMENT.report, columns=columns))
    with pytest.raises(InstanceQuarantined, match="convert its instance again"):
        publish(bucket, changed, DAY, tmp_path)


@pytest.mark.parametrize("app_id", [OTHER_APP, APP], ids=["the first app", "the last app"])
def test_an_object_has_extra_exactly_while_one_of_its_parts_has(bucket: Bucket, tmp_path: Path, app_id: int) -> None:
    for each in (OTHER_APP, APP):
        land(bucket, tmp_path, Instance(vintage(20), (1,), each))
    publish(bucket, ENGAGEMENT, DAY, tmp_path)
    without = bucket.read(TABLE_KEY)
    land(bucket, tmp_path, Instance(vintage(21), (2, 3), app_id, zone="north"))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    publication = publish(bucket, ENGAGEMENT, DAY, scratch)
    assert sorted(path.name for path in scratch.iterdir()) == ["data.parquet", "kpis.parquet"]
    assert pq.read_schema(scratch / "data.parquet").remove_metadata() == table_schema(ENGAGEMENT, has_extra=True)
    got = [(each["app_id"], each["counts"], each["extra"]) for each in published_rows(bucket)]
    both = {OTHER_APP: [(OTHER_APP, 1, None)], APP: [(APP, 1, None)]}
    both[app_id] = [(app_id, count, [("Zone", "north")]) for count in (2, 3)]
    assert got == [*both[OTHER_APP], *both[APP]]
    assert [batch.rows for batch in publication.batches] == [len(both[OTHER_APP]), len(both[APP])]
    assert publish(bucket, ENGAGEMENT, DAY, scratch).state is PublicationState.UNCHANGED
    key = TableDate("engagement", DAY).part_key(str(app_id))
    standing = bucket.head(key)
    assert standing is not None
    assert bucket.remove(key, expected=standing.etag)
    land(bucket, tmp_path, Instance(vintage(20), (1,), app_id))
    publish(bucket, ENGAGEMENT, DAY, scratch)
    assert bucket.read(TABLE_KEY) == without


def test_each_vintage_keeps_what_only_it_has_in_extra(bucket: Bucket, tmp_path: Path) -> None:
    for day, zone in ((20, ""), (21, "north"), (22, "")):
        land(bucket, tmp_path, Instance(vintage(day, f"i{day}"), (day,), zone=zone), CRASHES_EXPANDED)
    publish(bucket, CRASHES_EXPANDED, DAY, tmp_path)
    rows = published_rows(bucket, CRASHES_EXPANDED)
    assert [*rows[0]] == [column.name for column in CRASHES_EXPANDED.columns]
    assert [(each["is_newest_vintage"], each["extra"]) for each in rows] == [
        (False, None),
        (False, [("Zone", "north")]),
        (True, None),
    ]


def test_more_apps_than_are_fetched_at_once_are_merged_in_order(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, "_FETCHED_AHEAD", 3)
    for app_id in range(95, 106):
        land(bucket, tmp_path, Instance(vintage(21), (app_id,), app_id))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    publish(bucket, ENGAGEMENT, DAY, scratch)
    assert counts(bucket) == [(app_id, app_id) for app_id in range(95, 106)]
    assert sorted(path.name for path in scratch.iterdir()) == ["data.parquet", "kpis.parquet"]


_VINTAGES = [
    vintage(20, "a"),
    vintage(21, "b"),
    vintage(21, "c"),
    Vintage(date(2026, 11, 21), AccessType.ONE_TIME_SNAPSHOT, "d"),
]


_INSTANCES = [
    Instance(each, tuple(range(number + 1)), app_id, day, "north" if number == 1 else "")
    for number, each in enumerate(_VINTAGES)
    for app_id, day in ((APP, "2026-11-20"), (OTHER_APP, "2026-11-20"), (APP, "2026-11-19"))
]


def final_bytes(order: list[Instance | None], scratch: Path, table: CuratedTable) -> list[bytes | None]:
    """The objects of both Dates after this order of instances; None publishes in between."""
    days = [DAY, date(2026, 11, 19)]
    with aws_in_process():
        bucket = new_bucket("lake")
        for instance in [*order, None]:
            if instance is not None:
                land(bucket, scratch, instance, table)
                continue
            for day in days:
                publish(bucket, table, day, scratch)
        return [bucket.read(TableDate(table.name, day).curated_key) for day in days]


@pytest.mark.parametrize("table", [ENGAGEMENT, CRASHES_EXPANDED], ids=lambda table: table.name)
def test_any_order_and_any_repetition_end_in_the_same_bytes(
    table: CuratedTable, tmp_path_factory: pytest.TempPathFactory
) -> None:
    expected = final_bytes(list(_INSTANCES), tmp_path_factory.mktemp("sequential"), table)
    assert None not in expected

    @settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.permutations(_INSTANCES), st.lists(st.sampled_from([*_INSTANCES, None]), max_size=5))
    def any_order(order: list[Instance], repeated: list[Instance | None]) -> None:
        half = len(order) // 2
        mixed = [*order[:half], *repeated, None, *order[half:], *repeated]
        assert final_bytes(mixed, tmp_path_factory.mktemp("any"), table) == expected

    any_order()

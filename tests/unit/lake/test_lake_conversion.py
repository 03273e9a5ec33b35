"""An instance becomes one Parquet part per Date."""

import gzip
import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.contract.catalogue.definition import ColumnType
from appstore_analytics.contract.errors import InstanceQuarantined
from appstore_analytics.contract.tables import CuratedTable, tables_by_name
from appstore_analytics.lake import conversion as conversion_module
from appstore_analytics.lake import parquet as parquet_module
from appstore_analytics.lake.parquet import WRITER_VERSION, RowGroups, part_layout
from appstore_analytics.lake.schema import part_schema
from tests.lake_samples import (
    APP,
    CRASHES_EXPANDED,
    ENGAGEMENT,
    PURCHASES,
    comma_separated,
    converted,
    independent_sums,
    row,
    tsv,
    vintage,
)

SHAPES = [
    ENGAGEMENT,
    PURCHASES,
    CRASHES_EXPANDED,
    tables_by_name()["shortcuts_actions_usage_vintages"],
    tables_by_name()["carplay_app_usage_vintages"],
    tables_by_name()["platform_installs"],
]


def rows_of(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


@pytest.mark.parametrize("table", SHAPES, ids=lambda table: table.name)
def test_parts_read_the_same_in_every_engine(table: CuratedTable, tmp_path: Path) -> None:
    content = (comma_separated if table is CRASHES_EXPANDED else tsv)([row(table), row(table)])
    part = converted([content], tmp_path, table).parts[0]
    by_arrow = pq.read_table(part.path)
    assert (by_arrow.schema.names, by_arrow.schema.types) == (part_schema(table).names, part_schema(table).types)
    assert by_arrow["app_id"].to_pylist() == [APP, APP]
    assert by_arrow["processing_date"].to_pylist() == [date(2026, 11, 21)] * 2
    relation = duckdb.read_parquet(str(part.path))
    glue = {"VARCHAR": "string", "DATE": "date", "BIGINT": "bigint", "DOUBLE": "double", "BOOLEAN": "boolean"}
    assert [glue.get(str(each), str(each).lower()) for each in relation.types] == [
        column.type for column in table.part_columns
    ]
    assert relation.fetchall() == [tuple(each.values()) for each in by_arrow.to_pylist()]
    assert polars.read_parquet(part.path).rows() == relation.fetchall()


def test_the_footer_names_the_vintage(tmp_path: Path) -> None:
    part = converted([tsv([row(ENGAGEMENT)])], tmp_path).parts[0]
    footer = pq.read_metadata(part.path).metadata
    assert footer == {b"vintage": b"2026-11-21/ONGOING/instance-1", b"writer": WRITER_VERSION.encode()}


def metadata_of_columns(path: Path) -> dict[str, Any]:
    group = pq.read_metadata(path).row_group(0)
    return {each.path_in_schema: each for each in map(group.column, range(group.num_columns))}


def encoded(columns: dict[str, Any], encoding: str) -> set[str]:
    return {name for name, each in columns.items() if encoding in each.encodings}


def test_of_few_rows_a_part_without_money_is_all_lz4_and_one_with_extra_all_zstd(tmp_path: Path) -> None:
    plain = metadata_of_columns(converted([tsv([row(ENGAGEMENT)])], tmp_path / "plain").parts[0].path)
    assert {each.compression for each in plain.values()} == {"LZ4"}
    content = tsv([row(ENGAGEMENT) | {"Zone": "1"}])
    wider = metadata_of_columns(converted([content], tmp_path / "wider").parts[0].path)
    assert {each.compression for each in wider.values()} == {"ZSTD"}


def test_the_more_rows_the_more_columns_have_dictionaries_and_zstd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = tsv([row(PURCHASES), row(PURCHASES)])
    types = {column.name: column.type for column in PURCHASES.part_columns}
    money = {name for name, each in types.items() if each is ColumnType.MONEY}
    strings = {name for name, each in types.items() if each is ColumnType.STRING}
    few = metadata_of_columns(converted([content], tmp_path / "few", PURCHASES).parts[0].path)
    assert {name for name, each in few.items() if each.compression == "ZSTD"} == money
    assert {each.compression for name, each in few.items() if name not in money} == {"LZ4"}
    assert encoded(few, "RLE_DICTIONARY") == strings
    assert encoded(few, "BYTE_STREAM_SPLIT") == types.keys() - strings
    monkeypatch.setattr(parquet_module, "_FEW_ROWS", 2)
    more = metadata_of_columns(converted([content], tmp_path / "more", PURCHASES).parts[0].path)
    assert {each.compression for each in more.values()} == {"ZSTD"}
    assert encoded(more, "RLE_DICTIONARY") == strings | money
    assert encoded(more, "BYTE_STREAM_SPLIT") == types.keys() - strings - money
    monkeypatch.setattr(parquet_module, "_MANY_ROWS", 2)
    many = metadata_of_columns(converted([content], tmp_path / "many", PURCHASES).parts[0].path)
    assert {each.compression for each in many.values()} == {"ZSTD"}
    assert encoded(many, "RLE_DICTIONARY") == types.keys()


def test_a_part_has_no_statistics_because_it_is_read_whole(tmp_path: Path) -> None:
    columns = metadata_of_columns(converted([tsv([row(ENGAGEMENT)])], tmp_path).parts[0].path)
    assert not any(each.is_stats_set for each in columns.values())


def test_parts_keep_room_for_nulls_only_in_columns_in_which_their_instance_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = tsv([row(ENGAGEMENT, date="2026-11-19"), row(ENGAGEMENT, date="2026-11-20", device="", counts="")])

    def nullable(folder: str) -> list[list[str]]:
        schemas = [pq.read_schema(part.path) for part in converted([content] * 2, tmp_path / folder).parts]
        return [[field.name for field in schema if field.nullable] for schema in schemas]

    assert nullable("in-one-run") == [["device", "counts"]] * 2
    monkeypatch.setattr(conversion_module, "_RUN_ROWS", 1)
    assert nullable("in-runs") == [[column.name for column in ENGAGEMENT.report.columns]] * 2


def test_a_part_carries_few_strings_of_other_dates(tmp_path: Path) -> None:
    rows = [
        row(ENGAGEMENT, date=f"2026-11-{19 + number % 2}", event=f"event {number}", device=f"device {number % 2}")
        for number in range(600)
    ]
    for part in converted([tsv(rows)], tmp_path).parts:
        part_rows = pq.read_table(part.path, read_dictionary=["event", "device"])
        events, devices = (part_rows[name].chunk(0) for name in ("event", "device"))
        assert len(events.dictionary) == len(events.unique()) == part.rows == 300
        assert len(devices.unique()) == 1
        assert len(devices.dictionary) == 2


def test_of_many_rows_frequent_strings_come_first_and_no_row_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    devices = [["Watch", None, *["iPad", "iPhone", "iPhone"] * 40], ["Watch", "Vision", "Vision"]]
    monkeypatch.setattr(parquet_module, "_ORDERED_ROWS", 125)
    few = written(devices[:1], tmp_path / "few.parquet")
    many = written(devices, tmp_path / "many.parquet")
    assert few.column("device").to_pylist() == devices[0]
    assert many.column("device").to_pylist() == devices[0] + devices[1]
    assert few.column("device").chunk(0).dictionary.to_pylist() == ["Watch", "iPad", "iPhone"]
    assert many.column("device").chunk(0).dictionary.to_pylist() == ["iPhone", "iPad", "Watch", "Vision"]


def written(batches: Sequence[Sequence[str | None]], path: Path) -> pa.Table:
    """A file with one column, whose batches each have their own dictionary."""
    with RowGroups(path, part_layout(pa.schema([("device", pa.string())]))) as file:
        for values in batches:
            file.append(pa.RecordBatch.from_pydict({"device": pa.array(values).dictionary_encode()}))
        file.finish({})
    return pq.read_table(path, read_dictionary=["device"])


def test_segments_are_appended_and_split_by_date(tmp_path: Path) -> None:
    first = [row(ENGAGEMENT, date="2026-11-20", counts="1"), row(ENGAGEMENT, date="2026-11-19", counts="2")]
    second = [row(ENGAGEMENT, date="2026-11-20", counts="1"), row(ENGAGEMENT, date="2026-11-20", counts="3")]
    result = converted([tsv(first), tsv([], list(first[0])), tsv(second)], tmp_path)
    assert result.rows_raw == 4
    assert {str(part.day): [each["counts"] for each in rows_of(part.path)] for part in result.parts} == {
        "2026-11-19": [2],
        "2026-11-20": [1, 1, 3],  # equal rows are kept: Apple promises no key
    }


def test_dates_that_are_not_selected_are_dropped_and_counted(tmp_path: Path) -> None:
    asked = []
    rows = [row(ENGAGEMENT, date=f"2026-11-{day}") for day in (18, 19, 19, 20)]

    def select(days: Any) -> Any:
        asked.append(list(days))
        return [date(2026, 11, 18)]

    result = converted([tsv(rows)], tmp_path, select=select)
    assert asked == [[date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20)]]
    assert (result.rows_raw, result.rows_dropped, [part.rows for part in result.parts]) == (4, 3, [1])


def test_an_instance_without_rows_has_no_parts(tmp_path: Path) -> None:
    result = converted([tsv([], list(row(ENGAGEMENT)))], tmp_path)
    assert (result.rows_raw, result.parts) == (0, ())


@pytest.mark.parametrize(
    ("table", "day"),
    [(ENGAGEMENT, "2019-12-31"), (ENGAGEMENT, "2026-11-25"), (tables_by_name()["engagement_weekly"], "2026-11-17")],
)
def test_a_date_that_athena_would_not_see_is_refused(table: CuratedTable, day: str, tmp_path: Path) -> None:
    with pytest.raises(InstanceQuarantined, match=day):
        converted([tsv([row(table), row(table, date=day)])], tmp_path, table)


def test_what_the_headers_lack_or_add_is_reported_over_all_segments(tmp_path: Path) -> None:
    usual = list(row(ENGAGEMENT))
    first = tsv([row(ENGAGEMENT)], [header for header in usual if header != "Device"])
    second = tsv([row(ENGAGEMENT) | {"New": "1", "Also New": "2"}])
    result = converted([first, second], tmp_path)
    assert (result.missing_columns, result.unknown_columns) == (("Device",), ("Also New", "New"))
    assert [each["device"] for each in rows_of(result.parts[0].path)] == [None, "Harbor"]


@pytest.mark.parametrize(
    ("table", "days", "skipped"),
    [
        ("engagement", ["2026-11-13", "2026-11-14", "2026-11-17", "2026-11-19"], ["11-15", "11-16", "11-18"]),
        ("engagement", ["2026-11-19"], []),
        ("engagement", [], []),
        ("engagement_weekly", ["2026-10-19", "2026-11-02", "2026-11-09"], ["10-26"]),
        ("engagement_monthly", ["2026-08-01", "2026-11-01"], ["09-01", "10-01"]),
    ],
)
def test_dates_without_a_row_between_others_are_named(
    table: str, days: list[str], skipped: list[str], tmp_path: Path
) -> None:
    of = tables_by_name()[table]
    segments = [tsv([row(of, date=day)]) for day in reversed(days)] or [tsv([], list(row(of)))]
    result = converted(segments, tmp_path, of)
    assert result.skipped_dates == tuple(date.fromisoformat(f"2026-{day}") for day in skipped)


def test_a_measure_without_any_value_has_no_sum(tmp_path: Path) -> None:
    rows = [row(PURCHASES, purchases="", sales_in_usd="1.1234567"), row(PURCHASES, purchases="", sales_in_usd="")]
    result = converted([tsv(rows)], tmp_path, PURCHASES)
    assert result.parts[0].sums == {"proceeds_in_usd": "2.500000", "sales_in_usd": "1.123457"}
    assert result.digits_rounded == 1


@pytest.mark.parametrize("rows_of_a_run", [250_000, 1])
@pytest.mark.parametrize("extreme", [2**63 - 1, -(2**63)])
def test_a_sum_may_be_larger_than_a_64_bit_integer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extreme: int, rows_of_a_run: int
) -> None:
    monkeypatch.setattr(conversion_module, "_RUN_ROWS", rows_of_a_run)
    segments = [tsv([row(ENGAGEMENT, counts=str(count))] * 3) for count in (extreme, 1)]
    result = converted(segments, tmp_path)
    assert result.parts[0].sums["counts"] == str(3 * extreme + 3)


def test_spilled_runs_and_row_groups_do_not_change_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        row(ENGAGEMENT, date=f"2026-11-{10 + number % 7}", counts=str(number), event=f"event {number % 13}")
        for number in range(500)
    ]
    segments = [tsv(rows[:50]), tsv(rows[50:170]), tsv(rows[170:])]
    in_one = converted(segments, tmp_path / "one")
    expected = [rows_of(part.path) for part in in_one.parts]
    monkeypatch.setattr(conversion_module, "_RUN_ROWS", 40)
    in_runs = converted(segments, tmp_path / "runs")
    assert [rows_of(part.path) for part in in_runs.parts] == expected
    assert sorted(path.suffix for path in (tmp_path / "runs").iterdir()) == [".parquet"] * 7
    monkeypatch.setattr(parquet_module, "ROW_GROUP_ROWS", 30)
    in_groups = converted(segments, tmp_path / "groups")
    assert [rows_of(part.path) for part in in_groups.parts] == expected
    metadata = pq.read_metadata(in_groups.parts[0].path)
    assert [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)] == [30, 30, 12]


def test_a_part_of_few_rows_holds_no_string_of_another_date(tmp_path: Path) -> None:
    rows = [row(ENGAGEMENT, date="2026-11-19", event="only-yesterday"), row(ENGAGEMENT, date="2026-11-20")]
    alone = converted([tsv(rows[1:])], tmp_path / "alone").parts[0]
    together = converted([tsv(rows)], tmp_path / "together").parts[1]
    assert together.path.read_bytes() == alone.path.read_bytes()


_NUMBERS = st.integers(-(10**12), 10**12).map(str) | st.just("")
_AMOUNTS = st.decimals(-(10**9), 10**9, places=6).map("{:f}".format) | st.just("")
_ROWS = st.lists(st.tuples(st.integers(14, 20), _NUMBERS, _AMOUNTS, _AMOUNTS), max_size=25)


@given(_ROWS)
def test_rows_and_sums_equal_an_independent_count(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[int, str, str, str]]
) -> None:
    rows = [
        row(PURCHASES, date=f"2026-11-{day}", purchases=count, sales_in_usd=sales, proceeds_in_usd=proceeds)
        for day, count, sales, proceeds in cells
    ]
    content = tsv(rows, list(row(PURCHASES)))
    result = converted([content], tmp_path_factory.mktemp("scratch"), PURCHASES)
    got = {str(part.day): {name: Decimal(total) for name, total in part.sums.items()} for part in result.parts}
    assert got == independent_sums(rows, PURCHASES)
    assert sum(part.rows for part in result.parts) == content.count(b"\n") - 1


def test_segments_are_streams_read_once(tmp_path: Path) -> None:
    class OnceOnly(io.RawIOBase):
        def __init__(self, content: bytes) -> None:
            self._stream = io.BytesIO(content)

        def read(self, size: int = -1) -> bytes:
            return self._stream.read(min(size, 10))  # like a socket: returns less than requested

        def seek(self, *_: int) -> int:
            raise io.UnsupportedOperation

    stream: Any = OnceOnly(gzip.compress(tsv([row(ENGAGEMENT)] * 3)))
    result = conversion_module.convert(
        [stream], ENGAGEMENT, APP, vintage(21), date(2026, 11, 23), lambda days: days, tmp_path
    )
    assert result.rows_raw == 3


def test_the_rows_of_a_part_are_sorted_by_what_is_asked_for_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversion_module, "_RUN_ROWS", 3)  # so that the runs have to be merged, too
    cells = [("NA", "iPad"), ("DE", "iPhone"), ("", "iPhone"), ("DE", "iPad"), ("NA", "iPad"), ("DE", "iPhone")]
    rows = [
        row(ENGAGEMENT, territory=territory, device=device, counts=str(number))
        for number, (territory, device) in enumerate(cells)
    ]
    (part,) = converted([tsv(rows[:4]), tsv(rows[4:])], tmp_path).parts
    assert [(each["territory"], each["device"], each["counts"]) for each in rows_of(part.path)] == [
        (None, "iPhone", 2),
        ("DE", "iPad", 3),
        ("DE", "iPhone", 1),
        ("DE", "iPhone", 5),  # equal ones keep the file's order
        ("NA", "iPad", 0),
        ("NA", "iPad", 4),
    ]

"""The KPI object of a Date against the same sums computed independently, by DuckDB from the rows."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appstore_analytics.contract.catalogue.definition import Column, ColumnType
from appstore_analytics.contract.kpis import AMOUNTS
from appstore_analytics.contract.kpis.definition import Amount, Dimension, dimensions_of
from appstore_analytics.contract.kpis.sql import sum_of
from appstore_analytics.contract.kpis.stored import PORTFOLIO, TOTAL, amounts_of
from appstore_analytics.contract.tables import IS_NEWEST_VINTAGE, CuratedTable, tables_by_name
from appstore_analytics.lake.kpis import rollup
from appstore_analytics.lake.kpis.rollup import ROW_GROUP_ROWS, Rollup
from appstore_analytics.lake.schema import in_memory, table_schema
from appstore_analytics.rules.calendar import complete_on

DAY = date(2026, 11, 16)
SOURCES = tuple(dict.fromkeys(amount.table for amount in AMOUNTS))
EVERY_SOURCE = pytest.mark.parametrize("table", SOURCES, ids=lambda table: table.name)
CONNECTION = duckdb.connect()
Found = dict[tuple[int, str, str, str | None], Decimal | int | None]


def _cell(column: Column, table: CuratedTable) -> st.SearchStrategy[Any]:
    words = [
        word
        for amount in amounts_of(table)
        for each in amount.where
        for word in each.words
        if each.column == column.name
    ]
    if words:
        return st.sampled_from([*words, *(word.title() for word in words), "Something else", None])
    of_type: dict[ColumnType, st.SearchStrategy[Any]] = {
        ColumnType.STRING: st.sampled_from(["NA", "US", "", None]),
        ColumnType.DATE: st.one_of(st.none(), st.integers(-3, 40).map(lambda days: DAY - timedelta(days=days))),
        ColumnType.INT64: st.one_of(st.none(), st.integers(-5, 10**9)),
        ColumnType.MONEY: st.one_of(st.none(), st.decimals(-(10**8), 10**8, places=6, allow_nan=False)),
        ColumnType.BOOLEAN: st.booleans(),
    }
    return of_type.get(column.type, st.none())


@st.composite
def _rows(draw: st.DrawFn, table: CuratedTable) -> pa.Table:
    """Rows ordered by app, as they are published."""
    schema = table_schema(table)
    looked_at = {dimension.column for dimension in dimensions_of(table)} | {IS_NEWEST_VINTAGE.name}
    for amount in amounts_of(table):
        looked_at |= {amount.measure, amount.times, *(each.column for each in amount.where)}
    columns = [column for column in table.columns if column.name in looked_at]
    apps = sorted(draw(st.lists(st.sampled_from([7, 8, 1_000_000_001, 6_444_833_326]), max_size=12)))
    cells = {
        column.name: draw(st.lists(_cell(column, table), min_size=len(apps), max_size=len(apps))) for column in columns
    }
    others = {name: _nothing(name, len(apps)) for name in schema.names}
    return pa.table({**others, **cells, "app_id": apps}, schema=schema)


def _nothing(name: str, rows: int) -> list[Any]:
    """The cells of a column that a test does not use."""
    return [DAY if name == "processing_date" else None] * rows


def _written(path: Path, table: CuratedTable, pieces: Sequence[pa.Table]) -> pq.ParquetFile:
    with Rollup(table, DAY, path) as kpis:
        for piece in pieces:
            for batch in piece.cast(in_memory(piece.schema)).combine_chunks().to_batches():
                kpis.add(batch)
        rows = kpis.finish({"digest": "of the rows"})
    file = pq.ParquetFile(path)
    assert file.metadata.num_rows == rows
    return file


def _found(rows: pa.Table) -> Found:
    found: Found = {}
    columns = (column.to_pylist() for column in rows.drop_columns("is_final").columns)
    for app, kpi, dimension, value, amount, usd in zip(*columns, strict=True):
        assert (app, kpi, dimension, value) not in found, "a row stands twice"
        assert amount is None or usd is None
        found[app, kpi, dimension, value] = usd if amount is None else amount
    return found


def _expected(rows: pa.Table, table: CuratedTable) -> Found:
    """Every amount by every dimension; a total of 0 if an app has rows of which none counts."""
    if table.keeps_vintages:
        rows = rows.filter(rows[IS_NEWEST_VINTAGE.name])
    expected: Found = {
        (app, amount.name, TOTAL, None): Decimal(0) if amount.is_money else 0
        for app in {PORTFOLIO, *rows["app_id"].to_pylist()}
        for amount in amounts_of(table)
        if rows.num_rows
    }
    CONNECTION.register("rows", rows)
    for dimension in (TOTAL, *dimensions_of(table)):
        expected |= _by(dimension, table)
    return expected


def _by(dimension: str, table: CuratedTable) -> Found:
    """A value exists if a row of it counts; the number of such rows is stored beside each sum."""
    value = "NULL" if dimension == TOTAL else dimension
    if dimension == Dimension.DAYS_SINCE_DOWNLOAD:
        days = f"date_diff('day', app_download_date, DATE '{DAY}')"
        value = f"CASE WHEN {days} BETWEEN 0 AND 30 THEN CAST({days} AS VARCHAR) END"
    amounts = amounts_of(table)
    sums = ", ".join(f"COALESCE({sum_of(amount)}, 0), {_counted(amount)}" for amount in amounts)
    apps = f"(SELECT *, UNNEST([app_id, {PORTFOLIO}]) AS app FROM rows)"
    found = CONNECTION.execute(f"SELECT app, {value}, {sums} FROM {apps} GROUP BY ALL").fetchall()
    return {
        (app, amount.name, dimension, word): total
        for app, word, *cells in found
        for amount, total, rows in zip(amounts, cells[::2], cells[1::2], strict=True)
        if rows
    }


def _counted(amount: Amount) -> str:
    conditions = sum_of(amount).partition(" FILTER ")
    return f"COUNT(*){conditions[1]}{conditions[2]}"


@EVERY_SOURCE
@settings(max_examples=settings.default.max_examples // 4)  # of each of 18 tables
@given(data=st.data())
def test_every_amount_by_every_dimension_is_the_sum_of_its_rows(
    tmp_path_factory: pytest.TempPathFactory, table: CuratedTable, data: st.DataObject
) -> None:
    rows = data.draw(_rows(table))
    cuts = sorted(data.draw(st.lists(st.integers(0, rows.num_rows), max_size=5)))
    bounds = [0, *cuts, rows.num_rows]
    pieces = [rows.slice(start, end - start) for start, end in pairwise(bounds)]
    path = tmp_path_factory.mktemp("kpis") / "kpis.parquet"
    with patch.object(rollup, "ROW_GROUP_ROWS", data.draw(st.sampled_from([1, 3, 50, 20_000]))):
        written = _written(path, table, pieces).read()
    assert _found(written) == _expected(rows, table)


def test_an_app_that_continues_over_batches_with_a_null_value_is_added_up(tmp_path: Path) -> None:
    batches = (
        _sessions([1, 2], territory=["US", "GB"], sessions=[1, 1]),
        _sessions([2, 3], territory=["FR", "DE"], sessions=[1, 1]),
        _sessions([3, 4], territory=[None, "NA"], sessions=[1, 1]),
        _sessions([4, 5, 6], territory=["IT", None, "ES"], sessions=[1, 1, 1]),
    )
    with patch.object(rollup, "ROW_GROUP_ROWS", 65):
        file = _written(tmp_path / "kpis", tables_by_name()["sessions"], batches)
    assert _found(file.read()) == _expected(pa.concat_tables(batches), tables_by_name()["sessions"])


def _sessions(apps: Sequence[int], **columns: Sequence[Any]) -> pa.Table:
    table = tables_by_name()["sessions"]
    schema = table_schema(table)
    cells = {name: _nothing(name, len(apps)) for name in schema.names} | {"app_id": apps} | columns
    return pa.table(cells, schema=schema)


def test_a_breakdown_adds_up_to_its_total_because_null_is_a_value(tmp_path: Path) -> None:
    rows = _sessions([7, 7, 7], territory=["US", None, "US"], sessions=[1, 2, 4])
    found = _found(_written(tmp_path / "kpis", tables_by_name()["sessions"], [rows]).read())
    by_territory = {
        value: amount
        for (app, kpi, dimension, value), amount in found.items()
        if (app, kpi, dimension) == (7, "sessions", "territory")
    }
    assert by_territory == {"US": 5, None: 2}
    assert found[7, "sessions", TOTAL, None] == 7


def test_the_last_row_group_has_all_totals_and_the_portfolio_and_the_others_the_details_by_app(tmp_path: Path) -> None:
    apps = [app for app in range(1, 2_001) for _ in range(3)]
    rows = _sessions(apps, territory=["US", "GB", "NA"] * 2_000, sessions=[1] * 6_000)
    file = _written(tmp_path / "kpis", tables_by_name()["sessions"], [rows.slice(0, 1_000), rows.slice(1_000)])
    *details, last = [file.read_row_group(number) for number in range(file.num_row_groups)]
    assert {row["app_id"] for row in last.to_pylist() if row["dimension"] != TOTAL} == {PORTFOLIO}
    assert {row["app_id"] for row in last.to_pylist() if row["dimension"] == TOTAL} == {PORTFOLIO, *apps}
    assert [group.num_rows for group in details[:-1]] == [ROW_GROUP_ROWS] * (len(details) - 1)
    assert 0 < details[-1].num_rows <= ROW_GROUP_ROWS < sum(group.num_rows for group in details)
    found = [row["app_id"] for group in details for row in group.to_pylist()]
    assert found == sorted(found)
    assert set(found) == set(apps)
    assert not any(row["dimension"] == TOTAL for group in details for row in group.to_pylist())
    statistics = [file.metadata.row_group(number).column(0).statistics for number in range(file.num_row_groups)]
    assert [(each.min, each.max) for each in statistics[:-1]] == [
        (group["app_id"][0].as_py(), group["app_id"][-1].as_py()) for group in details
    ]


def test_the_same_rows_give_the_same_bytes_and_the_footer_is_kept(tmp_path: Path) -> None:
    rows = _sessions([7, 7, 8], territory=["US", "GB", "NA"], sessions=[1, 2, 3])
    for name in ("one", "two"):
        file = _written(tmp_path / name, tables_by_name()["sessions"], [rows])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert file.metadata.metadata[b"digest"] == b"of the rows"
    assert file.schema_arrow.names == ["app_id", "kpi", "dimension", "value", "amount", "usd", "is_final"]
    assert [str(kind) for kind in file.schema_arrow.types][-3:] == ["int64", "decimal128(18, 6)", "bool"]


def test_final_is_what_apple_built_when_the_date_was_complete_and_the_portfolio_only_if_each_app_is(
    tmp_path: Path,
) -> None:
    table = tables_by_name()["sessions"]
    early, late = complete_on(DAY, table) - timedelta(days=1), complete_on(DAY, table)
    rows = _sessions([7, 7, 8, 9], sessions=[1] * 4, processing_date=[late, late, early, late])
    found = _written(tmp_path / "kpis", table, [rows.slice(0, 1), rows.slice(1)]).read().to_pylist()
    assert {(row["app_id"], row["is_final"]) for row in found} == {(PORTFOLIO, False), (7, True), (8, False), (9, True)}


@pytest.mark.parametrize(("days_after_its_monday", "is_final"), [(10, False), (11, True)])
def test_a_week_is_final_once_its_sunday_is_complete(
    tmp_path: Path, days_after_its_monday: int, is_final: bool
) -> None:
    table = tables_by_name()["sessions_weekly"]
    cells = {name: _nothing(name, 1) for name in table_schema(table).names}
    cells |= {"app_id": [7], "sessions": [1], "processing_date": [DAY + timedelta(days=days_after_its_monday)]}
    found = _written(tmp_path / "kpis", table, [pa.table(cells, schema=table_schema(table))]).read()
    assert set(found["is_final"].to_pylist()) == {is_final}


def test_no_rows_are_an_object_without_rows(tmp_path: Path) -> None:
    assert _written(tmp_path / "kpis", tables_by_name()["sessions"], []).metadata.num_rows == 0


HUGE = 2**63 - 1


@pytest.mark.parametrize("pieces", [1, 2])
def test_a_sum_that_64_bits_cannot_hold_is_null_and_never_wraps(tmp_path: Path, pieces: int) -> None:
    rows = _sessions(
        [7, 7, 8], territory=["US", "US", "US"], sessions=[HUGE, HUGE, 5], total_session_duration=[HUGE, -5, 1]
    )
    cut = [rows] if pieces == 1 else [rows.slice(0, 1), rows.slice(1)]
    found = _found(_written(tmp_path / "kpis", tables_by_name()["sessions"], cut).read())
    assert found[7, "sessions", TOTAL, None] is None
    assert found[7, "sessions", "territory", "US"] is None
    assert found[PORTFOLIO, "sessions", TOTAL, None] is None
    assert found[8, "sessions", TOTAL, None] == 5
    assert found[7, "session_seconds", TOTAL, None] == HUGE - 5
    assert found[PORTFOLIO, "session_seconds", "territory", "US"] == HUGE - 4


def test_money_that_18_digits_cannot_hold_is_null_and_the_rest_exact(tmp_path: Path) -> None:
    table = tables_by_name()["purchases"]
    schema = table_schema(table)
    most = Decimal("999999999999.999999")
    cells = {name: _nothing(name, 3) for name in schema.names} | {
        "app_id": [7, 7, 8],
        "sales_in_usd": [most, Decimal("0.000001"), most],
        "proceeds_in_usd": [most, -most, Decimal("-0.000001")],
    }
    found = _found(_written(tmp_path / "kpis", table, [pa.table(cells, schema=schema)]).read())
    assert found[7, "sales", TOTAL, None] is None
    assert found[8, "sales", TOTAL, None] == most
    assert found[PORTFOLIO, "proceeds", TOTAL, None] == Decimal("-0.000001")


def test_a_product_of_large_numbers_is_exact_or_null(tmp_path: Path) -> None:
    table = tables_by_name()["performance"]
    schema = table_schema(table)
    cells = {name: _nothing(name, 4) for name in schema.names} | {
        "app_id": [7, 8, 8, 9],
        "counts": [HUGE, 2**32, -(2**32), 3],
        "avg_install_duration": [HUGE, 2**32, 2**32, None],
    }
    found = _found(_written(tmp_path / "kpis", table, [pa.table(cells, schema=schema)]).read())
    assert found[7, "install_milliseconds", TOTAL, None] is None
    assert found[8, "install_milliseconds", TOTAL, None] == 0
    assert found[9, "install_milliseconds", TOTAL, None] == 0
    assert found[9, "install_attempts", TOTAL, None] == 3

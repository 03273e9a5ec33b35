"""Columns that are not in the catalogue: kept in `extra` by Apple's header, or a reason for quarantine."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.contract.catalogue.definition import Column, ColumnType
from appstore_analytics.contract.errors import InstanceQuarantined
from appstore_analytics.contract.schema_modes import SchemaMode, SchemaModes
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake import conversion as conversion_module
from appstore_analytics.lake.conversion import convert
from appstore_analytics.lake.extra import extra_column
from appstore_analytics.lake.schema import part_schema
from tests.lake_samples import (
    APP,
    CRASHES_EXPANDED,
    ENGAGEMENT,
    PURCHASES,
    TODAY,
    comma_separated,
    converted,
    everything,
    row,
    tsv,
    vintage,
)

USUAL = list(row(ENGAGEMENT))


def extras(path: Path) -> list[Any]:
    return [None if each is None else dict(each) for each in pq.read_table(path)["extra"].to_pylist()]


def refused(content: bytes, words: str, scratch: Path, table: CuratedTable = ENGAGEMENT) -> None:
    with pytest.raises(InstanceQuarantined, match=words):
        converted([content], scratch, table)


def test_unknown_cells_are_kept_as_apple_sent_them_and_empty_ones_have_no_key(tmp_path: Path) -> None:
    unknown = [{"Zone": " Nørd ", "Audience": '"a"'}, {"Zone": "", "Audience": "0012"}, {"Zone": "", "Audience": ""}]
    (part,) = converted([tsv([row(ENGAGEMENT) | each for each in unknown])], tmp_path).parts
    schema, expected = pq.read_schema(part.path), part_schema(ENGAGEMENT, has_extra=True)
    assert (schema.names, schema.types) == (expected.names, expected.types)
    kept = [{"Audience": '"a"', "Zone": " Nørd "}, {"Audience": "0012"}, None]
    assert extras(part.path) == kept
    assert [row[0] for row in duckdb.read_parquet(str(part.path)).select("extra").fetchall()] == kept
    assert polars.read_parquet(part.path)["extra"].to_list() == kept


def test_the_order_of_the_files_columns_changes_no_byte(tmp_path: Path) -> None:
    cells = row(ENGAGEMENT) | {"Zone": "1", "Audience": "2"}
    orders = [[*USUAL, "Zone", "Audience"], ["Audience", *USUAL[::-1], "Zone"]]
    parts = [converted([tsv([cells], order)], tmp_path / str(n)).parts[0] for n, order in enumerate(orders)]
    assert list(extras(parts[0].path)[0]) == ["Audience", "Zone"]
    assert parts[0].path.read_bytes() == parts[1].path.read_bytes()


def test_segments_with_and_without_unknown_columns_make_one_part_whatever_is_spilled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segments = [
        tsv([row(ENGAGEMENT, counts="1", device="b"), row(ENGAGEMENT, counts="2", device="a")]),
        tsv([row(ENGAGEMENT, counts=str(3 + n), device="ab"[n % 2]) | {"Zone": str(n)} for n in range(4)]),
        tsv([], [*USUAL, "Never Seen"]),
        tsv([row(ENGAGEMENT, counts="7", device="a") | {"Audience": "x"}]),
    ]
    whole = converted(segments, tmp_path / "one")
    assert whole.unknown_columns == ("Audience", "Never Seen", "Zone")
    rows = pq.read_table(whole.parts[0].path).to_pylist()
    assert [(each["device"], each["counts"], each["extra"]) for each in rows] == [
        ("a", 2, None),
        ("a", 3, [("Zone", "0")]),
        ("a", 5, [("Zone", "2")]),
        ("a", 7, [("Audience", "x")]),
        ("b", 1, None),
        ("b", 4, [("Zone", "1")]),
        ("b", 6, [("Zone", "3")]),
    ]
    monkeypatch.setattr(conversion_module, "_RUN_ROWS", 1)
    spilled = converted(segments, tmp_path / "spilled")
    assert pq.read_table(spilled.parts[0].path).to_pylist() == rows


def test_rows_and_sums_are_those_of_the_file_without_its_unknown_columns(tmp_path: Path) -> None:
    known = [row(PURCHASES, date=f"2026-11-{day}", sales_in_usd="1.5") for day in (18, 19, 19)]
    wider = converted([tsv([each | {"Zone": "1"} for each in known])], tmp_path / "wider", PURCHASES)
    plain = converted([tsv(known)], tmp_path / "plain", PURCHASES)
    assert [(part.day, part.rows, part.sums) for part in wider.parts] == [
        (part.day, part.rows, part.sums) for part in plain.parts
    ]
    for ours, other in zip(wider.parts, plain.parts, strict=True):
        assert pq.read_table(ours.path).drop_columns("extra") == pq.read_table(other.path)


def test_a_file_of_known_columns_only_has_no_extra(tmp_path: Path) -> None:
    (part,) = converted([tsv([row(ENGAGEMENT)])], tmp_path).parts
    assert "extra" not in pq.read_schema(part.path).names


def test_a_file_separated_by_commas_keeps_what_its_quotes_hold(tmp_path: Path) -> None:
    each = row(CRASHES_EXPANDED) | {"Zone, or not": 'a,"b"\nc'}
    (part,) = converted([comma_separated([each])], tmp_path, CRASHES_EXPANDED).parts
    assert extras(part.path) == [{"Zone, or not": 'a,"b"\nc'}]


def test_a_column_that_the_catalogue_has_learnt_moves_out_of_extra(tmp_path: Path) -> None:
    content = tsv([row(ENGAGEMENT) | {"Campaign Size": "12", "Zone": "x"}])
    learnt = (*ENGAGEMENT.report.columns, Column("campaign size", ColumnType.INT64))
    table = replace(ENGAGEMENT, report=replace(ENGAGEMENT.report, columns=learnt))
    (before,) = converted([content], tmp_path / "before").parts
    (after,) = converted([content], tmp_path / "after", table).parts
    assert extras(before.path) == [{"Campaign Size": "12", "Zone": "x"}]
    assert extras(after.path) == [{"Zone": "x"}]
    assert pq.read_table(after.path)["campaign_size"].to_pylist() == [12]


def test_strict_refuses_the_column_by_name_and_says_what_to_do(tmp_path: Path) -> None:
    def strictly(content: bytes) -> object:
        return convert(
            [io.BytesIO(pa.compress(content, "gzip", asbytes=True))],
            *(ENGAGEMENT, APP, vintage(21), TODAY, everything, tmp_path, SchemaMode.STRICT),
        )

    assert strictly(tsv([row(ENGAGEMENT)]))
    with pytest.raises(InstanceQuarantined, match=r"does not know the column 'Zone'.* strict: .* reprocess"):
        strictly(tsv([row(ENGAGEMENT) | {"Zone": "1"}]))


def test_what_would_make_extra_too_large_or_unreadable_is_refused(tmp_path: Path) -> None:
    many = {f"New {number}": "x" for number in range(21)}
    refused(tsv([row(ENGAGEMENT) | many]), "does not know 21 columns", tmp_path)
    refused(tsv([row(ENGAGEMENT) | {"N" * 401: "x"}]), "more than 400 bytes", tmp_path)
    content = tsv([row(ENGAGEMENT), row(ENGAGEMENT) | {"Zone": "y"}][1:]).replace(b"\ty\n", b"\t\xff\n")
    refused(content, "column 'Zone', row 1: the text is not UTF-8", tmp_path)


def test_the_mode_of_a_report_is_the_default_or_the_other() -> None:
    modes = SchemaModes(SchemaMode.STRICT, ("engagement",))
    assert modes.of(ENGAGEMENT.report) is SchemaMode.EVOLVE
    assert modes.of(PURCHASES.report) is SchemaMode.STRICT
    assert SchemaModes().of(PURCHASES.report) is SchemaMode.EVOLVE


_CELLS = st.none() | st.text(st.characters(codec="utf-8"), max_size=5)


@given(st.lists(st.text(max_size=4), min_size=1, max_size=5, unique=True), st.data())
def test_extra_is_each_rows_cells_by_header(headers: list[str], data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.tuples(*[_CELLS] * len(headers)), min_size=1, max_size=8))
    columns = zip(*rows, strict=True)
    got = extra_column({header: pa.array(cells, pa.string()) for header, cells in zip(headers, columns, strict=True)})
    expected = [[pair for pair in sorted(zip(headers, each, strict=True)) if pair[1] is not None] for each in rows]
    assert got.to_pylist() == [pairs or None for pairs in expected]
    got.validate(full=True)

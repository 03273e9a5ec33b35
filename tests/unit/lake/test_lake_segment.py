"""One of Apple's segments, read into typed rows or refused with a sentence."""

import gzip
import io
import tracemalloc
import zlib
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.contract.errors import InstanceQuarantined
from appstore_analytics.contract.tables import CuratedTable, tables_by_name
from appstore_analytics.lake import inflation
from appstore_analytics.lake import tsv as tsv_module
from appstore_analytics.lake.tsv import SegmentReader
from tests.lake_samples import APP, CRASHES_EXPANDED, DAY, ENGAGEMENT, PURCHASES, comma_separated, row, tsv


def reader(content: bytes, table: CuratedTable = ENGAGEMENT) -> SegmentReader:
    return SegmentReader(io.BytesIO(gzip.compress(content)), table.report, APP)


def rows_of(content: bytes, table: CuratedTable = ENGAGEMENT) -> list[dict[str, Any]]:
    return [each for rows in reader(content, table).rows() for each in rows.to_pylist()]


def refused(content: bytes, sentence: str, table: CuratedTable = ENGAGEMENT) -> None:
    with pytest.raises(InstanceQuarantined, match=sentence):
        rows_of(content, table)


def test_cells_are_typed_and_empty_ones_are_null() -> None:
    plain = rows_of(tsv([row(PURCHASES, purchases="-2", sales_in_usd="12.50", paying_users="")]), PURCHASES)[0]
    assert plain["date"] == DAY
    assert plain["app_apple_identifier"] == APP
    assert plain["purchases"] == -2
    assert plain["sales_in_usd"] == Decimal("12.500000")
    assert plain["paying_users"] is None
    empty = row(PURCHASES)
    empty = {header: cell if header in ("Date", "App Apple Identifier") else "" for header, cell in empty.items()}
    kept = rows_of(tsv([empty]), PURCHASES)[0]
    assert {name for name, cell in kept.items() if cell is not None} == {"date", "app_apple_identifier"}


def test_na_is_namibia_and_quotes_are_data() -> None:
    title = 'Customer review modal open ("more")'
    cells = rows_of(tsv([row(ENGAGEMENT, territory="NA", event='"', page_type=title), row(ENGAGEMENT, event='"a')]))
    assert [cells[0]["territory"], cells[0]["event"], cells[0]["page_type"]] == ["NA", '"', title]
    assert cells[1]["event"] == '"a'


def test_columns_are_mapped_by_name_whatever_their_order_case_and_spacing() -> None:
    each = row(ENGAGEMENT, counts="7", device="iPad")
    headers = list(each)
    headers.sort(key=len)
    content = tsv([each], headers).replace(b"Unique Counts", b"unique_COUNTS")
    assert rows_of(content) == rows_of(tsv([each]))


def test_a_byte_order_mark_and_windows_line_ends_are_tolerated() -> None:
    content = tsv([row(ENGAGEMENT), row(ENGAGEMENT, unique_counts="")])
    assert rows_of(b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n")) == rows_of(content)


def test_a_last_line_may_lack_its_end_or_have_blank_lines_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    content = tsv([row(ENGAGEMENT), row(ENGAGEMENT)])
    expected = rows_of(content)
    for block_bytes in (
        4 << 20,
        1,
        len(content) - content.index(b"\n"),
        len(content),
    ):  # blank lines even across two blocks
        monkeypatch.setattr(tsv_module, "_BLOCK_BYTES", block_bytes)
        assert rows_of(content.rstrip(b"\n")) == rows_of(content + b"\n\r\n\n") == rows_of(content) == expected


def test_a_blank_line_between_rows_is_refused_wherever_a_block_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    content = tsv([row(ENGAGEMENT), row(ENGAGEMENT)])
    end = content.rstrip(b"\n").rindex(b"\n")
    for block_bytes in (4 << 20, 1, end, end + 1, end + 2):
        monkeypatch.setattr(tsv_module, "_BLOCK_BYTES", block_bytes)
        refused(content[:end] + b"\n" + content[end:], "row 2")


def test_a_file_separated_by_commas_may_quote_its_fields() -> None:
    odd = row(CRASHES_EXPANDED, app_version='1,0 "beta"\nnext line')
    content = comma_separated([odd, row(CRASHES_EXPANDED, app_version="")])
    assert [each["app_version"] for each in rows_of(content, CRASHES_EXPANDED)] == ['1,0 "beta"\nnext line', None]


def test_rows_across_blocks_are_neither_cut_nor_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = [row(ENGAGEMENT, counts=str(number), event="x" * (number % 40)) for number in range(200)]
    quoted = [row(CRASHES_EXPANDED, count=str(number), app_version='"\n,"' * (number % 5)) for number in range(200)]
    expected = rows_of(tsv(plain)), rows_of(comma_separated(quoted), CRASHES_EXPANDED)
    for block_bytes in (1, 7, 300):
        monkeypatch.setattr(tsv_module, "_BLOCK_BYTES", block_bytes)
        assert (rows_of(tsv(plain)), rows_of(comma_separated(quoted), CRASHES_EXPANDED)) == expected


def test_an_unknown_column_is_named_and_kept_in_extra() -> None:
    each = row(ENGAGEMENT) | {"Campaign Group": "x"}
    assert reader(tsv([each])).unknown_columns == ("Campaign Group",)
    (got,) = rows_of(tsv([each]))
    assert got.pop("extra") == [("Campaign Group", "x")]
    assert [got] == rows_of(tsv([row(ENGAGEMENT)]))


def test_a_missing_optional_column_is_null_and_named() -> None:
    headers = [header for header in row(ENGAGEMENT) if header != "Page Type"]
    content = tsv([row(ENGAGEMENT)], headers)
    assert reader(content).missing_columns == ("Page Type",)
    assert rows_of(content)[0]["page_type"] is None


def test_a_missing_required_column_is_refused_by_report_and_name() -> None:
    headers = [header for header in row(ENGAGEMENT) if header != "Counts"]
    refused(tsv([row(ENGAGEMENT)], headers), "App Store Discovery and Engagement Standard: .* no column 'Counts'")


def test_a_column_that_is_named_twice_is_refused() -> None:
    refused(tsv([row(ENGAGEMENT) | {"page-type": "x"}]), "twice")


@pytest.mark.parametrize("broken", ["one\tcell too many", "", "too\tfew"])
def test_a_row_with_another_number_of_cells_is_refused_by_its_number(broken: str) -> None:
    good = tsv([row(ENGAGEMENT), row(ENGAGEMENT)])
    line = good.splitlines()[1] + b"\t" + broken.encode() if broken.startswith("one") else broken.encode()
    refused(good + line + b"\n" + good.splitlines()[1] + b"\n", "(?i)row 3")


def test_the_sentence_about_a_row_does_not_repeat_it() -> None:
    good = tsv([row(ENGAGEMENT)])
    with pytest.raises(InstanceQuarantined, match=r"got \d+\.$"):
        rows_of(good + good.splitlines()[1] + b"\tone too many\n")


def test_a_carriage_return_inside_a_cell_is_refused() -> None:
    refused(tsv([row(ENGAGEMENT, event="a\rb")]), "row")


def test_an_unclosed_quote_between_commas_is_refused() -> None:
    content = comma_separated([row(CRASHES_EXPANDED), row(CRASHES_EXPANDED)]).replace(b"Harbor", b'"Harbor', 1)
    refused(content, "App Crashes Expanded", CRASHES_EXPANDED)


@pytest.mark.parametrize(
    ("column", "cell"),
    [("counts", "12x"), ("counts", "1,000"), ("counts", "99999999999999999999"), ("date", "2026-13-01")],
)
def test_a_cell_that_does_not_fit_its_type_is_refused_by_column_and_value(column: str, cell: str) -> None:
    header = next(each.header for each in ENGAGEMENT.report.columns if each.name == column)
    refused(tsv([row(ENGAGEMENT), row(ENGAGEMENT, **{column: cell})]), f"column '{header}'.*'{cell}'")


def test_a_long_value_is_shortened_in_the_sentence() -> None:
    with pytest.raises(InstanceQuarantined) as refusal:
        rows_of(tsv([row(ENGAGEMENT, date="x" * 5000)]))
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize("column", ["event", "date"])
def test_text_that_is_not_utf_8_is_refused(column: str) -> None:
    content = tsv([row(ENGAGEMENT), row(ENGAGEMENT, **{column: "é"})]).decode().encode("latin-1")
    refused(content, f"column '{column.title()}', row 2: the text is not UTF-8")


def test_a_row_without_a_date_is_refused() -> None:
    refused(tsv([row(ENGAGEMENT), row(ENGAGEMENT, date="")]), "row 2 has no Date")


TWO_ROWS = tsv([row(ENGAGEMENT), row(ENGAGEMENT)])
HEADER, _, ROWS = TWO_ROWS.partition(b"\n")
LIKE_NO_OTHER = {
    "blank lines at the end": TWO_ROWS + b"\n\n",
    "no line feed at the end": TWO_ROWS.rstrip(b"\n"),
    "two byte order marks": b"\xef\xbb\xbf" * 2 + TWO_ROWS,
    "a tab behind every row": TWO_ROWS.replace(b"\n", b"\t\n"),
    "quotes around the headers": b"\t".join(b'"%s"' % each for each in HEADER.split(b"\t")) + b"\n" + ROWS,
    "line separators of Unicode in a cell": TWO_ROWS.replace(b"Harbor", "Har\u2028b\u0085or".encode()),
    "a vertical tab in a cell": TWO_ROWS.replace(b"Harbor", b"Har\x0b\x0cbor"),
}
NOT_THE_REPORT = {
    "UTF-16": (TWO_ROWS.decode().encode("utf-16"), "the header line is not UTF-8"),
    "packed twice": (gzip.compress(TWO_ROWS), "the header line is not UTF-8"),
    "a comment above the header": (b"# of 2026-11-20\n" + TWO_ROWS, "is not the header of this report: it names 0"),
    "a line for spreadsheets": (b"sep=\t\n" + TWO_ROWS, "is not the header of this report"),
    "semicolons": (TWO_ROWS.replace(b"\t", b";"), "is not the header of this report"),
    "an empty first line": (b"\n" + TWO_ROWS, "rows below an empty header line"),
    "a line of blanks": (TWO_ROWS + b"   \n", "row 3: Expected 12 columns, got 1"),
    "the header again": (TWO_ROWS + HEADER + b"\n", "column 'Date', row 3: 'Date' is not a date"),
    "a row of totals": (TWO_ROWS + b"Total" + b"\t" * 11 + b"\n", "column 'Date', row 3: 'Total' is not a date"),
}


@pytest.mark.parametrize("name", LIKE_NO_OTHER)
def test_a_file_of_an_odd_form_has_its_rows(name: str) -> None:
    assert len(rows_of(LIKE_NO_OTHER[name])) == 2


@pytest.mark.parametrize("name", NOT_THE_REPORT)
def test_a_file_that_is_not_the_report_says_where_it_is_not(name: str) -> None:
    refused(*NOT_THE_REPORT[name])


@pytest.mark.parametrize(
    "pack", [zlib.compress, bytes, lambda content: b"PK\3\4" + content], ids=["zlib", "none", "zip"]
)
def test_a_file_that_is_packed_otherwise_has_broken_bytes(pack: Callable[[bytes], bytes]) -> None:
    with pytest.raises(InstanceQuarantined, match="the segment's gzip is broken") as broken:
        SegmentReader(io.BytesIO(pack(TWO_ROWS)), ENGAGEMENT.report, APP)
    assert broken.value.bytes_are_broken


@pytest.mark.parametrize("padding", [b"", b"\0" * 512], ids=["members", "padded"])
def test_a_gzip_may_have_several_members_and_zeros_behind_them(padding: bytes) -> None:
    packed = b"".join(gzip.compress(TWO_ROWS[at : at + 40]) for at in range(0, len(TWO_ROWS), 40)) + padding
    segment = SegmentReader(io.BytesIO(packed), ENGAGEMENT.report, APP)
    assert sum(rows.num_rows for rows in segment.rows()) == 2


@pytest.mark.parametrize(
    ("cell", "words"),
    [("1000000002", "rows of another app, 1000000002"), ("", "a blank line, or a row without an app")],
)
def test_rows_of_another_app_are_refused(cell: str, words: str) -> None:
    refused(tsv([row(ENGAGEMENT), row(ENGAGEMENT, app_apple_identifier=cell)]), f"row 2: .* holds {words}")


def test_a_blank_line_between_rows_is_refused_as_such() -> None:
    content = tsv([row(ENGAGEMENT), row(ENGAGEMENT)]).replace(b"\n", b"\n\n", 2)
    refused(content, "row 1: .* holds a blank line")


@pytest.mark.parametrize(
    ("cells", "dates"),
    [
        (["11/20/2026", "11/02/2026"], [date(2026, 11, 20), date(2026, 11, 2)]),
        (["11/11/2026", "2026-11-02"], [date(2026, 11, 11), date(2026, 11, 2)]),
    ],
)
def test_month_first_dates_are_read_where_the_column_shows_it(cells: list[str], dates: list[date]) -> None:
    assert [each["date"] for each in rows_of(tsv([row(ENGAGEMENT, date=cell) for cell in cells]))] == dates


@pytest.mark.parametrize("cells", [["11/02/2026"], ["11/02/2026", "2026-11-20"], ["20/11/2026"], ["20261120"]])
def test_a_date_that_may_be_read_in_two_ways_or_in_none_is_refused(cells: list[str]) -> None:
    refused(tsv([row(ENGAGEMENT, date=cell) for cell in cells]), "column '[Dd]ate'")


def test_booleans_are_read_in_all_their_spellings() -> None:
    table = tables_by_name()["shortcuts_actions_usage_vintages"]
    name = next(each.name for each in table.report.columns if each.type == "boolean")
    cells = ["true", "FALSE", "1", "0", "Yes", "no", ""]
    got = [each[name] for each in rows_of(tsv([row(table, **{name: cell}) for cell in cells]), table)]
    assert got == [True, False, True, False, True, False, None]
    refused(tsv([row(table, **{name: "maybe"})]), "row 1: 'maybe' is not a boolean", table)


@pytest.mark.parametrize(
    ("cell", "amount", "rounded"),
    [
        ("1.2345665", "1.234566", 1),  # half to even
        ("1.2345675", "1.234568", 1),
        ("-0.00000051", "-0.000001", 1),
        ("1.00000000000", "1.000000", 0),
        ("1." + "3" * 300, "1.333333", 1),
        ("999999999999.999999", "999999999999.999999", 0),
        ("1E2", "100.000000", 0),
    ],
)
def test_money_takes_any_number_of_digits_and_says_when_it_rounds(cell: str, amount: str, rounded: int) -> None:
    segment = reader(tsv([row(PURCHASES, sales_in_usd=cell)] * 2 + [row(PURCHASES)]), PURCHASES)
    got = [each["sales_in_usd"] for rows in segment.rows() for each in rows.to_pylist()]
    assert got == [Decimal(amount)] * 2 + [Decimal("1.25")]
    assert segment.digits_rounded == 2 * rounded


@pytest.mark.parametrize("cell", ["1000000000000", "999999999999.9999999", "NaN", "1_000", "$5", "1e99999999999"])
def test_money_that_does_not_fit_is_refused(cell: str) -> None:
    refused(tsv([row(PURCHASES, sales_in_usd=cell)]), "column 'Sales in USD', row 1", PURCHASES)


def test_floats_are_read() -> None:
    table = tables_by_name()["carplay_app_usage_vintages"]
    name = next(each.name for each in table.report.columns if each.type == "double")
    got = rows_of(tsv([row(table, **{name: "0.1"}), row(table, **{name: "-1e-3"})]), table)
    assert [each[name] for each in got] == [0.1, -0.001]


@pytest.mark.parametrize(
    "content", [b"", b"\n", tsv([row(ENGAGEMENT)]).splitlines()[0], tsv([], list(row(ENGAGEMENT)))]
)
def test_a_file_without_rows_is_legal(content: bytes) -> None:
    assert rows_of(content) == []


def test_rows_below_an_empty_header_are_refused() -> None:
    refused(b"\n" + tsv([row(ENGAGEMENT)]), "empty header")


@pytest.mark.parametrize("cut", [1, 9, 30, 60])
def test_a_truncated_gzip_is_refused(cut: int) -> None:
    whole = gzip.compress(tsv([row(ENGAGEMENT, event=str(number)) for number in range(50)]))
    with pytest.raises(InstanceQuarantined, match="gzip is broken"):
        list(SegmentReader(io.BytesIO(whole[:-cut]), ENGAGEMENT.report, APP).rows())


def test_bytes_that_are_no_gzip_are_refused() -> None:
    whole = gzip.compress(tsv([row(ENGAGEMENT, event=str(number)) for number in range(50)]))
    flipped = whole[:-8] + bytes([whole[-8] ^ 0xFF]) + whole[-7:]
    for content in (b"", b"<html>", flipped, whole + b"trailing"):
        with pytest.raises(InstanceQuarantined, match="gzip"):
            list(SegmentReader(io.BytesIO(content), ENGAGEMENT.report, APP).rows())


def test_an_archive_built_to_explode_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = tsv([row(ENGAGEMENT)] * 15_000)
    monkeypatch.setattr(tsv_module, "_BLOCK_BYTES", 1 << 16)
    monkeypatch.setattr(inflation, "_EXPANSION_FREE_BYTES", 1 << 20)
    monkeypatch.setattr(inflation, "_LARGEST_EXPANSION", 10)
    refused(content, "10 times its size")
    monkeypatch.setattr(inflation, "_LARGEST_EXPANSION", 10_000)
    assert len(rows_of(content)) == 15_000
    monkeypatch.setattr(inflation, "LARGEST_UNPACKED_BYTES", 1 << 20)
    refused(content, "unpacks to more than")


def test_a_gzip_bomb_takes_no_more_memory_than_the_longest_row_may() -> None:
    zeros = gzip.compress(bytes(4 << 20))
    bomb = gzip.compress(tsv([row(ENGAGEMENT)])) + zeros * 256
    tracemalloc.start()
    with pytest.raises(InstanceQuarantined, match="a row is longer than"):
        list(SegmentReader(io.BytesIO(bomb), ENGAGEMENT.report, APP).rows())
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 64 << 20  # of a GiB


def test_a_row_without_an_end_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tsv_module, "_BLOCK_BYTES", 100)
    monkeypatch.setattr(tsv_module, "_LONGEST_ROW_BYTES", 1000)
    refused(b"x" * 2000, "longer than")
    refused(tsv([row(ENGAGEMENT)]) + b"x" * 2000, "longer than")


def test_rows_that_only_a_carriage_return_parts_are_noticed() -> None:
    header, line = tsv([row(ENGAGEMENT)]).splitlines()
    refused(b"\n".join([header, line, line + b"\r" + line, b""]), "of the 2 lines from row 1 on, 3 could be read")


_CELLS = st.text(st.characters(exclude_characters="\t\r\n", exclude_categories=["Cs"]), max_size=20)


@given(st.lists(st.tuples(_CELLS, _CELLS, st.integers(-(2**63), 2**63 - 1) | st.none()), max_size=20))
def test_any_text_and_number_comes_back_as_it_was(cells: list[tuple[str, str, int | None]]) -> None:
    rows = [
        row(ENGAGEMENT, event=event, territory=territory, counts="" if counts is None else str(counts))
        for event, territory, counts in cells
    ]
    got = rows_of(tsv(rows, list(row(ENGAGEMENT))))
    assert [(each["event"], each["territory"], each["counts"]) for each in got] == [
        (None if not event.strip() else event, None if not territory.strip() else territory, counts)
        for event, territory, counts in cells
    ]


@given(st.lists(st.decimals(-(10**11), 10**11, places=9), min_size=1, max_size=10))
def test_any_amount_of_money_is_rounded_half_to_even(amounts: list[Decimal]) -> None:
    got = rows_of(tsv([row(PURCHASES, sales_in_usd=f"{amount:f}") for amount in amounts]), PURCHASES)
    assert [each["sales_in_usd"] for each in got] == [round(amount, 6) for amount in amounts]


def test_strings_travel_as_dictionaries() -> None:
    rows = next(reader(tsv([row(ENGAGEMENT)])).rows())
    assert rows.schema.field("event").type == pa.dictionary(pa.int32(), pa.string())

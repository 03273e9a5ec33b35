"""Every odd spelling of a cell has one reading, or quarantines its file with column and row."""

import gzip
import io
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appstore_analytics.contract.catalogue.definition import ColumnType
from appstore_analytics.contract.errors import InstanceQuarantined
from appstore_analytics.contract.tables import CuratedTable, tables_by_name
from appstore_analytics.lake import tsv as tsv_module
from appstore_analytics.lake.tsv import SegmentReader
from tests.lake_samples import APP, CRASHES_EXPANDED, ENGAGEMENT, PURCHASES, comma_separated, row, tsv

SESSIONS = tables_by_name()["sessions"]
CARPLAY = tables_by_name()["carplay_app_usage_vintages"]
SHORTCUTS = tables_by_name()["shortcuts_actions_usage_vintages"]
COUNT = (ENGAGEMENT, "counts")
APP_ID = (ENGAGEMENT, "app_apple_identifier")
MONEY = (PURCHASES, "sales_in_usd")
FLOAT = (CARPLAY, next(each.name for each in CARPLAY.report.columns if each.type is ColumnType.FLOAT64))
DATE = (SESSIONS, "app_download_date")
TRUTH = (SHORTCUTS, next(each.name for each in SHORTCUTS.report.columns if each.type is ColumnType.BOOLEAN))
TEXT = (ENGAGEMENT, "event")
BLANKS = ["", " ", "   ", "\u00a0", "\u3000", " \u2003 ", "\x1f", "\x0b", "\x85"]


def value(place: tuple[CuratedTable, str], cell: str) -> Any:
    """The value of a cell between usual ones."""
    table, name = place
    usual = row(table)
    content = tsv([usual, usual | row(table, **{name: cell}), usual])
    segment = SegmentReader(io.BytesIO(gzip.compress(content)), table.report, APP)
    return [each[name] for rows in segment.rows() for each in rows.to_pylist()][1]


def refused(place: tuple[CuratedTable, str], cell: str) -> None:
    table, name = place
    header = next(each.header for each in table.report.columns if each.name == name)
    with pytest.raises(InstanceQuarantined, match=f"column '{header}', row 2: '.*' is not a "):
        value(place, cell)


@pytest.mark.parametrize(
    ("cell", "number"),
    [("5.0", 5), ("5.", 5), ("-7.000", -7), (".0", 0), ("-0", 0), ("+5", 5), ("007", 7), (" 5 ", 5), ("\u00a05", 5),
     ("5\u2009", 5), ("+0.0", 0),
     ("9223372036854775807", 2**63 - 1), ("9223372036854775807.0", 2**63 - 1), ("-9223372036854775808", -(2**63)),
     ("0" * 400 + "8", 8)],
)  # fmt: skip
def test_a_count_has_one_reading(cell: str, number: int) -> None:
    assert value(COUNT, cell) == number


@pytest.mark.parametrize(
    "cell",
    ["5.5", "0x10", "0X1F", "-0x1", "1_000", "1,000", "1 000", "5e0", "1E3", "５", "٣", "--5", "+-5", "-", ".", "5-",
     "NaN", "inf", "true", "2026-11-20", "9223372036854775808", "-9223372036854775809", "5.0000000000000000000001",
     "\ufeff5", "\u22125", "0b101", "0o7", "1.0.0", "5\u200b", "5 .0", "—", "'5", '"5"', "5.0f",
     "9223372036854775807.5",
     "5'000", "(5)", "5%", "$5", "½", "Ⅴ", "NULL", "N/A", "1e-999999999", "\u200b5", "5\x00", "9" * 5000],
)  # fmt: skip
def test_a_count_in_another_spelling_is_refused(cell: str) -> None:
    refused(COUNT, cell)


@pytest.mark.parametrize("cell", ["0x3b9aca01", "1_000_000_001", "1e9", "１０００００００１", "1000000001.5"])
def test_an_app_id_in_another_spelling_is_refused(cell: str) -> None:
    refused(APP_ID, cell)


def test_an_app_id_may_be_an_integral_decimal() -> None:
    assert value(APP_ID, "1000000001.0") == APP


@pytest.mark.parametrize(
    ("cell", "amount"),
    [("1e-999999999", "0"), ("123456789012e-15101", "0"), ("-1e-7", "0"), ("12e-1", "1.2"), ("1.5E+2", "150"),
     ("123456789012e-6", "123456.789012"), ("0e999999", "0"), ("+1.50", "1.5"), (" 1.5 ", "1.5"), (".5", "0.5"),
     ("1.e1", "10"), ("1e0005", "100000"), ("15e-7", "0.000002"), ("0.0000005", "0"), ("0.0000015", "0.000002"),
     ("999999999999.9999994", "999999999999.999999"),
     ("5.", "5"), ("0" * 50 + "1.5", "1.5"), ("1." + "0" * 60, "1"), ("1234567890123456e-5", "12345678901.23456"),
     ("0." + "0" * 60 + "1", "0"), ("9999999999999999999999e-10", "999999999999.999999" + "9999")],
)  # fmt: skip
def test_money_is_exact_whatever_its_exponent(cell: str, amount: str) -> None:
    if Decimal(amount) > Decimal("999999999999.9999995"):
        refused(MONEY, cell)
    else:
        assert value(MONEY, cell) == Decimal(amount)


@settings(max_examples=300, deadline=None)
@given(st.integers(-(10**16), 10**16), st.integers(-20_000, 20), st.booleans())
def test_any_exponent_of_money_is_exact_or_refused(digits: int, exponent: int, upper: bool) -> None:
    cell = f"{digits}{'E' if upper else 'e'}{exponent}"
    scaled = Decimal(digits).scaleb(max(exponent, -400))
    amount = round(scaled, 6) if abs(scaled) < 10**13 else scaled
    if abs(amount) >= 10**12:
        refused(MONEY, cell)
    else:
        assert value(MONEY, cell) == amount


@pytest.mark.parametrize(
    "cell",
    ["1e99999999999", "1e999999999999999999999", "1e-99999999999999999999", "1e", "e5", "1e5.0", "1e1_0", "0x1p3",
     "0x10", "NaN", "sNaN", "Infinity", "-inf", "1_000", "1,5", "1.2.3", "1-2", "１.５", "１e１", "1e１", "1.5USD",
     ".e1", "1e+-2", "USD 1", "£1", "1 234.50", "1,234.50", "1e12", "999999999999.9999996",
     "€5", "true", "1 5", "--1", "1.5-", "(1.50)"],
)  # fmt: skip
def test_money_in_another_spelling_is_refused(cell: str) -> None:
    refused(MONEY, cell)


@pytest.mark.parametrize(
    ("cell", "number"), [("0.1", 0.1), ("1e3", 1000.0), ("+.5", 0.5), (" 2. ", 2.0), ("1e-400", 0)]
)
def test_a_number_has_one_reading(cell: str, number: float) -> None:
    assert value(FLOAT, cell) == number


@pytest.mark.parametrize(
    "cell", ["NaN", "nan", "-nan", "nan(1)", "inf", "-Infinity", "1e400", "9" * 400, "0x1p3", "1_0", "1,5", "１", "1d5"]
)
def test_a_number_that_is_none_is_refused(cell: str) -> None:
    refused(FLOAT, cell)


@pytest.mark.parametrize("cell", ["2025-05-20", " 2025-05-20 ", "05/20/2025", "5/20/2025"])
def test_a_date_has_one_reading(cell: str) -> None:
    assert value(DATE, cell) == date(2025, 5, 20)


@pytest.mark.parametrize(
    "cell",
    ["20250520", "2025-W21-2", "2025-140", "2025-5-20", "25-05-20", "2025-05-20T00:00:00", "2025-05-20 00:00",
     "２０２５-０５-２０", "１１/２０/２０２５", "٢٠٢٥-٠٥-٢٠", "2025/05/20", "20.05.2025", "May 20, 2025", "2025-02-29",
     "13/13/2025", "00/20/2025", "0000-01-01", "10000-01-01", "+2025-05-20", "-2025-05-20", "2025−05−20", "45797",
     "2025-05-20Z", "2025‑05‑20", "20 May 2025", "20/11/2025", "1747699200", "null", "2025-05", "05/20/25"],
)  # fmt: skip
def test_a_date_in_another_spelling_is_refused(cell: str) -> None:
    refused(DATE, cell)


@pytest.mark.parametrize(("cell", "truth"), [("TRUE", True), (" no ", False), ("Yes", True), ("0", False)])
def test_a_truth_value_has_one_reading(cell: str, truth: bool) -> None:
    assert value(TRUTH, cell) is truth


@pytest.mark.parametrize(
    "cell", ["2", "1.0", "+1", "-0", "true.", "нет", "t", "Y", "on", "ｔｒｕｅ", "１", "truе", "null", "-1"]
)
def test_a_truth_value_in_another_spelling_is_refused(cell: str) -> None:
    refused(TRUTH, cell)


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize("place", [COUNT, MONEY, FLOAT, DATE, TRUTH, TEXT], ids=lambda place: str(place[1]))
def test_a_blank_cell_is_null_in_every_type(place: tuple[CuratedTable, str], blank: str) -> None:
    assert value(place, blank) is None


@pytest.mark.parametrize("blank", BLANKS)
def test_a_blank_cell_of_an_unknown_column_has_no_key(blank: str) -> None:
    content = tsv([row(ENGAGEMENT) | {"New": blank}, row(ENGAGEMENT) | {"New": " x "}])
    segment = SegmentReader(io.BytesIO(gzip.compress(content)), ENGAGEMENT.report, APP)
    assert [each["extra"] for rows in segment.rows() for each in rows.to_pylist()] == [None, [("New", " x ")]]


def test_a_blank_app_id_or_date_is_refused() -> None:
    for place in (APP_ID, (ENGAGEMENT, "date")):
        with pytest.raises(InstanceQuarantined, match="row 2"):
            value(place, " ")


def test_text_keeps_the_space_around_it_and_words_that_look_empty() -> None:
    for text in (" x", '"a"', "a\\tb", "N/A", "0x10", "NULL", "nan", "\u200b", "-"):
        assert value(TEXT, text) == text


def test_numbers_between_commas_may_be_quoted() -> None:
    content = comma_separated([row(CRASHES_EXPANDED, count="1")]).replace(b"\n1,", b'\n"5.0",')
    segment = SegmentReader(io.BytesIO(gzip.compress(content)), CRASHES_EXPANDED.report, APP)
    assert b'"5.0"' in content
    assert [each["count"] for rows in segment.rows() for each in rows.to_pylist()] == [5]


def test_one_odd_cell_leaves_the_others_of_its_column_as_they_are() -> None:
    cells = ["1.25", "3e-1", "2.5", "", " ", "1.1234565", "-7"]
    content = tsv([row(PURCHASES, sales_in_usd=cell) for cell in cells * 2])
    segment = SegmentReader(io.BytesIO(gzip.compress(content)), PURCHASES.report, APP)
    got = [each["sales_in_usd"] for rows in segment.rows() for each in rows.to_pylist()]
    assert got == [Decimal(each) if each else None for each in ("1.25", "0.3", "2.5", "", "", "1.123456", "-7")] * 2
    assert segment.digits_rounded == 2


def test_a_comma_file_whose_rows_end_in_carriage_returns_is_refused() -> None:
    content = comma_separated([row(CRASHES_EXPANDED)] * 2).replace(b"\r\n", b"\r")
    with pytest.raises(InstanceQuarantined, match="carriage return"):
        SegmentReader(io.BytesIO(gzip.compress(content)), CRASHES_EXPANDED.report, APP)


@pytest.mark.parametrize("block_bytes", [1, 4 << 20])
def test_a_byte_order_mark_is_text_in_the_first_cell_of_a_block_too(
    monkeypatch: pytest.MonkeyPatch, block_bytes: int
) -> None:
    monkeypatch.setattr(tsv_module, "_BLOCK_BYTES", block_bytes)
    headers = ["Event", *(header for header in row(ENGAGEMENT) if header != "Event")]
    cells = ["\ufeff", "\ufeffx", "\ufeff\ufeff", "x"]
    content = tsv([row(ENGAGEMENT, event=cell) for cell in cells], headers)
    segment = SegmentReader(io.BytesIO(gzip.compress(content)), ENGAGEMENT.report, APP)
    assert [each["event"] for rows in segment.rows() for each in rows.to_pylist()] == cells

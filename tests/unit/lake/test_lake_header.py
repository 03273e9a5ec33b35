"""The column of a report for each field of a header line."""

import csv
import unicodedata

import pytest

from appstore_analytics.contract.catalogue import REPORTS, REPORTS_BY_NAME
from appstore_analytics.contract.catalogue.definition import ReportDefinition, header_key
from appstore_analytics.contract.errors import InstanceQuarantined
from appstore_analytics.contract.schema_modes import SchemaMode
from appstore_analytics.lake.header import Header, read_header
from tests.lake_samples import CRASHES_EXPANDED

DOWNLOADS = REPORTS_BY_NAME["App Downloads Standard"]
PREORDERS = REPORTS_BY_NAME["App Store Pre-Orders Standard"]
EVENTS = REPORTS_BY_NAME["App Store Subscription Event Report Standard"]
EVENTS_DETAILED = REPORTS_BY_NAME["App Store Subscription Event Report Detailed"]


def headers_of(report: ReportDefinition) -> list[str]:
    return [column.header for column in report.columns]


def read(headers: list[str], report: ReportDefinition = DOWNLOADS, delimiter: str = "\t") -> Header:
    return read_header(delimiter.join(headers).encode(), report, SchemaMode.EVOLVE)


def refused(line: bytes, sentence: str, report: ReportDefinition = DOWNLOADS) -> None:
    with pytest.raises(InstanceQuarantined, match=sentence):
        read_header(line, report, SchemaMode.EVOLVE)


@pytest.mark.parametrize(
    "pair",
    [("販売", "地域"), ("Größe", "Grüße"), ("für", "fur"), ("Größe", "Grosse"), ("की", "का"), ("%", "#"), ("№", "€"),
     ("Zone", "zone"), ("Ω", "Ω!"), ("١", "٢"), ("ａ", "a1"), ("ı", "i"), ("שׁ", "שׂ")],
)  # fmt: skip
def test_two_unknown_columns_are_both_kept_as_long_as_their_text_differs(pair: tuple[str, str]) -> None:
    header = read([*headers_of(DOWNLOADS), *pair])
    assert [column.header for column in header.unknown] == [unicodedata.normalize("NFC", each) for each in pair]
    assert header.found == DOWNLOADS.columns


def test_an_unknown_header_has_one_form_however_its_accents_are_composed() -> None:
    forms = [read([*headers_of(DOWNLOADS), unicodedata.normalize(form, "Größe")]) for form in ("NFC", "NFD")]
    assert [header.unknown[0].header for header in forms] == [unicodedata.normalize("NFC", "Größe")] * 2
    both = "\t".join([*headers_of(DOWNLOADS), *(unicodedata.normalize(form, "Größe") for form in ("NFC", "NFD"))])
    refused(both.encode(), "names column 'Größe' twice")


@pytest.mark.parametrize(
    ("one", "other"), [("STRASSE", "straße"), ("Größe", "GRÖßE"), ("Page-Type", "page_type"), ("İ", "i̇")]
)
def test_case_spaces_and_punctuation_make_no_difference(one: str, other: str) -> None:
    assert header_key(one) == header_key(other) == header_key(unicodedata.normalize("NFD", other))


@pytest.mark.parametrize("odd", ["Counts %", "Counts €", "Ｃｏｕｎｔｓ", "Çounts", "Сounts", "Counts²", "Counts1"])
def test_a_header_with_another_letter_or_symbol_is_another_header(odd: str) -> None:
    assert header_key(odd) != header_key("Counts")


def test_a_column_of_the_report_is_not_taken_twice() -> None:
    refused("\t".join([*headers_of(DOWNLOADS), "page-type"]).encode(), "names column 'Page Type' twice")


@pytest.mark.parametrize("delimiter", ["\t", ","])
@pytest.mark.parametrize(
    "first_line",
    [
        ["2025-06-01", "x", "1000000001", "x", "x", "x", "x", "x", "x", "x", "x", "1"],
        ["日付", "アプリ名", "App ID", "販売", "地域", "機種", "件数", "版", "ソース", "ページ", "予約", "国"],
        ["Date", "Nom de l’app", "Identifiant Apple", "Type", "Version", "Appareil", "Source", "Pays", "Nombre"],
        ["<html>", "<head>"],
        headers_of(REPORTS_BY_NAME["App Disk Space Usage"]),
    ],
)
def test_a_first_line_that_is_not_this_reports_header_says_so(first_line: list[str], delimiter: str) -> None:
    refused(delimiter.join(first_line).encode(), "is not the header of this report: it names . of 12 columns")


def test_one_required_column_that_is_renamed_is_named() -> None:
    renamed = [*headers_of(DOWNLOADS)[:-1], "Number"]
    refused("\t".join(renamed).encode(), "has no column 'Counts'")


@pytest.mark.parametrize("delimiter", ["\t", ","])
def test_a_carriage_return_inside_of_the_header_is_refused(delimiter: str) -> None:
    line = delimiter.join(headers_of(DOWNLOADS))
    for broken in (f"{line}\r{line}", line.replace("Counts", "Cou\rnts"), line.replace("App", "\rApp", 1), f"\r{line}"):
        refused(broken.encode(), "carriage return")
    assert read_header(f"{line}\r".encode(), DOWNLOADS, SchemaMode.EVOLVE).found == DOWNLOADS.columns


@pytest.mark.parametrize("delimiter", ["\t", ","])
def test_a_header_longer_than_the_csv_reader_takes_is_refused(delimiter: str) -> None:
    long = "x" * (csv.field_size_limit() + 1)
    refused(delimiter.join([*headers_of(DOWNLOADS), long]).encode(), "App Downloads Standard: the header")


def test_quotes_between_commas_are_taken_off_the_header() -> None:
    report = CRASHES_EXPANDED.report
    assert read([f'"{header}"' for header in headers_of(report)], report, ",").found == report.columns


@pytest.mark.parametrize(
    ("report", "spelled"),
    [
        (PREORDERS, {"Pre-Orders Canceled": "Pre-Order Canceled", "Platform Version": "Platform Verison"}),
        (PREORDERS, {"Pre-Orders Placed": "Pre-Order Placed"}),
        (EVENTS, {"Event Name": "Event Sub Type", "Event Group": "Event Grouping"}),
        (EVENTS_DETAILED, {"Event Sub Type": "Event Name", "Event Grouping": "Event Group"}),
    ],
)
def test_an_alias_is_read_as_its_column(report: ReportDefinition, spelled: dict[str, str]) -> None:
    header = read([spelled.get(each, each) for each in headers_of(report)], report)
    assert (header.found, header.missing, header.unknown) == (report.columns, (), ())


def test_of_a_header_and_its_alias_the_alias_is_an_unknown_column() -> None:
    header = read(["Event Sub Type", *headers_of(EVENTS)], EVENTS)
    assert [column.header for column in header.unknown] == ["Event Sub Type"]
    assert header.found == EVENTS.columns


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.table)
def test_no_alias_is_another_columns_header_and_each_has_a_source(report: ReportDefinition) -> None:
    aliases = [alias for column in report.columns for alias in column.aliases]
    keys = [header_key(header) for header in (*headers_of(report), *(alias.header for alias in aliases))]
    assert len(set(keys)) == len(keys)
    assert all(alias.source for alias in aliases)

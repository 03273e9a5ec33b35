import re
from collections import Counter

import pytest

from appstore_analytics.contract.catalogue import CORE_REPORT_NAMES, REPORTS, REPORTS_BY_NAME
from appstore_analytics.contract.catalogue.definition import (
    Category,
    Column,
    ColumnType,
    Granularity,
    ReportDefinition,
    Role,
    header_key,
    snake_case,
)

EVERY_REPORT = pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.table)
GLUE_NAME = re.compile(r"[a-z0-9_]{1,255}")


def test_the_catalogue_holds_apples_149_reports_of_five_categories() -> None:
    assert len(REPORTS) == len(REPORTS_BY_NAME) == 149
    assert {report.category for report in REPORTS} == set(Category)


def test_names_and_table_stems_are_unique() -> None:
    for names in ([report.name for report in REPORTS], [report.table for report in REPORTS]):
        assert [name for name, count in Counter(names).items() if count > 1] == []


def test_the_26_core_reports_are_in_the_catalogue() -> None:
    assert len(set(CORE_REPORT_NAMES)) == len(CORE_REPORT_NAMES) == 26
    assert set(CORE_REPORT_NAMES) <= set(REPORTS_BY_NAME)


@EVERY_REPORT
def test_every_name_is_legal_in_glue(report: ReportDefinition) -> None:
    for name in (report.table, *(column.name for column in report.columns)):
        assert GLUE_NAME.fullmatch(name), name


@EVERY_REPORT
def test_no_two_columns_of_a_report_can_be_taken_for_each_other(report: ReportDefinition) -> None:
    for keys in ([header_key(column.header) for column in report.columns], [column.name for column in report.columns]):
        assert "" not in keys
        assert [key for key, count in Counter(keys).items() if count > 1] == []


@EVERY_REPORT
def test_the_date_of_every_report_is_a_required_date(report: ReportDefinition) -> None:
    (column,) = (column for column in report.columns if column.name == report.date_column)
    assert (column.type, column.required) == (ColumnType.DATE, True)


@EVERY_REPORT
def test_additive_measures_are_numbers_whose_sum_is_exact(report: ReportDefinition) -> None:
    assert {column.type for column in report.additive_measures} <= {ColumnType.INT64, ColumnType.MONEY}
    assert set(report.additive_measures) == {column for column in report.columns if column.role is Role.ADDITIVE}


@EVERY_REPORT
def test_every_report_has_each_of_its_granularities_once(report: ReportDefinition) -> None:
    assert report.granularities
    assert len(set(report.granularities)) == len(report.granularities)
    assert set(report.granularities) <= set(Granularity)


@EVERY_REPORT
def test_an_app_id_that_a_file_repeats_is_a_whole_number(report: ReportDefinition) -> None:
    assert report.app_id_column is None or report.app_id_column.type is ColumnType.INT64


def test_some_reports_repeat_the_app_id_and_some_have_sums() -> None:
    assert any(report.app_id_column for report in REPORTS)
    assert any(report.additive_measures for report in REPORTS)


@pytest.mark.parametrize("spelling", ["visibleTime", "Visible Time", "visible_time", " VISIBLE-TIME "])
def test_spellings_of_one_header_are_equal(spelling: str) -> None:
    assert header_key(spelling) == "visibletime"


def test_a_column_is_named_after_its_header_unless_it_has_a_name() -> None:
    assert Column("Total Session Duration").name == snake_case("Total Session Duration") == "total_session_duration"
    assert snake_case(" Proceeds (USD) ") == "proceeds_usd"
    assert Column("Date", name="day").name == "day"


def test_every_report_says_where_apple_documents_it() -> None:
    assert [report.name for report in REPORTS if not report.documentation.strip()] == []

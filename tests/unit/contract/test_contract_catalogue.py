import re
from collections import Counter

import pytest

from appstore_analytics.contract.catalogue import CORE_REPORT_NAMES, REPORTS, REPORTS_BY_NAME
from appstore_analytics.contract.catalogue.definition import (
    Category,
    Column,
    ColumnType,
    Granularity,
    Role,
    header_key,
    snake_case,
)

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


def test_every_name_is_legal_in_glue() -> None:
    names = {report.table for report in REPORTS} | {column.name for report in REPORTS for column in report.columns}
    assert [name for name in names if not GLUE_NAME.fullmatch(name)] == []


def test_no_two_columns_of_a_report_can_be_taken_for_each_other() -> None:
    for report in REPORTS:
        headers = [header_key(column.header) for column in report.columns]
        for keys in (headers, [column.name for column in report.columns]):
            assert "" not in keys, report.name
            assert [key for key, count in Counter(keys).items() if count > 1] == [], report.name


def test_the_date_of_every_report_is_a_required_date() -> None:
    for report in REPORTS:
        found = [column for column in report.columns if column.name == report.date_column]
        assert [(column.type, column.required) for column in found] == [(ColumnType.DATE, True)], report.name


def test_additive_measures_are_numbers_whose_sum_is_exact() -> None:
    for report in REPORTS:
        measures = report.additive_measures
        assert {column.type for column in measures} <= {ColumnType.INT64, ColumnType.MONEY}, report.name
        assert set(measures) == {column for column in report.columns if column.role is Role.ADDITIVE}, report.name


def test_every_report_has_each_of_its_granularities_once() -> None:
    for report in REPORTS:
        assert report.granularities, report.name
        assert len(set(report.granularities)) == len(report.granularities), report.name
        assert set(report.granularities) <= set(Granularity), report.name


def test_an_app_id_that_a_file_repeats_is_a_whole_number() -> None:
    columns = [(report.name, report.app_id_column) for report in REPORTS]
    assert [name for name, column in columns if column and column.type is not ColumnType.INT64] == []


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


def test_types_follow_what_the_descriptions_hold_where_apples_types_contradict_them() -> None:
    photo = {column.header: column.type for column in REPORTS_BY_NAME["Photo Capture Usage"].columns}
    assert {photo[each] for each in ("Photo Format", "Semantic Scene Type", "Output File Type")} == {ColumnType.STRING}
    crabs = {column.header: column.type for column in REPORTS_BY_NAME["CRABS-Based Video Playback Usage"].columns}
    assert len(crabs) == 11
    assert crabs["Indicated Bit Rate"] is crabs["Play Time Wall Clock"] is ColumnType.INT64
    assert crabs["Interface Type"] is ColumnType.STRING

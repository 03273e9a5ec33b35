import re
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.contract.catalogue import REPORTS, REPORTS_BY_NAME
from appstore_analytics.contract.catalogue.definition import ColumnType, Granularity, Role, header_key
from local.apple.data import rows_of_date, sums
from local.apple.files import NEW_HEADER
from local.apple.model import Series
from local.apple.values import invented_app

DAY = date(2026, 5, 30)
FORMS = {
    ColumnType.STRING: r"[^\t\n\r]*",
    ColumnType.DATE: r"(\d{4}-\d\d-\d\d)?",
    ColumnType.INT64: r"\d+",
    ColumnType.FLOAT64: r"\d+\.\d+",
    ColumnType.BOOLEAN: r"(true|false)?",
    ColumnType.MONEY: r"\d+\.\d{2,6}",
}


def rows(report: str, *, seed: int = 7, app: int = 0, maturity: float = 1.0, revision: int = 0, count: int = 40):
    application = invented_app(app)
    return rows_of_date(
        seed, application, Series(application.id, report, Granularity.DAILY), DAY, count, maturity, revision
    )


def test_every_report_has_cells_of_its_types_and_fills_what_is_required():
    for report in REPORTS:
        for row in rows(report.name):
            for column, cell in zip(report.columns, row, strict=True):
                assert re.fullmatch(FORMS[column.type], cell), (report.name, column, cell)
                assert cell or not column.required, (report.name, column)
                assert column.name != report.date_column or cell == DAY.isoformat(), report.name


def test_the_plausible_values_are_the_treacherous_ones():
    cells = {cell for row in rows("App Downloads Detailed", count=400) for cell in row}
    assert {"NA", "", "iOS 26.5", 'Customer review modal open ("more")', "Harbor Notes", "1000000001"} <= cells
    money = [row[-2] for row in rows("App Store Purchases Standard", count=400)]
    assert {len(each.partition(".")[2]) for each in money} == {2, 6}


@pytest.mark.parametrize(
    ("report", "events"),
    [
        ("App Store Discovery and Engagement Standard", {"Impression", "Page view", "Tap"}),
        ("App Store Discovery and Engagement Detailed", {"Impression", "Page view", "Tap"}),
        ("App Store Installation and Deletion Standard", {"Install", "Delete"}),
        ("App Store Installation and Deletion Detailed", {"Install", "Delete"}),
    ],
)
def test_a_report_has_the_events_that_it_is_about(report, events):
    at = [column.name for column in REPORTS_BY_NAME[report].columns].index("event")
    assert {row[at] for row in rows(report, count=200)} == events


def test_a_header_that_is_added_is_one_that_no_report_has():
    headers = {header_key(column.header) for report in REPORTS for column in report.columns}
    assert header_key(NEW_HEADER) not in headers


def test_seed_app_and_report_decide():
    name = "App Sessions Standard"
    assert rows(name) == rows(name)
    assert rows(name) != rows(name, seed=8)
    assert [row[3:] for row in rows(name)] != [row[3:] for row in rows(name, app=1)]


@given(
    st.sampled_from([report for report in REPORTS if report.additive_measures]),
    st.integers(0, 50),
    st.sampled_from([(0.25, 0.5), (0.5, 0.75), (0.75, 1.0)]),
)
def test_rows_and_counts_only_grow_until_the_date_is_complete(report, seed, maturities):
    younger, older = (rows(report.name, seed=seed, maturity=each) for each in maturities)
    assert len(younger) <= len(older)
    for name in (column.name for column in report.additive_measures):
        assert Decimal(sums(report, younger)[name]) <= Decimal(sums(report, older)[name])


@given(st.integers(0, 200), st.integers(0, 3))
def test_a_revision_loses_rows_and_changes_a_count(seed, revision):
    name = "App Store Installation and Deletion Standard"
    before, after = rows(name, seed=seed, revision=revision), rows(name, seed=seed, revision=revision + 1)
    assert len(after) < len(before) or len(before) == 1
    at = [column.name for column in REPORTS_BY_NAME[name].columns].index("counts")
    assert after[0][:at] == before[0][:at]
    assert int(after[0][at]) > int(before[0][at])


def test_sums_are_those_of_the_additive_measures_only():
    report = REPORTS_BY_NAME["App Store Purchases Standard"]
    found = sums(report, rows(report.name))
    assert set(found) == {column.name for column in report.columns if column.role is Role.ADDITIVE}
    assert "paying_users" not in found


def test_a_hundred_and_fifty_apps_have_names_and_ids_of_their_own():
    apps = [invented_app(number) for number in range(150)]
    assert (
        len({app.id for app in apps}) == len({app.bundle_id for app in apps}) == len({app.name for app in apps}) == 150
    )

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.contract.catalogue import REPORTS, REPORTS_BY_NAME
from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.tables import (
    APP_ID,
    APPSTORE_TABLES,
    EXTRA,
    PARTITION_COLUMN,
    PROCESSING_DATE,
    VINTAGE_COLUMNS,
    AppstoreTable,
    CuratedTable,
    curated_tables,
    tables_by_name,
)

TODAY = date(2025, 6, 2)
GLUE_NAME = re.compile(r"[a-z0-9_]{1,255}")
EVERY_RECORD = pytest.mark.parametrize("table", APPSTORE_TABLES, ids=lambda table: table.name)
CRASHES, EXPANDED = REPORTS_BY_NAME["App Crashes"], REPORTS_BY_NAME["App Crashes Expanded"]


def test_every_report_has_one_table_per_granularity_and_no_two_share_a_name() -> None:
    expected = [(report.name, granularity) for report in REPORTS for granularity in report.granularities]
    tables = tables_by_name().values()
    assert sorted((table.report.name, table.granularity) for table in tables) == sorted(expected)
    assert len(curated_tables(REPORTS_BY_NAME, Granularity)) == len(tables)
    assert all(table.name == name for name, table in tables_by_name().items())


@pytest.mark.parametrize(
    ("report", "granularity", "name"),
    [
        ("App Crashes", Granularity.DAILY, "crashes"),
        ("App Crashes", Granularity.MONTHLY, "crashes_monthly"),
        ("App Sessions Detailed", Granularity.WEEKLY, "sessions_detailed_weekly"),
        ("App Crashes Expanded", Granularity.DAILY, "crashes_expanded_vintages"),
        (
            "App Store Subscription Event Report Detailed",
            Granularity.WEEKLY,
            "subscription_events_detailed_weekly_vintages",
        ),
    ],
)
def test_a_table_is_named_after_report_granularity_and_vintages(
    report: str, granularity: Granularity, name: str
) -> None:
    assert CuratedTable(REPORTS_BY_NAME[report], granularity).name == name


def test_a_table_holds_several_vintages_of_a_date_exactly_if_its_name_says_so() -> None:
    for name, table in tables_by_name().items():
        assert GLUE_NAME.fullmatch(name), name
        assert name.endswith("_vintages") is not table.report.newest_vintage_replaces, name
        assert (table.columns[2:4] == VINTAGE_COLUMNS) is name.endswith("_vintages"), name


def test_lineage_stands_before_apples_columns_extra_behind_them_and_no_name_twice() -> None:
    for name, table in tables_by_name().items():
        assert table.part_columns == (APP_ID, PROCESSING_DATE, *table.report.columns), name
        apples = [column for column in table.columns if column not in VINTAGE_COLUMNS]
        assert apples == [*table.part_columns, EXTRA], name
        names = [column.name for column in table.columns]
        assert names[:2] == ["app_id", "processing_date"], name
        assert len({*names, PARTITION_COLUMN}) == len(names) + 1, name


def test_a_report_has_no_table_in_a_granularity_that_apple_does_not_build() -> None:
    tables = curated_tables([EXPANDED.name, CRASHES.name], [Granularity.WEEKLY])
    assert [table.name for table in tables] == ["crashes_weekly"]
    assert curated_tables([CRASHES.name], []) == ()


@given(st.dates(date(2019, 1, 1), date(2026, 1, 1)), st.sampled_from(Granularity))
def test_a_table_covers_exactly_the_dates_of_its_projection(day: date, granularity: Granularity) -> None:
    table = CuratedTable(CRASHES, granularity)
    first, last = table.projection.first, TODAY + timedelta(days=1)
    on_the_grid = (
        day.day == 1 if table.projection.unit == "MONTHS" else not (day - first).days % table.projection.interval
    )
    assert table.covers(day, TODAY) is (first <= day <= last and on_the_grid)


@pytest.mark.parametrize(
    ("granularity", "covered", "hidden"),
    [
        (Granularity.DAILY, ["2020-01-01", "2025-06-03"], ["2019-12-31", "2025-06-04"]),
        (Granularity.WEEKLY, ["2019-12-30", "2025-06-02"], ["2025-06-03", "2025-06-01", "2019-12-23", "2025-06-09"]),
        (Granularity.MONTHLY, ["2020-01-01", "2025-06-01"], ["2025-06-02", "2019-12-01", "2025-07-01"]),
    ],
)
def test_a_date_off_the_projection_is_not_covered(
    granularity: Granularity, covered: list[str], hidden: list[str]
) -> None:
    table = CuratedTable(CRASHES, granularity)
    assert [day for day in covered + hidden if table.covers(date.fromisoformat(day), TODAY)] == covered


def test_a_projection_begins_at_its_first_date_and_ends_tomorrow() -> None:
    ranges = {each: CuratedTable(CRASHES, each).projection for each in Granularity}
    assert {each: (found.range, found.interval, found.unit) for each, found in ranges.items()} == {
        Granularity.DAILY: ("2020-01-01,NOW+1DAYS", 1, "DAYS"),
        Granularity.WEEKLY: ("2019-12-30,NOW+1DAYS", 7, "DAYS"),
        Granularity.MONTHLY: ("2020-01-01,NOW+1DAYS", 1, "MONTHS"),
    }


def test_the_pipelines_own_tables_have_names_of_their_own() -> None:
    names = [table.name for table in APPSTORE_TABLES]
    assert len(set(names)) == len(names) == 10


@EVERY_RECORD
def test_the_columns_of_a_record_are_legal_typed_and_begin_with_the_run(table: AppstoreTable) -> None:
    names = [name for name, _ in table.columns]
    assert names[0] == ("checked_at" if table.name == "freshness" else "run_id")
    assert len({*names, PARTITION_COLUMN}) == len(names) + 1
    assert all(GLUE_NAME.fullmatch(name) for name in (table.name, *names))
    known = {"string", "date", "bigint", "double", "boolean", "array<string>", "array<date>", "map<string,string>"}
    assert {kind for _, kind in table.columns} <= known

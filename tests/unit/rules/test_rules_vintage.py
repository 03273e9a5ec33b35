from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.tables import CuratedTable, tables_by_name
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.rules.vintage import complete_dates, is_final

FEW_DAYS = st.dates(date(2025, 6, 1), date(2025, 6, 3))
VINTAGES = st.builds(Vintage, FEW_DAYS, st.sampled_from(AccessType), st.sampled_from(["a", "b", "a/b", ""]))
DAYS = st.sets(st.dates(date(2024, 1, 1), date(2025, 12, 31)), max_size=12)


def table(name: str) -> CuratedTable:
    return tables_by_name()[name]


@given(VINTAGES, VINTAGES, VINTAGES)
def test_the_order_of_vintages_is_total(one: Vintage, other: Vintage, third: Vintage) -> None:
    assert [one < other, one == other, one > other].count(True) == 1
    if one < other < third:
        assert one < third


@given(st.lists(VINTAGES, min_size=1))
def test_any_sequence_of_writers_ends_with_the_same_winner(vintages: list[Vintage]) -> None:
    assert max(vintages) == max(reversed(vintages)) == sorted(set(vintages))[-1]


def test_the_processing_date_decides_before_the_access_type_and_that_before_the_id() -> None:
    day, next_day = date(2025, 6, 1), date(2025, 6, 2)
    assert (
        Vintage(day, AccessType.ONE_TIME_SNAPSHOT, "z")
        < Vintage(day, AccessType.ONGOING, "a")
        < Vintage(day, AccessType.ONGOING, "b")
        < Vintage(next_day, AccessType.ONE_TIME_SNAPSHOT, "a")
    )


@given(st.builds(Vintage, st.dates(), st.sampled_from(AccessType), st.text()))
def test_a_vintage_is_read_back_from_an_objects_metadata(vintage: Vintage) -> None:
    assert Vintage.parse(str(vintage)) == vintage


def test_a_vintage_is_written_as_day_access_type_and_id() -> None:
    assert str(Vintage(date(2025, 6, 1), AccessType.ONGOING, "abc")) == "2025-06-01/ONGOING/abc"


@pytest.mark.parametrize(
    ("name", "day", "complete_on"),
    [
        ("downloads", date(2025, 6, 2), date(2025, 6, 4)),  # two days after it
        ("crashes", date(2025, 6, 2), date(2025, 6, 7)),  # five days after it
        ("downloads_detailed_weekly", date(2025, 6, 2), date(2025, 6, 10)),  # two days after Sunday, the 8th
        ("downloads_detailed_monthly", date(2025, 5, 1), date(2025, 6, 2)),
        ("downloads_detailed_monthly", date(2025, 4, 1), date(2025, 5, 2)),
        ("downloads_detailed_monthly", date(2024, 2, 1), date(2024, 3, 2)),
        ("downloads_detailed_monthly", date(2024, 12, 1), date(2025, 1, 2)),
    ],
)
def test_a_snapshot_speaks_for_a_date_from_the_day_it_is_complete(name: str, day: date, complete_on: date) -> None:
    assert complete_dates({day}, table(name), complete_on) == {day}
    assert complete_dates({day}, table(name), complete_on - timedelta(days=1)) == set()


def test_telemetry_is_complete_when_no_late_devices_are_expected() -> None:
    late = next(each for each in tables_by_name().values() if each.report.late_arrival_days == 8)
    day = date(2025, 6, 2)
    assert complete_dates({day}, late, day + timedelta(days=8)) == {day}
    assert complete_dates({day}, late, day + timedelta(days=7)) == set()


def test_no_date_is_complete_on_its_own_day_whatever_apple_states() -> None:
    silent = [each for each in tables_by_name().values() if each.granularity == "DAILY"]
    hasty = [each for each in silent if not (each.report.completeness_days or each.report.late_arrival_days)]
    assert {each.report.completeness_days for each in hasty} == {0, None}
    for each in hasty:
        day = date(2025, 6, 2)
        assert complete_dates({day}, each, day) == set()
        assert complete_dates({day}, each, day + timedelta(days=1)) == {day}


def test_the_newest_date_stands_in_for_an_unknown_request_day() -> None:
    days = {date(2025, 6, number) for number in range(1, 11)}
    assert complete_dates(days, table("downloads"), None) == {date(2025, 6, number) for number in range(1, 9)}


@pytest.mark.parametrize("requested_on", [None, date(2025, 6, 2)])
def test_an_empty_snapshot_speaks_for_nothing(requested_on: date | None) -> None:
    assert complete_dates(set(), table("downloads"), requested_on) == set()


@given(DAYS, st.sampled_from(list(tables_by_name().values())), st.integers(0, 60))
def test_not_knowing_the_request_day_never_says_more(days: set[date], any_table: CuratedTable, later: int) -> None:
    requested_on = max(days, default=date(2025, 1, 1)) + timedelta(days=later)
    unknown, known = complete_dates(days, any_table, None), complete_dates(days, any_table, requested_on)
    assert unknown <= known <= days


@pytest.mark.parametrize(("age", "final"), [(1, False), (2, True), (400, True)])
def test_a_batch_is_final_when_its_date_was_complete_as_apple_built_it(age: int, final: bool) -> None:
    day = date(2025, 6, 2)
    assert is_final(day, table("downloads"), day + timedelta(days=age)) is final


def test_a_week_is_final_when_apple_first_publishes_it() -> None:
    monday, friday_after = date(2025, 6, 2), date(2025, 6, 13)
    assert is_final(monday, table("downloads_detailed_weekly"), friday_after)


def test_where_apple_states_no_completeness_nobody_says_final() -> None:
    silent = next(each for each in tables_by_name().values() if each.report.completeness_days is None)
    assert is_final(date(2020, 1, 1), silent, date(2025, 6, 2)) is None

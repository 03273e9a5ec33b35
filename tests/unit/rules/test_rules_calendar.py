from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.contract.catalogue import REPORTS_BY_NAME
from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.tables import CuratedTable, tables_by_name
from appstore_analytics.rules.calendar import (
    complete_on,
    expected_dates,
    first_begun,
    following,
    last_day,
    last_publication,
    newest_begun,
    periods,
    preceding,
    published_on,
    skipped_dates,
    speaking_days,
    speaks_for,
)

DAY = timedelta(days=1)
DOWNLOADS = tables_by_name()["downloads"]  # complete after 2 days
ENGAGEMENT = tables_by_name()["engagement"]  # complete after 3 days
WEEKLY = tables_by_name()["engagement_weekly"]
MONTHLY = tables_by_name()["engagement_monthly"]
NOVEMBER_20 = date(2026, 11, 20)  # a Friday
days = st.dates(date(2024, 1, 1), date(2027, 12, 31))
tables = st.sampled_from((ENGAGEMENT, WEEKLY, MONTHLY))


@given(days, st.sampled_from(Granularity))
def test_every_day_is_in_just_one_period(today: date, granularity: Granularity) -> None:
    begun = newest_begun(today, granularity)
    assert begun <= today <= last_day(begun, granularity)
    assert preceding(following(begun, granularity), granularity) == begun
    assert last_day(preceding(begun, granularity), granularity) == begun - DAY
    assert first_begun(begun, granularity) == begun
    assert today <= first_begun(today, granularity) in (begun, following(begun, granularity))


@given(days, st.sampled_from((DOWNLOADS, WEEKLY, MONTHLY)))
def test_the_last_publication_is_the_newest_day_on_which_a_date_was_published(as_of: date, table: CuratedTable) -> None:
    last = last_publication(table.granularity, as_of)
    day = newest_begun(as_of, table.granularity)
    while published_on(day, table) > last:
        day = preceding(day, table.granularity)
    assert published_on(day, table) == last
    assert complete_on(day, table) <= last <= as_of < published_on(following(day, table.granularity), table)


def test_a_date_is_expected_from_the_day_after_its_completion() -> None:
    assert published_on(NOVEMBER_20, ENGAGEMENT) == date(2026, 11, 23)
    assert list(expected_dates(ENGAGEMENT, NOVEMBER_20, date(2026, 11, 23))) == []
    assert list(expected_dates(ENGAGEMENT, NOVEMBER_20, date(2026, 11, 24))) == [NOVEMBER_20]
    assert list(expected_dates(ENGAGEMENT, NOVEMBER_20, date(2026, 11, 26))) == [
        NOVEMBER_20 + DAY * n for n in range(3)
    ]


def test_a_week_is_published_on_the_friday_after_it_and_a_month_on_the_5th() -> None:
    assert published_on(date(2026, 11, 9), WEEKLY) == NOVEMBER_20
    assert published_on(date(2026, 10, 1), MONTHLY) == date(2026, 11, 5)


def test_weeks_begin_on_mondays_and_months_on_the_1st() -> None:
    assert next(expected_dates(WEEKLY, date(2026, 10, 7), date(2026, 12, 31))) == date(2026, 10, 12)
    assert next(expected_dates(MONTHLY, date(2026, 10, 7), date(2026, 12, 31))) == date(2026, 11, 1)


def test_a_report_without_a_stated_completeness_is_given_a_day() -> None:
    unstated = (None, None)
    every = REPORTS_BY_NAME.values()
    report = next(one for one in every if (one.completeness_days, one.late_arrival_days) == unstated)
    table = CuratedTable(report, Granularity.DAILY)
    assert published_on(NOVEMBER_20, table) == NOVEMBER_20 + DAY


@given(table=tables, first=days, length=st.integers(0, 120))
def test_every_expected_date_lies_in_the_tables_projection_and_has_settled(
    table: CuratedTable, first: date, length: int
) -> None:
    as_of = first + DAY * length
    for day in expected_dates(table, first, as_of):
        assert day >= first
        assert table.covers(day, today=as_of)
        assert published_on(day, table) < as_of
        assert speaks_for(published_on(day, table), day, table)


@given(table=tables, first=days, missing=st.sets(st.integers(0, 30)))
def test_periods_lose_no_date_and_join_all_neighbours(table: CuratedTable, first: date, missing: set[int]) -> None:
    every = list(expected_dates(table, first, first + DAY * 1200))[:31]
    chosen = {every[place] for place in missing if place < len(every)}
    found = periods(chosen, table.granularity)
    assert [day for period in found for day in period] == sorted(chosen)
    for earlier, later in pairwise(found):
        assert every.index(later[0]) - every.index(earlier[-1]) > 1
    assert all(every.index(period[-1]) - every.index(period[0]) == len(period) - 1 for period in found)


@given(st.sets(st.integers(0, 40)), tables)
def test_skipped_are_the_dates_that_a_span_without_gaps_would_have_more(numbers: set[int], table: CuratedTable) -> None:
    span = [*expected_dates(table, date(2024, 1, 1), date(2027, 12, 31))][:41]
    found = [span[number] for number in numbers]
    skipped = skipped_dates(found, table.granularity)
    whole = span[min(numbers) : max(numbers) + 1] if numbers else []
    assert sorted((*skipped, *found)) == whole
    assert list(skipped) == sorted(skipped)


@pytest.mark.parametrize(("built", "speaks"), [(20, False), (21, True), (22, True), (23, False)])
def test_an_instance_speaks_for_a_day_while_it_settles(built: int, speaks: bool) -> None:
    assert speaks_for(date(2026, 11, built), date(2026, 11, 20), DOWNLOADS) is speaks


def test_the_instance_of_a_week_or_month_may_come_late_until_the_next_one() -> None:
    week, month = date(2026, 11, 9), date(2026, 10, 1)
    assert [day for day in range(1, 31) if speaks_for(date(2026, 11, day), week, WEEKLY)] == [*range(16, 27)]
    assert speaks_for(date(2026, 12, 4), month, MONTHLY)
    assert not speaks_for(date(2026, 12, 5), month, MONTHLY)


@given(days, tables)
def test_the_days_that_speak_for_a_date_are_all_of_them_newest_first(day: date, table: CuratedTable) -> None:
    day = first_begun(day, table.granularity)
    around = (day + DAY * number for number in range(-70, 70))
    assert list(speaking_days(day, table)) == sorted(
        (built for built in around if speaks_for(built, day, table)), reverse=True
    )

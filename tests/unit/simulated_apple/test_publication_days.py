from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.contract.catalogue import REPORTS, REPORTS_BY_NAME
from appstore_analytics.contract.catalogue.definition import Granularity
from local.apple.publication import (
    completeness_days,
    dates_of_instance,
    dates_of_snapshot,
    is_publication_day,
    maturity,
    previous_publication_day,
    publication_days,
    window_days,
)

DAYS = st.dates(date(2024, 1, 1), date(2027, 12, 31))


@given(DAYS)
def test_every_week_is_published_on_the_friday_after_it(day):
    monday = day - timedelta(days=day.weekday())
    friday = monday + timedelta(days=11)
    assert is_publication_day(Granularity.WEEKLY, friday)
    assert dates_of_instance(Granularity.WEEKLY, friday, 3) == (monday,)


@given(DAYS)
def test_every_month_is_published_on_the_fifth_of_the_next(day):
    first = day.replace(day=1)
    fifth = (first + timedelta(days=31)).replace(day=5)
    assert is_publication_day(Granularity.MONTHLY, fifth)
    assert dates_of_instance(Granularity.MONTHLY, fifth, 3) == (first,)


@given(DAYS, st.integers(1, 9))
def test_a_daily_instance_ends_the_day_before(day, window):
    dates = dates_of_instance(Granularity.DAILY, day, window)
    assert len(dates) == window
    assert dates[-1] == day - timedelta(days=1)
    assert list(dates) == sorted(dates)


@given(DAYS, st.sampled_from(Granularity))
def test_no_publication_day_lies_between_one_and_the_one_before(day, granularity):
    before = previous_publication_day(granularity, day)
    assert before < day
    assert list(publication_days(granularity, before, day - timedelta(days=1))) == [before]


@given(DAYS, st.integers(0, 90), st.sampled_from(Granularity))
def test_a_snapshot_holds_each_period_published_by_the_request_day_once(start, length, granularity):
    end = start + timedelta(days=length)
    dates = dates_of_snapshot(granularity, start, end)
    assert len(set(dates)) == len(dates)
    assert all(start <= day <= end for day in dates)
    if granularity is Granularity.DAILY:
        assert len(dates) == length + 1


@given(st.sampled_from(REPORTS), st.integers(0, 12), st.sampled_from([None, 1, 3, 5]))
def test_a_date_only_grows_and_is_complete_on_its_completeness_day(report, age, dates_per_instance):
    window = window_days(report, dates_per_instance)
    shares = [maturity(report, Granularity.DAILY, each, window) for each in (age, age + 1)]
    assert 0 < shares[0] <= shares[1] <= 1
    assert maturity(report, Granularity.DAILY, completeness_days(report), window) == 1
    assert maturity(report, Granularity.DAILY, window, window) == 1


def test_windows_follow_apples_completeness():
    assert window_days(REPORTS_BY_NAME["App Downloads Standard"], None) == 2
    assert window_days(REPORTS_BY_NAME["App Crashes"], None) == 5
    assert window_days(REPORTS_BY_NAME["App Crashes Expanded"], None) == 8
    assert window_days(REPORTS_BY_NAME["Platform App Installs"], None) == 1

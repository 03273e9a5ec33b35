from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.contract.catalogue import REPORTS_BY_NAME
from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.contract.tables import CuratedTable, tables_by_name
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.model.instances import InstanceStatus, LedgerInstance
from appstore_analytics.model.requests import KnownRequest
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.rules.freshness import Arrivals, Request, Siblings, judge, published_on, speaks_for
from appstore_analytics.rules.gaps import (
    KnownTable,
    Repair,
    days_left,
    expected_dates,
    periods,
    skipped_dates,
    snapshot_holds,
)

DAY = timedelta(days=1)
ENGAGEMENT = tables_by_name()["engagement"]  # complete after 3 days
WEEKLY = tables_by_name()["engagement_weekly"]
MONTHLY = tables_by_name()["engagement_monthly"]
NOVEMBER_20 = date(2026, 11, 20)  # a Friday
days = st.dates(date(2024, 1, 1), date(2027, 12, 31))
tables = st.sampled_from((ENGAGEMENT, WEEKLY, MONTHLY))


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


def test_apple_has_the_last_instance_for_35_days() -> None:
    assert days_left(NOVEMBER_20, ENGAGEMENT, date(2026, 11, 23)) == 35
    assert days_left(NOVEMBER_20, ENGAGEMENT, date(2026, 12, 28)) == 0
    assert days_left(NOVEMBER_20, ENGAGEMENT, date(2027, 12, 28)) == 0


def test_a_snapshot_holds_what_was_complete_on_its_day() -> None:
    assert snapshot_holds(NOVEMBER_20, ENGAGEMENT, date(2026, 11, 23))
    assert not snapshot_holds(NOVEMBER_20, ENGAGEMENT, date(2026, 11, 22))
    assert not snapshot_holds(NOVEMBER_20, ENGAGEMENT, None)


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


def test_a_report_without_a_stated_completeness_is_given_a_day() -> None:
    unstated = (None, None)
    every = REPORTS_BY_NAME.values()
    report = next(one for one in every if (one.completeness_days, one.late_arrival_days) == unstated)
    table = CuratedTable(report, Granularity.DAILY)
    assert published_on(NOVEMBER_20, table) == NOVEMBER_20 + DAY


@given(st.sets(st.integers(0, 40)), tables)
def test_skipped_are_the_dates_that_a_span_without_gaps_would_have_more(numbers: set[int], table: CuratedTable) -> None:
    span = [*expected_dates(table, date(2024, 1, 1), date(2027, 12, 31))][:41]
    found = [span[number] for number in numbers]
    skipped = skipped_dates(found, table.granularity)
    whole = span[min(numbers) : max(numbers) + 1] if numbers else []
    assert sorted((*skipped, *found)) == whole
    assert list(skipped) == sorted(skipped)


# Freshness and gaps judge by one rule


def history_of(
    statuses: Mapping[int, InstanceStatus], siblings: Collection[int], rows: Collection[int]
) -> tuple[KnownTable, Arrivals, Siblings, dict[date, date]]:
    """One table of one app after two weeks: a status by day of processing, and the Dates with rows, as both know them.

    An instance holds the three Dates before it.
    """
    start = date(2026, 11, 1)
    built = {start + DAY * number: status for number, status in statuses.items()}
    converted = frozenset(day for day, status in built.items() if status is InstanceStatus.CONVERTED)
    standing = {
        start + DAY * number: max(holders)
        for number in rows
        if (holders := [day for day in converted if 1 <= (day - start).days - number <= 3])
    }
    listed = max((*built, *(start + DAY * number for number in siblings)), default=date.min)
    ledger = tuple(
        LedgerInstance(
            "1", ENGAGEMENT.name, Granularity.DAILY, Vintage(day, AccessType.ONGOING, f"i{day}"), status, segments=()
        )
        for day, status in built.items()
    )
    ongoing = KnownRequest("1", AccessType.ONGOING, "r", requested_on=start - DAY)
    snapshot = KnownRequest("1", AccessType.ONE_TIME_SNAPSHOT)
    known = KnownTable(ENGAGEMENT, ongoing, snapshot, ledger, listed, standing.get)
    bad = [day for day, status in built.items() if status is InstanceStatus.QUARANTINED]
    others = [day for day in built if day not in converted]
    arrivals = Arrivals(
        frozenset(built), converted, quarantined=max(bad, default=None), not_converted=max(others, default=None)
    )
    return known, arrivals, Siblings(converted, listed), standing


histories = st.builds(
    history_of,
    st.dictionaries(st.integers(0, 14), st.sampled_from(InstanceStatus)),
    st.sets(st.integers(0, 14)),
    st.sets(st.integers(-2, 14)),
)


@given(histories, st.integers(0, 20))
def test_freshness_and_gaps_miss_the_same_dates_after_any_history(
    history: tuple[KnownTable, Arrivals, Siblings, dict[date, date]], day: int
) -> None:
    known, arrivals, siblings, standing = history
    at = datetime(2026, 11, 1, 12, tzinfo=UTC) + DAY * day
    judgement = judge(ENGAGEMENT, Request(1, Verdict.UNCHANGED), arrivals, siblings, standing, at, timedelta(hours=26))
    incomplete = {due for due in judgement.due if not known.is_complete(due)}
    assert set(judgement.missing) == incomplete
    for due in incomplete:
        missing = known.missing(due, at.date())
        assert missing.cause
        assert missing.repair in Repair


@given(histories, st.integers(-2, 14))
def test_a_date_is_complete_only_with_the_newest_instance_that_is_due(
    history: tuple[KnownTable, Arrivals, Siblings, dict[date, date]], number: int
) -> None:
    known, arrivals, siblings, standing = history
    day = date(2026, 11, 1) + DAY * number
    speaking = [built for built in arrivals.known if speaks_for(built, day, ENGAGEMENT)]
    if known.is_complete(day):
        newest = max(speaking, default=None)
        stands = standing.get(day, date.min)
        assert newest in arrivals.converted or stands >= (newest or date.min)
        assert max(siblings.listed_until, stands) >= published_on(day, ENGAGEMENT)
    elif speaking and max(speaking) == published_on(day, ENGAGEMENT):
        assert max(speaking) not in arrivals.converted

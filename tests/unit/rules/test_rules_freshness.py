from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.tables import CuratedTable, tables_by_name
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.rules.calendar import following, published_on, speaks_for
from appstore_analytics.rules.freshness import (
    Arrivals,
    Freshness,
    Judgement,
    Request,
    Siblings,
    due_dates,
    judge,
    look_back_days,
)

DAY = timedelta(days=1)
TOLERANCE = timedelta(hours=26)
DOWNLOADS = tables_by_name()["downloads"]  # complete two days after the Date
WEEKLY = tables_by_name()["engagement_weekly"]
MONTHLY = tables_by_name()["engagement_monthly"]
MONDAY = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
NEWEST = date(2026, 11, 20)  # published on the 22nd, by 10:00, and 26 hours have passed
DUE = (NEWEST, NEWEST - DAY, NEWEST - DAY * 2)
LIVING = Request(1_000_000_001, Verdict.UNCHANGED)
EVERY_DAY = frozenset(date(2026, 11, 14) + DAY * number for number in range(10))

tables = st.sampled_from(list(tables_by_name().values()))
moments = st.integers(0, 50_000).map(lambda hours: datetime(2024, 3, 1, tzinfo=UTC) + timedelta(hours=hours))
tolerances = st.integers(1, 72).map(lambda hours: timedelta(hours=hours))


def judged(
    request: Request = LIVING,
    arrivals: Arrivals | None = None,
    siblings: frozenset[date] | None = None,
    present: Collection[date] = (),
    table: CuratedTable = DOWNLOADS,
) -> Judgement:
    own = arrivals or Arrivals()
    came = own.converted if siblings is None else siblings
    known = own.known | own.converted | came
    rows = {day: published_on(day, table) for day in present}
    return judge(table, request, own, Siblings(came, max(known, default=date.min)), rows, MONDAY, TOLERANCE)


MISSING = frozenset({DOWNLOADS.report.name})
NOT_OFFERED = replace(LIVING, missing_reports=MISSING, unknown_reports=frozenset({"Downloads"}))


def test_a_report_that_apple_does_not_offer_has_a_verdict_of_its_own_for_ever() -> None:
    for arrivals in (Arrivals(), Arrivals(frozenset({date(2026, 11, 10)})), Arrivals(not_ready=date(2026, 11, 22))):
        judgement = judged(NOT_OFFERED, arrivals, siblings=EVERY_DAY)
        assert judgement.verdict is Freshness.NOT_OFFERED
        assert judgement.verdict.is_stale
        assert judgement.reason.startswith(
            "Apple offers reports for this app, but none named 'App Downloads Standard'; it"
        )
        assert "does not know: 'Downloads'. If the report was renamed, update the catalogue" in judgement.reason


def test_a_report_that_is_not_offered_and_present_all_the_same_is_fresh() -> None:
    assert judged(NOT_OFFERED, Arrivals(EVERY_DAY), present=frozenset(DUE)).verdict is Freshness.FRESH


# What is due


@given(tables, moments, tolerances)
def test_a_date_is_due_when_apple_must_have_published_it_and_the_tolerance_has_passed(
    table: CuratedTable, at: datetime, tolerance: timedelta
) -> None:
    newest, *older = due_dates(table, at, tolerance)

    def due_at(day: date) -> datetime:
        return datetime.combine(published_on(day, table), datetime.min.time(), UTC) + timedelta(hours=10) + tolerance

    assert due_at(newest) <= at < due_at(following(newest, table.granularity))
    assert [following(day, table.granularity) for day in older] == [newest, *older[:-1]]
    assert all(table.covers(day, at.date()) for day in (newest, *older))


@given(tables, moments, tolerances, st.integers(0, 72))
def test_nothing_ceases_to_be_due(table: CuratedTable, at: datetime, tolerance: timedelta, hours: int) -> None:
    later = due_dates(table, at + timedelta(hours=hours), tolerance)
    assert later[0] >= due_dates(table, at, tolerance)[0]


def test_downloads_of_friday_are_due_on_monday_noon() -> None:
    assert due_dates(DOWNLOADS, MONDAY, TOLERANCE) == DUE
    assert due_dates(DOWNLOADS, MONDAY.replace(hour=12), TOLERANCE)[0] == NEWEST
    assert due_dates(DOWNLOADS, MONDAY.replace(hour=11, minute=59), TOLERANCE)[0] == NEWEST - DAY


def test_a_week_is_published_on_the_friday_after_it_and_a_month_on_the_fifth() -> None:
    assert published_on(date(2026, 11, 9), WEEKLY) == date(2026, 11, 20)
    assert due_dates(WEEKLY, MONDAY, TOLERANCE)[0] == date(2026, 11, 9)
    assert published_on(date(2026, 12, 1), MONTHLY) == date(2027, 1, 5)
    assert due_dates(MONTHLY, MONDAY, TOLERANCE) == (date(2026, 10, 1), date(2026, 9, 1), date(2026, 8, 1))


@given(tables, moments)
def test_the_instance_that_completes_a_date_speaks_for_it_and_the_end_of_its_period_begins_it(
    table: CuratedTable, at: datetime
) -> None:
    day = due_dates(table, at, TOLERANCE)[0]
    after = following(day, table.granularity)
    assert speaks_for(published_on(day, table), day, table)
    assert speaks_for(after, day, table) or table.granularity is not Granularity.DAILY
    assert not speaks_for(after - DAY, day, table)
    assert not speaks_for(published_on(after, table), day, table)


# The verdicts


def test_rows_of_every_due_date_are_fresh() -> None:
    assert judged(present=frozenset(DUE)) == Judgement(Freshness.FRESH, DUE)


def test_an_instance_that_could_hold_the_newest_date_and_does_not_says_zero() -> None:
    came = Arrivals(converted=EVERY_DAY)
    assert judged(arrivals=came, present=frozenset(DUE[1:])).verdict is Freshness.ZERO
    assert judged(arrivals=came, present=frozenset(DUE[:1])).verdict is Freshness.FRESH


def test_what_is_due_and_absent_is_late() -> None:
    silent_since = frozenset(day for day in EVERY_DAY if day <= NEWEST)
    judgement = judged(arrivals=Arrivals(converted=silent_since), present=frozenset(DUE[1:]))
    assert (judgement.verdict, judgement.missing) == (Freshness.LATE, (NEWEST,))
    assert judgement.reason.startswith("No instance with these Dates has arrived. Every run checks again")


def test_a_late_date_gives_the_reason_of_the_instance_that_failed() -> None:
    failed = Arrivals(not_converted=date(2026, 11, 22), reason="A segment arrived truncated.")
    assert judged(arrivals=failed).reason == "A segment arrived truncated."
    long_ago = replace(failed, not_converted=date(2026, 11, 14))
    assert judged(arrivals=long_ago).reason != "A segment arrived truncated."


def test_dates_before_the_request_are_not_expected() -> None:
    young = replace(LIVING, known_since=NEWEST)
    assert judged(young) == Judgement(Freshness.NOT_READY, ())
    assert judged(young, Arrivals(converted=EVERY_DAY)).verdict is Freshness.FRESH
    assert judged(replace(LIVING, known_since=NEWEST - DAY)).missing == (NEWEST,)


def test_an_instance_without_segments_is_not_ready_for_two_days() -> None:
    waiting = Arrivals(not_ready=date(2026, 11, 22), not_converted=date(2026, 11, 22), reason="No segments yet.")
    assert judged(arrivals=waiting).verdict is Freshness.NOT_READY
    assert judged(arrivals=replace(waiting, not_ready=date(2026, 11, 21))).verdict is Freshness.LATE


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [(Verdict.FORBIDDEN, Freshness.FORBIDDEN), (Verdict.KEY_REJECTED, Freshness.KEY_EXPIRED)],
)
def test_a_key_that_does_not_open_is_the_reason_only_for_what_is_missing(verdict: Verdict, expected: Freshness) -> None:
    locked = replace(LIVING, verdict=verdict, reason="Apple said no.")
    assert judged(locked) == Judgement(expected, DUE, DUE, "Apple said no.")
    assert judged(locked, present=frozenset(DUE)).verdict is Freshness.FRESH


def test_dates_from_before_a_request_was_made_anew_were_lost_with_the_old_one() -> None:
    stopped = replace(LIVING, replaced_on=NEWEST)
    assert judged(stopped).verdict is Freshness.STOPPED
    assert "replaced on 2026-11-20" in judged(stopped).reason
    long_ago = replace(LIVING, replaced_on=NEWEST - DAY * 3)
    assert judged(long_ago).verdict is Freshness.LATE


def test_a_quarantined_instance_counts_until_a_newer_one_is_converted() -> None:
    present = frozenset(DUE)
    broken = Arrivals(converted=EVERY_DAY, quarantined=max(EVERY_DAY) + DAY, reason="A column is missing.")
    assert judged(arrivals=broken, present=present) == Judgement(Freshness.QUARANTINED, DUE, (), "A column is missing.")
    assert judged(arrivals=replace(broken, quarantined=max(EVERY_DAY)), present=present).verdict is Freshness.FRESH


def test_a_report_that_never_came_while_others_did_is_below_the_threshold() -> None:
    assert judged(siblings=EVERY_DAY).verdict is Freshness.BELOW_THRESHOLD
    assert judged(siblings=frozenset()).verdict is Freshness.LATE


def test_a_report_that_comes_on_some_days_only_is_below_the_threshold_and_one_that_always_came_is_late() -> None:
    for last in (NEWEST, NEWEST - DAY, NEWEST - DAY * 2):
        regular = Arrivals(converted=frozenset(day for day in EVERY_DAY if day <= last))
        assert judged(arrivals=regular, siblings=EVERY_DAY).verdict is Freshness.LATE
        with_a_gap = replace(regular, converted=regular.converted - {date(2026, 11, 15)})
        assert judged(arrivals=with_a_gap, siblings=EVERY_DAY).verdict is Freshness.BELOW_THRESHOLD
    once = Arrivals(converted=frozenset([min(EVERY_DAY)]))
    assert judged(arrivals=once, siblings=EVERY_DAY).verdict is Freshness.BELOW_THRESHOLD


some_days = st.frozensets(st.sampled_from(sorted(EVERY_DAY)))
requests = st.builds(
    Request,
    app_id=st.just(1),
    verdict=st.sampled_from(Verdict),
    known_since=st.none() | st.sampled_from(sorted(EVERY_DAY)),
    replaced_on=st.none() | st.sampled_from(sorted(EVERY_DAY)),
)
arrivals_ = st.builds(
    Arrivals,
    converted=some_days,
    quarantined=st.none() | st.sampled_from(sorted(EVERY_DAY)),
    not_ready=st.none() | st.sampled_from(sorted(EVERY_DAY)),
    not_converted=st.none() | st.sampled_from(sorted(EVERY_DAY)),
)


@given(requests, arrivals_, some_days, some_days)
def test_complete_data_is_called_complete_and_incomplete_data_never(
    request: Request, arrivals: Arrivals, siblings: frozenset[date], present: frozenset[date]
) -> None:
    judgement = judged(request, arrivals, siblings | arrivals.converted, present)
    if judgement.verdict in (Freshness.FRESH, Freshness.ZERO):
        assert not judgement.missing
    if not judgement.missing:
        assert judgement.verdict in (Freshness.FRESH, Freshness.ZERO, Freshness.NOT_READY, Freshness.QUARANTINED)
    assert set(judgement.missing) <= set(judgement.due) <= set(DUE)
    assert not set(judgement.missing) & present


@given(requests, arrivals_, some_days, some_days, st.sampled_from(DUE))
def test_one_more_date_in_athena_makes_nothing_stale(
    request: Request, arrivals: Arrivals, siblings: frozenset[date], present: frozenset[date], day: date
) -> None:
    arrivals = replace(arrivals, quarantined=None)
    before = judged(request, arrivals, siblings, present)
    after = judged(request, arrivals, siblings, present | {day})
    assert set(after.missing) == set(before.missing) - {day}
    assert len(after.missing) > 0 or not after.verdict.is_stale


def test_a_longer_period_needs_a_longer_look_back() -> None:
    assert look_back_days([DOWNLOADS]) < look_back_days([DOWNLOADS, WEEKLY]) < look_back_days([WEEKLY, MONTHLY])
    for table in (DOWNLOADS, WEEKLY, MONTHLY):
        oldest = due_dates(table, MONDAY, TOLERANCE)[-1 if table is DOWNLOADS else 0]
        assert MONDAY.date() - published_on(oldest, table) < timedelta(days=look_back_days([table]))

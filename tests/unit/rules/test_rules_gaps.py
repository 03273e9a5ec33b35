from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.model.instances import InstanceStatus, LedgerInstance
from appstore_analytics.model.known_apps import KnownApp
from appstore_analytics.model.requests import KnownRequest
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.rules.calendar import published_on, speaks_for
from appstore_analytics.rules.freshness import Arrivals, Request, Siblings, judge
from appstore_analytics.rules.gaps import KnownTable, PartsOfApp, days_left, gaps_of_table, snapshot_holds
from appstore_analytics.rules.repairs import Repair

DAY = timedelta(days=1)
ENGAGEMENT = tables_by_name()["engagement"]  # complete after 3 days
WEEKLY = tables_by_name()["engagement_weekly"]
MONTHLY = tables_by_name()["engagement_monthly"]
NOVEMBER_20 = date(2026, 11, 20)  # a Friday
days = st.dates(date(2024, 1, 1), date(2027, 12, 31))
tables = st.sampled_from((ENGAGEMENT, WEEKLY, MONTHLY))


def test_apple_has_the_last_instance_for_35_days() -> None:
    assert days_left(NOVEMBER_20, ENGAGEMENT, date(2026, 11, 23)) == 35
    assert days_left(NOVEMBER_20, ENGAGEMENT, date(2026, 12, 28)) == 0
    assert days_left(NOVEMBER_20, ENGAGEMENT, date(2027, 12, 28)) == 0


def test_a_snapshot_holds_what_was_complete_on_its_day() -> None:
    assert snapshot_holds(NOVEMBER_20, ENGAGEMENT, date(2026, 11, 23))
    assert not snapshot_holds(NOVEMBER_20, ENGAGEMENT, date(2026, 11, 22))
    assert not snapshot_holds(NOVEMBER_20, ENGAGEMENT, None)


def instance(app_id: str, day: int, status: InstanceStatus = InstanceStatus.CONVERTED) -> LedgerInstance:
    built = Vintage(date(2026, 11, day), AccessType.ONGOING, f"i{app_id}-{day}")
    return LedgerInstance(app_id, ENGAGEMENT.name, Granularity.DAILY, built, status, segments=())


def known_app(app_id: str, *ledger: LedgerInstance) -> KnownApp:
    ongoing = KnownRequest(app_id, AccessType.ONGOING, "r", requested_on=date(2026, 11, 10))
    return KnownApp(app_id, ongoing, KnownRequest(app_id, AccessType.ONE_TIME_SNAPSHOT), {ENGAGEMENT.name: ledger})


def dates(*numbers: int) -> frozenset[date]:
    return frozenset(date(2026, 11, number) for number in numbers)


def test_consecutive_dates_with_one_cause_are_one_gap_and_one_command() -> None:
    built = [instance("1", day) for day in range(11, 21)]
    built[5:7] = [instance("1", day, InstanceStatus.QUARANTINED) for day in (16, 17)]
    parts = {"1": PartsOfApp(dates(10, 11, 12, 14), frozenset(), lambda day: day + DAY)}
    found = gaps_of_table(ENGAGEMENT, [known_app("1", *built)], parts, date(2026, 11, 20), date.min)
    (gap,) = found.gaps
    assert (gap.app_id, gap.first, gap.last, gap.dates) == ("1", date(2026, 11, 13), date(2026, 11, 14), 2)
    assert gap.repair is Repair.REPROCESS
    command = "./manage.py reprocess --apps 1 --reports engagement --from 2026-11-16 --to 2026-11-17"
    assert found.commands == {"1 engagement reprocess": command}
    line = found.completeness
    assert (line.complete_until, line.dates_present, line.dates_missing) == (date(2026, 11, 12), 3, 2)
    assert line.dates_without_rows == 2  # November 15 and 16, of which the newest instance has no row


def test_a_part_that_no_object_holds_is_a_gap_that_the_next_run_closes() -> None:
    app = known_app("1", *(instance("1", day) for day in range(11, 21)))
    parts = {"1": PartsOfApp(frozenset(), dates(12), lambda _: None)}
    found = gaps_of_table(ENGAGEMENT, [app], parts, date(2026, 11, 20), date.min)
    assert [(gap.first, gap.cause, gap.repair) for gap in found.gaps] == [
        (date(2026, 11, 12), "converted, not published yet", Repair.NEXT_RUN)
    ]
    assert not found.commands


def test_an_app_without_parts_has_no_rows_and_no_gap() -> None:
    app = known_app("2", *(instance("2", day) for day in range(11, 21)))
    found = gaps_of_table(ENGAGEMENT, [app], {}, date(2026, 11, 20), date(2026, 11, 12))
    assert not found.gaps
    assert (found.completeness.dates_present, found.completeness.dates_without_rows) == (0, 5)
    assert found.completeness.complete_until == date(2026, 11, 16)


# Freshness and gaps judge by one rule


def history_of(
    statuses: Mapping[int, InstanceStatus], siblings: Collection[int], rows: Collection[int]
) -> tuple[KnownTable, Arrivals, Siblings, dict[date, date]]:
    """One table of one app after two weeks: a status per processing date, and the Dates with rows, for both rules.

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

"""Tables × Dates: each cell agrees with `gaps` after any history, with freshness checks or without."""

import random
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from asking import FIRST, days, gaps, tables

from appstore_analytics.answers.apps import known_accounts
from appstore_analytics.answers.checked_tables import checked_table
from appstore_analytics.answers.checks import NO_CHECKS, Checks, read_checks, read_results
from appstore_analytics.answers.judged_dates import JudgedDates
from appstore_analytics.answers.table_dates import TableDates, newest_dates, table_dates
from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.model.remembered import Remembered
from appstore_analytics.rules.calendar import published_on
from appstore_analytics.rules.date_verdicts import DateVerdict
from appstore_analytics.steps.check_freshness import check_freshness
from local.apple import FaultKind
from local.apple.model import Series
from tests.integration.pipeline_in_process import APP, DOWNLOADS, Pipeline
from tests.integration.steps.athena_in_process import AthenaInProcess

DAY = timedelta(days=1)
TABLE = tables_by_name()["downloads"]
SEGMENTS = "GET /v1/analyticsReportInstances/.*/segments"
KINDS = ("good", "good", "good", "quarantined", "no run", "late", "never", "gone", "not in time", "rolled back")


def check(pipeline: Pipeline, hour: int = 12) -> None:
    athena: Any = AthenaInProcess(pipeline.lake)
    at = datetime.combine(pipeline.world.today, time(hour, tzinfo=UTC))
    check_freshness(at, timedelta(hours=26), pipeline.lake, athena, pipeline.metrics.__setitem__)


def apps_of(pipeline: Pipeline) -> list[str]:
    return [app_id for one in known_accounts(pipeline.configuration, pipeline.lake) for app_id in one.app_ids]


def judged(
    pipeline: Pipeline, checks: Checks | None = None, app_ids: Collection[str] = (), *, is_exact: bool = False
) -> JudgedDates:
    asked = app_ids or apps_of(pipeline)
    found = checks or read_checks(pipeline.lake, asked, pipeline.world.today, Remembered(50))
    today, remembered = pipeline.world.today, Remembered(50)
    return JudgedDates(list(asked), found, pipeline.registry, pipeline.lake, today, remembered, is_exact=is_exact)


def strip(pipeline: Pipeline, count: int = 20, **more: Any) -> TableDates:
    return table_dates(judged(pipeline, **more), tables(pipeline), newest_dates(pipeline.world.today, count))


def cells(found: TableDates) -> dict[date, DateVerdict]:
    (line,) = found.tables
    return dict(zip(found.dates, (cell.verdict for cell in line.cells), strict=True))


def one_day(pipeline: Pipeline, what: str) -> None:
    """A day of the history with its run and its check, if there is one."""
    pipeline.world.advance(1)
    if what == "quarantined":
        pipeline.fault(FaultKind.SHORT_ROW, SEGMENTS, app_id=APP)
    elif what == "not in time":
        pipeline.fault(FaultKind.STATUS, SEGMENTS, status=500, times=None)
    elif what == "gone":
        pipeline.fault(FaultKind.STATUS, SEGMENTS, status=404)
    if what != "no run":
        plan = pipeline.plan()
        pipeline.run(plan)
        pipeline.summarize(plan)
        if what == "rolled back":
            pipeline.rollback(plan)
    pipeline.world.faults.clear()
    check(pipeline)


@pytest.mark.parametrize("seed", range(3))
def test_a_cell_needs_somebody_where_gaps_tell_of_it_and_is_fresh_where_rows_are_complete(
    start: Callable[..., Pipeline], seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 (a history that repeats)
    pipeline = start({"dates_per_instance": 2, "rows_per_date": 6, "seed": seed})
    history = [chance.choice(KINDS) for _ in range(8)]
    for number, what in enumerate(history, start=1):
        if what in ("late", "never"):
            built = FIRST + DAY * number
            series = Series(APP, DOWNLOADS, Granularity.DAILY)
            pipeline.world.delay_instance(series, built, built + DAY * (2 if what == "late" else 60))
    pipeline.daily()
    for number, what in enumerate(history):
        one_day(pipeline, what)
        if number % 4 == 3:
            compare_with_gaps(pipeline, history)
            compare_with_fewer_checks(pipeline, history)


def compare_with_gaps(pipeline: Pipeline, history: list[str]) -> None:
    found = gaps(pipeline)
    missing = {gap.first + DAY * number for gap in found.gaps for number in range(gap.dates)}
    rows = {day for (_, day) in pipeline.batches("downloads")}
    for checks in (NO_CHECKS, None):
        told = cells(strip(pipeline, checks=checks))
        context = (history, pipeline.world.today, checks, told)
        of_today = {
            day
            for day, verdict in told.items()
            if verdict is DateVerdict.QUARANTINED and published_on(day, TABLE) == pipeline.world.today
        }
        needed = {day for day, verdict in told.items() if verdict.needs_action}
        assert needed - of_today == missing & told.keys(), context
        fresh = {day for day, verdict in told.items() if verdict is DateVerdict.FRESH}
        assert fresh <= rows, context
        assert {day for day, verdict in told.items() if verdict is DateVerdict.ZERO}.isdisjoint(rows), context


def compare_with_fewer_checks(pipeline: Pipeline, history: list[str]) -> None:
    """The results since a Date tell of it and of later ones what all checks tell."""
    whole, today = judged(pipeline).checks, pipeline.world.today
    for count in (1, 3, 6):
        first = newest_dates(today, count)[0]
        few = read_results(pipeline.lake, apps_of(pipeline), today, Remembered(50), first)
        for day in newest_dates(today, count):
            context = (history, today, first, day)
            assert few.settled(TABLE, day) >= whole.settled(TABLE, day), context
            for app_id in apps_of(pipeline):
                told = checked_table(whole, app_id, TABLE)
                of_few = checked_table(few, app_id, TABLE)
                if told is not None and told.told(day) is not None:
                    assert of_few is not None, context
                    assert of_few.told(day) == told.told(day), context


def test_a_file_in_quarantine_needs_somebody_on_the_day_on_which_it_came(start: Callable[..., Pipeline]) -> None:
    """Not only on the next day, when its Date is overdue: the list and the app's own page."""
    pipeline = start({"apps": 2, "dates_per_instance": 3})
    pipeline.daily()
    for _ in range(4):
        one_day(pipeline, "good")
    assert not any(verdict.needs_action for verdict in cells(strip(pipeline)).values())
    one_day(pipeline, "quarantined")
    completed_today = pipeline.world.today - DAY * 2
    for app_ids, is_exact in ((apps_of(pipeline), False), ([APP], True)):
        told = cells(strip(pipeline, app_ids=app_ids, is_exact=is_exact))
        assert [day for day, verdict in told.items() if verdict.needs_action] == [completed_today]
        assert told[completed_today] is DateVerdict.QUARANTINED


@pytest.mark.parametrize("hour", [6, 18])
def test_an_apps_own_page_and_the_list_call_the_same_dates_late_at_any_hour(
    start: Callable[..., Pipeline], hour: int
) -> None:
    """The page reads the ledger, the list the last check; both must leave out what was not due at that hour."""
    pipeline = start({"dates_per_instance": 2, "rows_per_date": 6})
    pipeline.daily()
    seen = set()
    for what in ("good", "no run", "no run", "no run", "no run", "good"):
        one_day(pipeline, what)
        check(pipeline, hour)
        of_list, of_page = (cells(strip(pipeline, 12, is_exact=is_exact)) for is_exact in (False, True))
        late = {day for day, verdict in of_list.items() if verdict.needs_action}
        assert late == {day for day, verdict in of_page.items() if verdict.needs_action}, (what, of_list, of_page)
        seen |= late
    assert seen, "the history has late Dates"


def test_until_it_is_complete_a_date_is_preliminary_and_before_the_first_it_is_nothing(
    start: Callable[..., Pipeline],
) -> None:
    pipeline = start({"dates_per_instance": 3})
    pipeline.daily()
    for _ in range(5):
        one_day(pipeline, "good")
    told = cells(strip(pipeline, 12))
    assert told[pipeline.world.today - DAY] is DateVerdict.PRELIMINARY
    assert told[pipeline.world.today - DAY * 2] is DateVerdict.FRESH
    assert told[FIRST] is DateVerdict.FRESH
    assert told[FIRST - DAY * 5] is DateVerdict.NONE
    (line,) = strip(pipeline).tables
    assert line.complete_until == line.most_until == pipeline.world.today - DAY * 2
    assert (line.apps, line.apps_complete, line.is_main, line.window_days) == (1, 1, True, 2)


def test_one_app_of_two_that_is_quarantined_is_the_verdict_of_the_cell_and_the_other_goes_on(
    start: Callable[..., Pipeline],
) -> None:
    pipeline = start({"apps": 2, "dates_per_instance": 2})
    pipeline.daily()
    for _ in range(4):
        one_day(pipeline, "good")
    for _ in range(4):
        one_day(pipeline, "quarantined")
    found = strip(pipeline, 10)
    (line,) = found.tables
    worst = {cell.verdict: cell.apps for cell in line.cells}
    assert worst[DateVerdict.QUARANTINED] == 1
    assert (line.apps, line.apps_complete) == (2, 1)
    assert line.complete_until is not None
    assert line.most_until is not None
    assert line.complete_until < line.most_until
    assert not found.is_good
    assert found.sentence == "1 table of 1 with a Date that needs attention."


def test_apps_in_good_order_are_judged_without_a_look_into_the_ledger(
    start: Callable[..., Pipeline], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand apps would need ten million DynamoDB items."""
    pipeline = start({"apps": 2, "dates_per_instance": 3})
    pipeline.daily()
    for _ in range(8):
        one_day(pipeline, "good")
    found = judged(pipeline)
    monkeypatch.setattr(found.ledger, "app", lambda app_id: pytest.fail(f"looked up {app_id}"))
    told = cells(table_dates(found, tables(pipeline), newest_dates(pipeline.world.today, 5)))
    assert list(told.values())[-3:] == [DateVerdict.FRESH, DateVerdict.FRESH, DateVerdict.PRELIMINARY]


def test_of_a_date_without_any_rows_all_apps_are_zero(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"apps": 2, "dates_per_instance": 3})
    pipeline.daily()
    skipped = FIRST + DAY * 2
    for app_id in apps_of(pipeline):
        pipeline.world.skip_date(Series(app_id, DOWNLOADS, Granularity.DAILY), skipped)
    for _ in range(8):
        one_day(pipeline, "good")
    assert cells(strip(pipeline))[skipped] is DateVerdict.ZERO


def test_days_without_a_check_are_judged_by_the_ledger(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"dates_per_instance": 3})
    days(pipeline, 9)
    without = cells(strip(pipeline))
    check(pipeline)
    assert cells(strip(pipeline)) == without

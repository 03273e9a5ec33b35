"""Dates for which no data exists are not planned, not expected, and not counted one by one."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from asking import backfill, days, gaps

from appstore_analytics.answers.backfill_plan import BackfillPlan, backfill_payload, plan_backfill
from appstore_analytics.answers.errors import Refused
from appstore_analytics.contract.catalogue import REPORTS
from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.rules.calendar import expected_dates
from appstore_analytics.rules.execution_input import parse_execution_input
from tests.integration.pipeline_in_process import APP, Pipeline

DAY = timedelta(days=1)
HISTORY = date(2024, 1, 1)


def planned(pipeline: Pipeline, start: date, end: date, **more: Any) -> BackfillPlan:
    today = pipeline.world.today
    payload = backfill_payload([APP], start, end, more.get("reports", ()), today)
    wanted = parse_execution_input(payload, today)
    accounts = pipeline.configuration.accounts
    return plan_backfill(payload, wanted, pipeline.configuration, accounts, pipeline.registry, pipeline.lake)


@pytest.mark.parametrize("first", [date(1, 1, 1), date(1999, 12, 31), date(2023, 12, 31)])
def test_a_backfill_from_before_apples_history_is_planned_for_what_there_is(pipeline: Pipeline, first: date) -> None:
    days(pipeline, 3)
    end = HISTORY + 9 * DAY
    plan, exact = planned(pipeline, first, end), planned(pipeline, HISTORY, end)
    assert (plan.history_from, exact.history_from) == (HISTORY, None)
    assert [(table.first, table.last, table.dates) for table in plan.tables] == [(HISTORY, end, 10)]
    assert (plan.rows_expected, plan.us_dollars, plan.costs) == (exact.rows_expected, exact.us_dollars, exact.costs)
    assert "Apple's history begins on 2024-01-01, not before." in plan.sentence
    assert "history" not in exact.sentence


def test_a_backfill_of_nothing_but_time_before_history_is_refused(pipeline: Pipeline) -> None:
    with pytest.raises(Refused, match=r"^The last Date must not be before 2024-01-01: Apple has no earlier Dates"):
        planned(pipeline, date(2021, 1, 1), date(2023, 12, 31))


def test_a_backfill_from_before_history_leaves_no_gaps_before_it(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"history_start": HISTORY})
    days(pipeline, 3)
    pipeline.run(pipeline.plan(operation="backfill", app_ids=[APP], start_date="0001-01-01", end_date="2024-01-05"))
    found = gaps(pipeline).gaps
    assert min(gap.first for gap in found) == HISTORY
    assert sum(gap.dates for gap in found) == 5


def test_the_input_of_a_backfill_begins_no_earlier_than_any_table() -> None:
    payload = {"operation": Operation.BACKFILL, "app_ids": [APP], "start_date": "0001-01-01", "end_date": "2024-01-05"}
    assert parse_execution_input(payload, date(2026, 1, 1)).start_date == date(2020, 1, 1)


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: str(report.table))
def test_no_table_expects_dates_before_its_history(report: Any) -> None:
    for granularity in report.granularities:
        table = CuratedTable(report, granularity)
        first = next(expected_dates(table, date.min, date(2026, 11, 29)))
        assert table.first_date <= first < table.first_date + (31 if granularity is Granularity.MONTHLY else 7) * DAY
        assert table.first_date == (report.history_start or table.projection.first)


def test_a_history_in_words_is_a_day_where_it_is_one() -> None:
    starts = {report.history_from: report.history_start for report in REPORTS}
    assert starts["January 1, 2024"] == HISTORY
    assert starts["March 5, 2024"] == date(2024, 3, 5)
    assert starts["iOS 17"] is None
    assert all(start is not None for words, start in starts.items() if words and "iOS" not in words)


def test_of_a_standing_backfill_only_what_there_is_is_expected(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"history_start": HISTORY})
    days(pipeline, 2)
    backfill(pipeline, HISTORY - 400 * DAY, HISTORY + 2 * DAY)
    assert min(gap.first for gap in gaps(pipeline).gaps) == HISTORY

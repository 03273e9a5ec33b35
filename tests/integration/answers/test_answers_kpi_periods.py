"""Weeks and months beside the weeks and months before, against DuckDB over Apple's weekly and monthly rows."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import pytest
from asking import ask, day, tables

from appstore_analytics.answers.apps import app_names, known_accounts
from appstore_analytics.answers.kpi_comparison import KpiComparison, compare_with_previous
from appstore_analytics.answers.kpi_reporting import Installed, ReportQuestion, report_kpis
from appstore_analytics.answers.kpis import KpiAnswer, KpiQuestion
from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.names import Database
from appstore_analytics.rules.kpi_periods import Compare
from local.apple import World, WorldSettings
from tests.aws_in_process import aws_in_process
from tests.integration.pipeline_in_process import APP, Pipeline

FIRST = date(2025, 6, 2)
RUNS = (date(2025, 6, 20), date(2025, 7, 11), date(2025, 8, 8))
"""Each lists the weeks and months of 35 days; the newest month is July."""


@pytest.fixture(scope="module")
def summer() -> Iterator[Pipeline]:
    settings = WorldSettings(today=FIRST, apps=2, rows_per_date=8, segments_per_instance=1, dates_per_instance=1)
    with aws_in_process():
        pipeline = Pipeline(
            World(settings), reports=("App Sessions Standard",), granularities=(Granularity.WEEKLY, Granularity.MONTHLY)
        )
        day(pipeline)
        for today in RUNS:
            pipeline.world.move_to(today)
            plan = day(pipeline)
        pipeline.summarize(plan)
        yield pipeline


def devices(pipeline: Pipeline, table: str, app_id: str = "") -> dict[date, int]:
    """Computed apart, from the rows."""
    rows = pipeline.athena.table(table)  # noqa: F841 (DuckDB reads it by its name)
    of_app = f"WHERE app_id = {app_id}" if app_id else ""
    return dict(duckdb.sql(f"SELECT dt, CAST(SUM(unique_devices) AS BIGINT) FROM rows {of_app} GROUP BY dt").fetchall())


def compared(pipeline: Pipeline, *metrics: str, start: date, end: date, **more: Any) -> KpiComparison:
    def answer(question: KpiQuestion) -> KpiAnswer:
        asked = {"app_ids": question.app_ids, "by": question.by}
        return ask(pipeline, *question.metrics, start=question.start, end=question.end, **asked)

    return compare_with_previous(KpiQuestion(metrics, start, end, **more), answer)


@pytest.mark.parametrize("app_id", ["", APP])
def test_a_month_is_compared_with_the_month_before(summer: Pipeline, app_id: str) -> None:
    wanted = devices(summer, "sessions_monthly", app_id)
    apps = (app_id,) if app_id else ()
    found = compared(summer, "monthly_active_devices", start=date(2025, 7, 1), end=date(2025, 7, 31), app_ids=apps)
    (change,) = found.changes
    july, june = wanted[date(2025, 7, 1)], wanted[date(2025, 6, 1)]
    assert (change.total, change.previous) == (july, june)
    assert change.change == pytest.approx(july / june - 1)
    assert change.is_final
    assert july != june


def test_weeks_by_app_are_compared_with_as_many_weeks(summer: Pipeline) -> None:
    for start, end in ((date(2025, 7, 21), date(2025, 7, 27)), (date(2025, 7, 17), date(2025, 7, 27))):
        found = compared(summer, "weekly_active_devices", start=start, end=end, by="app")
        assert len(found.changes) == 2
        for change in found.changes:
            wanted = devices(summer, "sessions_weekly", change.app_id)
            assert (change.total, change.previous) == (wanted[date(2025, 7, 21)], wanted[date(2025, 7, 14)])


def test_uniques_of_several_weeks_have_no_total_but_each_week_its_own(summer: Pipeline) -> None:
    found = compared(summer, "weekly_active_devices", start=date(2025, 7, 14), end=date(2025, 7, 27))
    (change,) = found.changes
    assert (change.total, change.previous, change.change) == (None, None, None)
    wanted = devices(summer, "sessions_weekly")
    (before,) = found.previous.series
    assert {point.day: point.value for point in before.points} == {
        day_: wanted[day_] for day_ in (date(2025, 6, 30), date(2025, 7, 7))
    }


@pytest.mark.parametrize(
    ("kpi", "table", "days"),
    [
        ("monthly_active_devices", "sessions_monthly", {date(2025, 7, 1): date(2025, 6, 1)}),
        (
            "weekly_active_devices",
            "sessions_weekly",
            {date(2025, 7, 14): date(2025, 6, 30), date(2025, 7, 21): date(2025, 7, 7)},
        ),
    ],
)
def test_the_report_has_the_week_or_month_before_beside_each_point(
    summer: Pipeline, kpi: str, table: str, days: dict[date, date]
) -> None:
    here = Installed(
        known_accounts(summer.configuration, summer.lake),
        is_whole=True,
        tables=tables(summer),
        registry=summer.registry,
        lake=summer.lake,
        names=app_names(summer.lake),
        databases={each: str(each) for each in Database},
    )
    end = max(days) if table.endswith("weekly") else date(2025, 7, 31)
    question = ReportQuestion((kpi,), start=min(days), end=end, compare=Compare.PREVIOUS)
    (series,) = report_kpis(question, here, summer.world.today).series
    wanted = devices(summer, table)
    assert [(point.day, point.value, point.previous) for point in series.points] == [
        (day_, wanted[day_], wanted[before]) for day_, before in days.items()
    ]

"""`report_kpis` against the same numbers computed independently: by DuckDB over the rows and by its SQL."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import duckdb
import pytest
from asking import FIRST, days, tables

from appstore_analytics.answers.apps import app_names, known_accounts
from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.kpi_report import KpiReport, ReportedSeries
from appstore_analytics.answers.kpi_reporting import Installed, ReportQuestion, report_kpis
from appstore_analytics.contract.kpis import KPIS
from appstore_analytics.contract.kpis.definition import Basis
from appstore_analytics.contract.names import Database
from local.apple import World, WorldSettings
from local.aws.trino import tables_of, translate
from tests.aws_in_process import aws_in_process
from tests.integration.pipeline_in_process import APP, Pipeline

DAY = timedelta(days=1)
REPORTS = (
    "App Downloads Standard",
    "App Store Discovery and Engagement Standard",
    "App Sessions Standard",
    "App Store Purchases Standard",
    "App Crashes",
)
OTHER = "1000000002"


@pytest.fixture(scope="module")
def two_weeks() -> Iterator[Pipeline]:
    settings = WorldSettings(today=FIRST, apps=2, rows_per_date=8, segments_per_instance=1, dates_per_instance=6)
    with aws_in_process():
        pipeline = Pipeline(World(settings), reports=REPORTS)
        days(pipeline, 11)
        yield pipeline


def installed(pipeline: Pipeline, **more: Any) -> Installed:
    here = Installed(
        accounts=known_accounts(pipeline.configuration, pipeline.lake),
        is_whole=True,
        tables=tables(pipeline),
        registry=pipeline.registry,
        lake=pipeline.lake,
        names=app_names(pipeline.lake),
        databases={each: str(each) for each in Database},
    )
    return replace(here, **more)


def report(pipeline: Pipeline, *metrics: str, here: Installed | None = None, **question: Any) -> KpiReport:
    wanted = ReportQuestion(metrics, **{"start": FIRST, **question})
    return report_kpis(wanted, here or installed(pipeline), pipeline.world.today)


def values(series: ReportedSeries) -> dict[date, Any]:
    return {point.day: point.value for point in series.points if point.value is not None}


def downloads(pipeline: Pipeline, where: str = "true") -> dict[date, int]:
    rows = pipeline.athena.table("downloads")  # noqa: F841 (DuckDB reads it by its name)
    kinds = "lower(download_type) IN ('first-time download', 'redownload')"
    found = duckdb.sql(f"SELECT dt, sum(counts) FROM rows WHERE {kinds} AND {where} GROUP BY dt").fetchall()
    return {day: int(counts) for day, counts in found}


def test_points_are_what_the_rows_say_and_the_total_is_of_final_dates_only(two_weeks: Pipeline) -> None:
    found = report(two_weeks, "total_downloads")
    (series,) = found.series
    rows = downloads(two_weeks)
    assert values(series) == {day: counts for day, counts in rows.items() if day >= FIRST}
    final = [point.day for point in series.points if point.is_final]
    assert final[-1] == two_weeks.world.today - DAY * 2
    assert series.total.value == sum(rows.get(day, 0) for day in final)
    assert (series.total.start, series.total.end, series.total.missing) == (FIRST, final[-1], 0)
    assert [point.day for point in series.points if not point.is_final] == [two_weeks.world.today - DAY]
    assert found.complete_until == found.most_until == series.complete_until == final[-1]
    assert (found.apps, found.apps_complete) == (2, 2)


def test_the_newest_final_days_stand_beside_as_many_before_and_what_still_grows_stands_behind(
    two_weeks: Pipeline,
) -> None:
    found = report(two_weeks, "total_downloads", "sessions", start=None, days=4, compare="previous")
    rows = downloads(two_weeks)
    by_kpi = {series.kpi: series for series in found.series}
    last = two_weeks.world.today - DAY * 2
    total = by_kpi["total_downloads"].total
    assert (total.start, total.end) == (last - DAY * 3, last)
    assert total.value == sum(rows[last - DAY * number] for number in range(4))
    assert total.previous == sum(rows[last - DAY * number] for number in range(4, 8))
    assert total.change == pytest.approx(total.value / total.previous - 1)
    assert [point.is_final for point in by_kpi["total_downloads"].points] == [True] * 4 + [False]
    first = by_kpi["total_downloads"].points[0]
    assert first.previous == rows[first.day - DAY * 4]
    sessions = by_kpi["sessions"]
    assert sessions.total.end == two_weeks.world.today - DAY * 5
    assert len(sessions.points) == 4 + 4


@pytest.mark.parametrize("by", ["", "app", "territory"])
def test_the_sql_of_the_answer_gives_the_same_numbers(two_weeks: Pipeline, by: str) -> None:
    deployed = tables(two_weeks)
    asked = [
        kpi
        for kpi in KPIS
        if all(table in deployed for table in kpi.tables)
        and kpi.basis is Basis.DATES
        and by in ("", "app", *kpi.dimensions)
    ]
    assert len(asked) > 10
    found = report(two_weeks, *(kpi.name for kpi in asked), by=by)
    for kpi, told in zip(asked, found.kpis, strict=True):
        rows = athena(two_weeks, told.sql)
        wanted = {(row[0], row[1] if by else ""): float(row[-1]) for row in rows if row[-1]}
        answered = {
            (point.day, (int(series.app_id) if by == "app" else series.slice) if by else ""): float(point.value)
            for series in found.series
            if series.kpi == kpi.name
            for point in series.points
            if point.value
        }
        assert answered == pytest.approx(wanted), (kpi.name, told.sql)


def athena(pipeline: Pipeline, sql: str) -> list[tuple[Any, ...]]:
    names = {name for _, name in tables_of(sql, Database.CURATED)}
    rows = {name: pipeline.athena.table(name) for name in names}
    schema = {
        (Database.CURATED, name): {**dict.fromkeys(table.column_names, "string"), "dt": "date"}
        for name, table in rows.items()
    }
    translation = translate(sql, Database.CURATED, schema, lambda *_: frozenset({"dt"}))
    with duckdb.connect() as connection:
        for scan in translation.scans:
            connection.register(scan.relation, rows[scan.table])
        return connection.execute(translation.sql).fetchall()


def test_the_largest_values_come_first_and_the_rest_is_one_series_that_completes_the_sum(two_weeks: Pipeline) -> None:
    whole = report(two_weeks, "total_downloads").series[0]
    split = report(two_weeks, "total_downloads", by="territory")
    found = report(two_weeks, "total_downloads", by="territory", limit=1)
    totals = [series.total.value for series in split.series]
    assert totals == sorted(totals, key=lambda value: value or 0, reverse=True)
    assert [series.is_rest for series in found.series] == [False, True]
    assert sum(series.total.value or 0 for series in found.series) == whole.total.value
    assert sum(series.total.value or 0 for series in split.series) == whole.total.value


def test_one_value_of_a_dimension_can_be_asked_for_alone_and_by_app(two_weeks: Pipeline) -> None:
    split = report(two_weeks, "total_downloads", by="territory")
    name = split.series[0].slice
    alone = report(two_weeks, "total_downloads", where=f"territory:{name}")
    assert values(alone.series[0]) == values(split.series[0])
    by_app = report(two_weeks, "total_downloads", where=f"territory:{name}", by="app")
    assert sum(one.total.value or 0 for one in by_app.series) == alone.series[0].total.value
    assert f"territory = '{name}'" in alone.sql


def test_weeks_add_up_and_an_unfinished_week_is_not_final(two_weeks: Pipeline) -> None:
    found = report(two_weeks, "total_downloads", step="week", start=FIRST)
    rows = downloads(two_weeks)
    first, second = found.series[0].points[:2]
    assert first.day == FIRST
    assert first.value == sum(rows.get(FIRST + DAY * number, 0) for number in range(7))
    assert first.is_final
    assert not second.is_final
    assert found.series[0].total.value == first.value


def test_a_ratio_is_a_ratio_of_sums_in_points_and_totals_and_its_change_is_a_difference(two_weeks: Pipeline) -> None:
    found = report(
        two_weeks, "conversion_per_impression", "total_downloads", "impressions", start=None, days=4, compare="previous"
    )
    by_kpi = {series.kpi: series.total for series in found.series}
    ratio = by_kpi["conversion_per_impression"]
    rows = downloads(two_weeks)
    days_of_ratio = [ratio.start + DAY * number for number in range(4)] if ratio.start else []
    impressions = report(two_weeks, "impressions", start=ratio.start, end=ratio.end).series[0].total.value
    assert ratio.value == pytest.approx(sum(rows[day] for day in days_of_ratio) / float(impressions or 1))
    assert ratio.change == pytest.approx(float(ratio.value or 0) - float(ratio.previous or 0))


def test_whoever_may_see_one_app_gets_the_numbers_of_that_app_and_not_of_all(two_weeks: Pipeline) -> None:
    accounts = tuple(replace(one, app_ids=(OTHER,)) for one in installed(two_weeks).accounts)
    here = installed(two_weeks, accounts=accounts, is_whole=False)
    found = report(two_weeks, "total_downloads", here=here)
    assert values(found.series[0]) == downloads(two_weeks, f"app_id = {OTHER} AND dt >= DATE '{FIRST}'")
    assert found.apps == 1
    assert f"app_id IN ({OTHER})" in found.sql
    with pytest.raises(Refused, match=f"App {APP} is not known"):
        report(two_weeks, "total_downloads", here=here, app_ids=(APP,))


def test_active_devices_have_points_and_no_total_and_say_at_most(two_weeks: Pipeline) -> None:
    found = report(two_weeks, "active_devices")
    assert found.series[0].total.value is None
    assert {point.bound for point in found.series[0].points} == {"at most"}
    assert found.kpis[0].bound == "at most"


def test_retention_has_a_series_for_each_day_since_the_download(two_weeks: Pipeline) -> None:
    found = report(two_weeks, "retention", step="week")
    assert [series.slice for series in found.series] == [str(number) for number in range(31)]
    assert found.series[0].points[0].value == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ({"metrics": ("active_devices",), "step": "week"}, "active_devices of Dates does not add up to a week"),
        (
            {"metrics": ("sessions",), "where": "territory"},
            "where must be a dimension and a value such as territory:US",
        ),
        ({"metrics": ("sessions",), "where": "device:iPhone", "by": "territory"}, "must use the same dimension"),
        ({"metrics": ("session",)}, "There is no KPI 'session': did you mean"),
        ({"metrics": ("sessions",), "by": "subscription_name"}, "cannot be split by 'subscription_name'"),
    ],
    ids=str,
)
def test_a_question_that_cannot_be_answered_says_what_to_change(
    two_weeks: Pipeline, question: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Refused) as refused:
        report(two_weeks, *question.pop("metrics"), **question)
    assert sentence in str(refused.value)

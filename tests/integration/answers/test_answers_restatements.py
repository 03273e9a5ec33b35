"""Which final numbers changed, and the marks on KPIs, against the rows before and after, which DuckDB sums apart."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb
import pytest
from asking import FIRST, ask, day, tables

from appstore_analytics.answers.apps import app_names, known_accounts
from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.kpi_report import ReportedPoint
from appstore_analytics.answers.kpi_reporting import Installed, ReportQuestion, report_kpis
from appstore_analytics.answers.restatements import (
    RestatementList,
    find_restatements,
    period,
    restated_table_dates,
    rows,
)
from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.names import Database
from appstore_analytics.model.plan import RunPlan
from local.apple import World, WorldSettings
from local.apple.model import Series
from tests.aws_in_process import aws_in_process
from tests.integration.pipeline_in_process import APP, Pipeline

DAY = timedelta(days=1)
CRASHES, PURCHASES, DOWNLOADS = "App Crashes", "App Store Purchases Standard", "App Downloads Standard"
RESTATED = FIRST + DAY
CHANGED_ON = FIRST + 9 * DAY


@dataclass(frozen=True)
class Changed:
    """A pipeline in which Apple has restated one final Date of three reports of one app, and the totals before it."""

    pipeline: Pipeline
    before: dict[str, dict[str, Any]]
    correcting: RunPlan

    def found(self, **more: Any) -> RestatementList:
        accounts = known_accounts(self.pipeline.configuration, self.pipeline.lake)
        dates = {"start": FIRST, "end": CHANGED_ON, **more}
        return find_restatements(accounts, self.pipeline.lake, app_names(self.pipeline.lake), **dates)

    def points(self, kpi: str, **question: Any) -> dict[date, ReportedPoint]:
        here = Installed(
            known_accounts(self.pipeline.configuration, self.pipeline.lake),
            True,
            tables(self.pipeline),
            self.pipeline.registry,
            self.pipeline.lake,
            app_names(self.pipeline.lake),
            {each: str(each) for each in Database},
        )
        found = report_kpis(ReportQuestion((kpi,), start=FIRST, **question), here, self.pipeline.world.today)
        return {point.day: point for point in found.series[0].points}


def totals(pipeline: Pipeline, app_id: str | None = APP) -> dict[str, dict[str, Any]]:
    """The restated Date's totals by table and measure, of one app or of all."""
    measures = {"crashes": ["crashes"], "purchases": ["purchases", "proceeds_in_usd"], "downloads": ["counts"]}
    whose = f"AND app_id = {app_id}" if app_id else ""
    found: dict[str, dict[str, Any]] = {}
    for table, names in measures.items():
        stored = pipeline.athena.table(table)  # noqa: F841 (DuckDB reads it by its name)
        sums = ", ".join(f"sum({name})" for name in names)
        (line,) = duckdb.sql(f"SELECT count(*), {sums} FROM stored WHERE dt = DATE '{RESTATED}' {whose}").fetchall()
        found[table] = dict(zip(["rows", *names], line, strict=True))
    return found


@pytest.fixture(scope="module")
def changed() -> Iterator[Changed]:
    settings = WorldSettings(today=FIRST, apps=2, rows_per_date=8, segments_per_instance=1, dates_per_instance=6)
    with aws_in_process():
        pipeline = Pipeline(World(settings), reports=(CRASHES, PURCHASES, DOWNLOADS))
        for _ in range(8):
            pipeline.world.advance(1)
            pipeline.summarize(day(pipeline))
        before = totals(pipeline)
        for report in (CRASHES, PURCHASES, DOWNLOADS):
            pipeline.world.restate(Series(APP, report, Granularity.DAILY), RESTATED)
        pipeline.world.advance(1)
        correcting = day(pipeline)
        pipeline.summarize(correcting)
        yield Changed(pipeline, before, correcting)


def test_each_number_is_told_as_it_was_and_as_it_is(changed: Changed) -> None:
    now = totals(changed.pipeline)
    told = {(line.table_name, line.measure): (line.before, line.now) for line in changed.found().restatements}
    expected = {
        (table, measure): (number, now[table][measure])
        for table, numbers in changed.before.items()
        for measure, number in numbers.items()
        if number != now[table][measure]
    }
    assert expected
    assert {key: numbers for key, numbers in told.items() if key in expected} == expected
    assert {table for table, _ in told} == {"crashes", "purchases", "downloads"}


def test_a_line_says_whose_number_it_is_when_it_changed_and_why(changed: Changed) -> None:
    for line in changed.found().restatements:
        assert (line.app_id, line.day, line.changed_on, line.cause) == (APP, RESTATED, CHANGED_ON, "restated")
        assert line.app_name == app_names(changed.pipeline.lake)[APP]
        assert line.change == (line.now or 0) - (line.before or 0) != 0
    assert changed.found().sentence == "Final numbers of 1 app changed: Dates of a table 3 restated."


def test_dates_that_were_not_asked_for_and_apps_of_others_are_left_out(changed: Changed) -> None:
    nothing = changed.found(start=RESTATED + DAY)
    assert nothing.restatements == changed.found(end=RESTATED - DAY).restatements == ()
    assert nothing.sentence == "No final number of these Dates changed."
    assert find_restatements((), changed.pipeline.lake, {}, FIRST, CHANGED_ON).restatements == ()


def test_csv_has_a_row_for_each_number(changed: Changed) -> None:
    found = changed.found()
    assert [row[4:7] for row in rows(found)] == [(one.measure, one.before, one.now) for one in found.restatements]


def test_without_dates_the_newest_28_are_meant() -> None:
    assert period(None, None, date(2025, 6, 29)) == (date(2025, 6, 1), date(2025, 6, 28))
    with pytest.raises(Refused, match="must not be after"):
        period(date(2025, 6, 2), date(2025, 6, 1), date(2025, 6, 29))


def test_the_tables_of_a_restated_date_are_marked(changed: Changed) -> None:
    lake = changed.pipeline.lake
    assert restated_table_dates(lake, {APP}, FIRST) == {
        (table, RESTATED) for table in ("crashes", "purchases", "downloads")
    }
    assert restated_table_dates(lake, {"1000000002"}, FIRST) == frozenset()


@pytest.mark.parametrize(
    ("kpi", "table", "measure"), [("crashes", "crashes", "crashes"), ("proceeds", "purchases", "proceeds_in_usd")]
)
def test_a_kpi_over_all_rows_tells_what_it_was(changed: Changed, kpi: str, table: str, measure: str) -> None:
    points = changed.points(kpi, app_ids=(APP,))
    point = points[RESTATED]
    assert point.value == totals(changed.pipeline)[table][measure]
    assert point.restated_from == changed.before[table][measure]
    assert point.restated_on == CHANGED_ON
    (told,) = point.restated_sums
    assert (told.measure, told.before, told.now) == (measure, point.restated_from, point.value)
    assert all(one.restated_on is None for day_, one in points.items() if day_ != RESTATED)


def test_of_all_apps_only_the_restated_ones_numbers_differ(changed: Changed) -> None:
    point = changed.points("crashes")[RESTATED]
    now = totals(changed.pipeline, None)["crashes"]["crashes"]
    assert point.value == now
    apart = totals(changed.pipeline)["crashes"]["crashes"]
    assert point.restated_from == now - apart + changed.before["crashes"]["crashes"]
    assert changed.points("crashes", by="app")[RESTATED].restated_from == changed.before["crashes"]["crashes"]
    assert changed.points("crashes", app_ids=("1000000002",))[RESTATED].restated_on is None


def test_the_terminal_marks_the_same_dates(changed: Changed) -> None:
    for kpi, app_ids, by in (("crashes", (APP,), ""), ("crashes", (), "app_version"), ("total_downloads", (), "")):
        marked = changed.points(kpi, app_ids=app_ids, by=by)
        answer = ask(changed.pipeline, kpi, app_ids=app_ids, by=by)
        told = {point.day: (point.restated_from, point.restated_on) for point in answer.series[0].points}
        assert told[RESTATED] == (marked[RESTATED].restated_from, CHANGED_ON)
        assert all(day_ == RESTATED or mark == (None, None) for day_, mark in told.items())


def test_where_only_some_rows_count_or_a_dimension_splits_totals_stand_for_the_value(
    changed: Changed,
) -> None:
    for point in (
        changed.points("total_downloads", app_ids=(APP,))[RESTATED],
        changed.points("crashes", app_ids=(APP,), by="app_version", limit=1)[RESTATED],
    ):
        assert point.restated_on == CHANGED_ON
        assert point.restated_from is None
        assert point.restated_sums


def test_what_a_rollback_takes_back_is_told_and_has_no_mark_any_more(changed: Changed) -> None:
    """It changes what the tests before it read, so it comes last."""
    changed.pipeline.rollback(changed.correcting)
    told = changed.found(start=RESTATED, end=RESTATED).restatements
    assert {line.cause for line in told} == {"restated", "taken back"}
    (back,) = (line for line in told if (line.cause, line.measure) == ("taken back", "crashes"))
    assert back.now == changed.before["crashes"]["crashes"]
    point = changed.points("crashes", app_ids=(APP,))[RESTATED]
    assert (point.value, point.restated_on, point.restated_sums) == (back.now, None, ())

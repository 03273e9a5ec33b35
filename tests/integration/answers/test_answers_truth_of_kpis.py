"""`ask_kpis` against the same numbers computed independently: by DuckDB from `curated`, and from Apple's instances."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from asking import FIRST, ask, days, tables

from appstore_analytics.answers.facts import to_json
from appstore_analytics.contract.kpis import KPIS
from appstore_analytics.contract.kpis.definition import Basis, Dimension, Kpi
from appstore_analytics.contract.kpis.sql import sum_of
from local.apple import World, WorldSettings
from tests.aws_in_process import aws_in_process
from tests.integration.pipeline_in_process import APP, Pipeline

REPORTS = (
    "App Downloads Standard",
    "App Store Discovery and Engagement Standard",
    "App Sessions Standard",
    "App Store Purchases Standard",
    "App Crashes",
    "App Store Pre-Orders Standard",
)


@pytest.fixture(scope="module")
def six_tables() -> Iterator[Pipeline]:
    settings = WorldSettings(today=FIRST, apps=2, rows_per_date=12, segments_per_instance=1)
    with aws_in_process():
        pipeline = Pipeline(World(settings), reports=REPORTS)
        days(pipeline, 4)
        yield pipeline


def test_every_kpi_by_every_dimension_is_what_the_rows_say(six_tables: Pipeline) -> None:
    deployed = tables(six_tables)
    asked = [kpi for kpi in KPIS if kpi.basis is Basis.DATES and all(table in deployed for table in kpi.tables)]
    assert len(asked) > 20
    compared = 0
    rows = {table.name: six_tables.athena.table(table.name) for table in deployed}
    for by in ("", "app", *(each for each in Dimension if any(each in kpi.dimensions for kpi in asked))):
        kpis = [kpi for kpi in asked if by in ("", "app", *kpi.dimensions)]
        answer = ask(six_tables, *(kpi.name for kpi in kpis), start=FIRST - timedelta(days=9), by=by)
        for kpi in kpis:
            found = {
                (series.app_id, series.slice, point.day): point.value
                for series in answer.series
                for point in series.points
                if series.kpi == kpi.name and point.value is not None
            }
            wanted = dict(_from_rows(rows, kpi, by))
            # A value without any counted row has no series; an app without rows on a Date has a zero.
            assert {key: value for key, value in found.items() if value} == {
                key: value for key, value in wanted.items() if value
            }, (kpi.name, by)
            compared += len(wanted)
    assert compared > 1_000


def _from_rows(
    rows_of: Mapping[str, pa.Table], kpi: Kpi, by: str
) -> Iterator[tuple[tuple[str, str | None, date], Any]]:
    """The formula over the sums of the rows, for the Dates that all of its tables have."""
    sums: dict[tuple[str, str | None, date], dict[str, Any]] = {}
    app = "CAST(app_id AS VARCHAR)" if by == "app" else "''"
    value = f"CAST({_column(by)} AS VARCHAR)" if by not in ("", "app") else "NULL"
    with_rows: list[set[date]] = []
    for table in kpi.tables:
        rows = rows_of[table.name]  # noqa: F841 (DuckDB reads it by its name)
        amounts = [amount for amount in kpi.amounts if amount.table == table]
        columns = ", ".join(f"COALESCE({sum_of(amount)}, 0)" for amount in amounts)
        found = duckdb.sql(f"SELECT {app}, {value}, dt, {columns} FROM rows GROUP BY ALL").fetchall()
        with_rows.append({row[2] for row in found})
        for app_id, of, dt, *numbers in found:
            sums.setdefault((app_id, of, dt), {}).update(zip((a.name for a in amounts), numbers, strict=True))
    for key, named in sums.items():
        if all(key[2] in dates for dates in with_rows):
            above = sum(named.get(a.name, 0) for a in kpi.plus) - sum(named.get(a.name, 0) for a in kpi.minus)
            below = sum(named.get(a.name, 0) for a in kpi.over)
            if kpi.over and below:
                yield key, float(kpi.factor * Decimal(above) / Decimal(below))
            elif not kpi.over:
                yield key, above


def _column(by: str) -> str:
    if by != Dimension.DAYS_SINCE_DOWNLOAD:
        return by
    days = "date_diff('day', app_download_date, dt)"
    return f"CASE WHEN {days} BETWEEN 0 AND 30 THEN {days} END"


def test_retention_divides_the_devices_of_a_day_by_those_of_the_download_date(six_tables: Pipeline) -> None:
    answer = ask(six_tables, "retention", start=FIRST - timedelta(days=40))
    rows = six_tables.athena.table("sessions")  # noqa: F841
    wanted = {
        (cohort, number): devices
        for cohort, number, devices in duckdb.sql(
            "SELECT app_download_date, CAST(date_diff('day', app_download_date, dt) AS VARCHAR), SUM(unique_devices) "
            "FROM rows WHERE app_download_date IS NOT NULL GROUP BY ALL"
        ).fetchall()
    }
    found = {(point.day, series.slice): point.value for series in answer.series for point in series.points}
    compared = 0
    for (cohort, number), value in found.items():
        if value is not None and wanted.get((cohort, "0")):
            assert value == pytest.approx(float(wanted.get((cohort, number), 0)) / float(wanted[cohort, "0"]))
            compared += number != "0"
    assert compared
    assert {value for (_, number), value in found.items() if number == "0" and value is not None} == {1.0}


def test_an_answer_is_plain_json_and_says_what_to_know(six_tables: Pipeline) -> None:
    answer = to_json(ask(six_tables, "active_devices", "conversion_rate", "proceeds"))
    assert [(kpi["name"], kpi["bound"], bool(kpi["trap"])) for kpi in answer["kpis"]] == [
        ("active_devices", "at most", True),
        ("conversion_rate", "at least", True),
        ("proceeds", "", True),
    ]
    devices, conversion, proceeds = answer["series"]
    assert devices["total"] is None, "uniques of several Dates are not summed"
    assert conversion["total"] > 0
    assert proceeds["total"] == pytest.approx(sum(point["value"] or 0 for point in proceeds["points"]))


def test_several_apps_are_added_and_by_app_each_has_its_series(six_tables: Pipeline) -> None:
    by_app = ask(six_tables, "total_downloads", by="app")
    apps = tuple(six_tables.world.apps)
    assert [series.app_id for series in by_app.series] == list(apps)
    (both,) = ask(six_tables, "total_downloads", app_ids=apps).series
    (everything,) = ask(six_tables, "total_downloads").series
    (one,) = ask(six_tables, "total_downloads", app_ids=(APP,)).series
    assert both.points == everything.points
    assert one == by_app.series[0]
    assert both.total == sum(series.total or 0 for series in by_app.series)

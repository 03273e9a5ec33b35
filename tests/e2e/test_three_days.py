import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from deployed import (
    DAILY_TABLES,
    DATES_PER_INSTANCE,
    DAY,
    DOWNLOADS,
    TABLES,
    VINTAGES_TABLES,
    WEEKLY_TABLES,
    Deployed,
    app,
    friday_of_the_scenarios,
    name_of,
    report_of,
    secrets_in,
    series,
    texts_left_behind,
)
from glue_types import GLUE_TO_ARROW, GLUE_TO_DUCKDB, GLUE_TO_POLARS

from appstore_analytics.answers.executions import Execution
from appstore_analytics.contract.errors import QueryFailed

APPS = (app(15), app(16), app(17))
RESTATED, LATE = APPS[0], APPS[2]
WEDNESDAY = friday_of_the_scenarios() - DAY * 2
THURSDAY, FRIDAY = WEDNESDAY + DAY, WEDNESDAY + DAY * 2
OLD_DATE = THURSDAY - DAY * DATES_PER_INSTANCE  # Friday's window no longer holds it
RESTATED_DATES = (OLD_DATE, THURSDAY - DAY * 2)
CREATE, DOWNLOAD = "POST /v1/analyticsReportRequests", "GET /segments/{instance}/{segment}"

NOTHING_TO_TELL = {
    "Which final Dates were corrected after all?",
    "Which apps lost data against the week before?",
    "How did each app end in the last days, and why?",
    "What did a Date look like before?",
    "Impressions to downloads, by territory",
    "What does Apple send that the catalogue does not know?",
}
"""Queries of the documentation that can be empty after a few good days of small apps."""

Numbers = tuple[int, dict[str, Decimal]]


@dataclass(frozen=True)
class ThreeDays:
    """The executions, and the counts after each."""

    wednesday: Execution
    thursday: Execution
    friday: Execution
    friday_again: Execution
    calls: dict[str, dict[str, int]]
    before: dict[date, Numbers]
    after: dict[date, Numbers]
    etags_after_friday: dict[str, str]
    etags_in_the_end: dict[str, str]


@pytest.fixture(scope="module")
def days(deployed: Deployed) -> ThreeDays:
    world, calls = deployed.world, {}

    def run(name: str) -> Execution:
        earlier = (deployed.calls(CREATE), deployed.calls(DOWNLOAD), deployed.api_calls())
        execution = deployed.daily(name, APPS)
        now = (deployed.calls(CREATE), deployed.calls(DOWNLOAD), deployed.api_calls())
        calls[name] = dict(
            zip(("created", "downloaded", "api"), (b - a for a, b in zip(earlier, now, strict=True)), strict=True)
        )
        return execution

    def restated() -> dict[date, Numbers]:
        found = deployed.counted("engagement", (RESTATED,))
        return {day: numbers for (_, day, _), numbers in found.items() if day in RESTATED_DATES}

    deployed.begin(WEDNESDAY)
    wednesday = run("wednesday")
    world.move_to(THURSDAY)
    world.delay_instance(series(LATE, DOWNLOADS), THURSDAY, FRIDAY)
    thursday = run("thursday")
    before = restated()
    for day in RESTATED_DATES:
        world.restate(series(RESTATED), day)
    world.move_to(FRIDAY)
    friday = run("friday")
    after, etags = restated(), deployed.etags()
    friday_again = run("friday-again")
    return ThreeDays(wednesday, thursday, friday, friday_again, calls, before, after, etags, deployed.etags())


# Day 1


def test_day_one_registers_every_app_and_nothing_is_ready(deployed: Deployed, days: ThreeDays) -> None:
    report = report_of(days.wednesday)
    assert (days.wednesday.status, report["status"]) == ("SUCCEEDED", "SUCCEEDED")
    assert report["apps_by_verdict"] == {"not ready": [*APPS]}
    assert report["requests_created"] == days.calls["wednesday"]["created"] == len(APPS)
    numbers = ("instances", "segments", "rows_raw", "rows_curated", "rows_athena", "dates_published")
    assert [report[number] for number in numbers] == [0] * len(numbers)


# Day 2


def test_day_two_reports_every_number_of_what_arrived(deployed: Deployed, days: ThreeDays) -> None:
    daily_tables = (*DAILY_TABLES, *VINTAGES_TABLES)
    every = [
        (key[0], rows)
        for table in daily_tables
        for key, (rows, _) in deployed.every(table, APPS).items()
        if key[2] == THURSDAY and not (table == "downloads" and key[0] == LATE)
    ]
    rows, parts = sum(rows for _, rows in every), len(every)
    landed = [
        stored
        for stored in deployed.raw.list("raw/")
        if stored.key.split("/")[2] in APPS
        and stored.key.split("/")[4] == THURSDAY.isoformat()
        and not (stored.key.split("/")[1] == "downloads" and stored.key.split("/")[2] == LATE)
    ]
    instances = len(APPS) * len(daily_tables) - 1
    report = dict(report_of(days.thursday))
    assert report.pop("seconds") > 0
    assert datetime.fromisoformat(report.pop("started_at")).tzinfo is not None
    assert re.fullmatch(r"\d{8}T\d{9}Z-thursday", report.pop("run_id"))
    published = report.pop("rows_curated")  # including rows of other scenarios' apps on these Dates
    assert published == report.pop("rows_athena") >= rows
    assert report == {
        "operation": "daily",
        "as_of": THURSDAY.isoformat(),
        "started_by": "unknown",
        "status": "SUCCEEDED",
        "cause": "",
        "apps": len(APPS),
        "apps_by_verdict": {"verified": [*APPS]},
        "app_names": {app_id: name_of(app_id) for app_id in APPS},
        "requests_created": 0,
        "duplicates_prevented": len(APPS),
        "instances": instances,
        "segments": len(landed),
        "bytes": sum(stored.size_bytes for stored in landed),
        "rows_raw": rows,
        "rows_dropped": 0,
        "digits_rounded": 0,
        "dates_skipped": 0,
        "dates_repeated": 0,
        "rows_repeated": 0,
        "segments_repeated": 0,
        "parts_written": parts,
        "parts_replaced": 0,
        "parts_unchanged": 0,
        "parts_refused": 0,
        "parts_restored": 0,
        "parts_deleted": 0,
        "parts_superseded": 0,
        "superseded": [],
        "dates_published": len(daily_tables) * DATES_PER_INSTANCE,
        "apple_calls": days.calls["thursday"]["api"] - 1,  # plan_run asked for the account's apps
        "unknown_columns": {},
        "missing_columns": {},
        "skipped_dates": {},
        "repeated_dates": {},
        "missing_reports": {},
        "unknown_reports": [],
        "notices": [],
        "waits": [],
        "errors": [],
    }
    assert len(landed) == days.calls["thursday"]["downloaded"]


def test_the_run_report_lies_in_the_lake_under_the_time_of_its_run(deployed: Deployed, days: ThreeDays) -> None:
    assert re.fullmatch(r"reports/production_daily_\d{8}T\d{9}Z-[a-z0-9-]+\.json", days.thursday.report_key)
    assert json.loads(deployed.pipeline.lake.read(days.thursday.report_key) or b"") == days.thursday.report


# Day 3


def test_day_three_replaces_both_restated_dates_whole(deployed: Deployed, days: ThreeDays) -> None:
    assert days.friday.status == "SUCCEEDED"
    assert set(days.before) == set(days.after) == set(RESTATED_DATES)
    for day in RESTATED_DATES:
        (rows_before, sums_before), (rows_after, sums_after) = days.before[day], days.after[day]
        assert rows_after < rows_before
        assert sums_after != sums_before
    ledger = deployed.rows(
        "SELECT date, replaced_processing_date, replaced_rows, rows FROM batches "
        f"WHERE run_id = '{report_of(days.friday)['run_id']}' AND table_name = 'engagement' AND app_id = {RESTATED} "
        f"AND date IN (DATE '{RESTATED_DATES[0]}', DATE '{RESTATED_DATES[1]}') ORDER BY date",
        "appstore",
    )
    assert ledger == [
        (str(day), str(THURSDAY), str(days.before[day][0]), str(days.after[day][0])) for day in RESTATED_DATES
    ]


def test_the_late_instance_speaks_only_where_no_newer_one_does(deployed: Deployed, days: ThreeDays) -> None:
    found = {day: built for _, day, built in deployed.counted("downloads", (LATE,))}
    assert found == {OLD_DATE: THURSDAY} | {FRIDAY - DAY * age: FRIDAY for age in range(1, DATES_PER_INSTANCE + 1)}
    assert report_of(days.friday)["instances"] == len(APPS) * len(TABLES) + 1


def test_the_friday_brings_the_week_as_well(deployed: Deployed, days: ThreeDays) -> None:
    monday = FRIDAY - DAY * 11
    for table in WEEKLY_TABLES:
        assert set(deployed.counted(table, APPS)) == {(app_id, monday, FRIDAY) for app_id in APPS}


# Day 3 again


def test_the_second_run_of_a_day_asks_for_nothing_and_changes_no_byte(deployed: Deployed, days: ThreeDays) -> None:
    report = report_of(days.friday_again)
    assert days.friday_again.status == "SUCCEEDED"
    assert days.calls["friday-again"]["created"] == report["requests_created"] == 0
    assert days.calls["friday-again"]["downloaded"] == report["segments"] == report["instances"] == 0
    assert report["duplicates_prevented"] == len(APPS)
    assert report["rows_raw"] == report["rows_curated"] == report["dates_published"] == 0
    assert report["apps_by_verdict"] == {"unchanged": [*APPS]}
    assert days.etags_after_friday
    assert days.etags_in_the_end == days.etags_after_friday
    changed = deployed.rows(f"SELECT COUNT(*) FROM batches WHERE run_id = '{report['run_id']}'", "appstore")
    assert changed == [("0",)]


def test_the_registry_counts_what_was_created_and_what_was_prevented(deployed: Deployed, days: ThreeDays) -> None:
    assert all(len(deployed.world.requests_of(app_id)) == 1 for app_id in APPS)
    totals = deployed.pipeline.registry.statistics.totals()
    assert totals["requests_created"] == deployed.world.statistics.by_route()[CREATE]["201"]
    assert totals["duplicates_prevented"] >= 3 * len(APPS)


# Comparison with Apple


@pytest.mark.parametrize("table", [*DAILY_TABLES, *WEEKLY_TABLES])
@pytest.mark.usefixtures("days")
def test_a_table_holds_the_newest_vintages_and_nothing_else(deployed: Deployed, table: str) -> None:
    truth = deployed.newest(table, APPS)
    assert truth
    assert deployed.counted(table, APPS) == truth


@pytest.mark.parametrize("table", VINTAGES_TABLES)
@pytest.mark.usefixtures("days")
def test_a_vintages_table_holds_every_vintage_and_says_which_is_newest(deployed: Deployed, table: str) -> None:
    assert deployed.counted(table, APPS) == deployed.every(table, APPS)
    newest = deployed.counted(table, APPS, "is_newest_vintage")
    assert newest == deployed.newest(table, APPS)
    older = deployed.counted(table, APPS, "NOT is_newest_vintage")
    assert len(older) == len(APPS) * (DATES_PER_INSTANCE - 1)


# SQL


def test_the_query_that_everybody_starts_with(deployed: Deployed, days: ThreeDays) -> None:
    since = FRIDAY - DAY * 4
    answer = deployed.rows(
        "SELECT dt, COUNT(*), COUNT(DISTINCT app_id) FROM curated.engagement "
        f"WHERE dt >= DATE '{since}' AND app_id IN ({', '.join(APPS)}) GROUP BY dt ORDER BY dt"
    )
    expected: dict[date, int] = {}
    for (_, day, _), (rows, _) in deployed.newest("engagement", APPS).items():
        expected[day] = expected.get(day, 0) + rows
    assert answer == [(str(day), str(rows), str(len(APPS))) for day, rows in sorted(expected.items()) if day >= since]
    assert len(answer) == 4


@pytest.mark.usefixtures("days")
def test_a_date_compared_with_a_string_is_refused(deployed: Deployed) -> None:
    with pytest.raises(QueryFailed, match="TYPE_MISMATCH"):
        deployed.rows(f"SELECT COUNT(*) FROM engagement WHERE dt >= '{WEDNESDAY}'")


def test_the_pipelines_own_records_answer_in_sql(deployed: Deployed, days: ThreeDays) -> None:
    report = report_of(days.friday)
    where = f"run_id = '{report['run_id']}'"

    def ask(columns: str, table: str, more: str = "") -> list[tuple[str | None, ...]]:
        return deployed.rows(f"SELECT {columns} FROM {table} WHERE {where} {more}", "appstore")

    numbers = ("apps", "instances", "segments", "bytes", "rows_raw", "rows_curated", "rows_athena", "apple_calls")
    assert ask(", ".join(("status", "as_of", "apps_failed", *numbers)), "runs") == [
        ("SUCCEEDED", str(FRIDAY), "0", *(str(report[number]) for number in numbers))
    ]
    assert ask("app_id, account, verdict", "apps", "ORDER BY app_id") == [(one, "main", "verified") for one in APPS]
    requests = [(request.id, str(request.created_on)) for one in APPS for request in deployed.world.requests_of(one)]
    assert ask("request_id, requested_on", "report_requests", "ORDER BY app_id") == requests
    assert ask("verdict, COUNT(*), SUM(rows_raw)", "instances", "GROUP BY verdict") == [
        ("converted", str(report["instances"]), str(report["rows_raw"]))
    ]
    assert ask("COUNT(*), SUM(bytes)", "segments") == [(str(report["segments"]), str(report["bytes"]))]
    assert ask("equal, SUM(rows_athena)", "verification", "GROUP BY equal") == [("true", str(report["rows_athena"]))]


# The files, without Athena


@pytest.fixture(scope="module")
def files(deployed: Deployed, days: ThreeDays, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """The scenario's objects of every table, on the local disk."""
    folder = tmp_path_factory.mktemp("curated")
    found: dict[str, list[Path]] = {}
    for table in TABLES:
        for stored in deployed.pipeline.lake.list(f"curated/{table}/"):
            path = folder / stored.key
            path.parent.mkdir(parents=True)
            path.write_bytes(deployed.pipeline.lake.read(stored.key) or b"")
            found.setdefault(table, []).append(path)
    assert set(found) == set(TABLES)
    return found


def _glue_columns(deployed: Deployed, table: str) -> dict[str, str]:
    """The last column is `extra`, which exists only in objects whose files need it."""
    found = deployed.aws.client("glue").get_table(DatabaseName="curated", Name=table)["Table"]
    return {column["Name"]: column["Type"] for column in found["StorageDescriptor"]["Columns"]}


@pytest.mark.parametrize("table", TABLES)
def test_pyarrow_reads_the_types_of_the_glue_table(
    deployed: Deployed, files: dict[str, list[Path]], table: str
) -> None:
    expected = [(name, GLUE_TO_ARROW[kind]) for name, kind in _glue_columns(deployed, table).items()]
    for path in files[table]:
        schema = pq.read_schema(path)
        assert list(zip(schema.names, schema.types, strict=True)) in (expected, expected[:-1])


@pytest.mark.parametrize("table", TABLES)
def test_duckdb_reads_the_types_of_the_glue_table(deployed: Deployed, files: dict[str, list[Path]], table: str) -> None:
    expected = [(name, GLUE_TO_DUCKDB[kind]) for name, kind in _glue_columns(deployed, table).items()]
    for path in files[table]:
        described = duckdb.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
        assert [(name, kind) for name, kind, *_ in described if name != "dt"] in (expected, expected[:-1])


@pytest.mark.parametrize("table", TABLES)
def test_polars_reads_the_types_of_the_glue_table(deployed: Deployed, files: dict[str, list[Path]], table: str) -> None:
    polars: Any = pytest.importorskip("polars")
    expected = [(name, GLUE_TO_POLARS[kind]) for name, kind in _glue_columns(deployed, table).items()]
    for path in files[table]:
        schema = polars.read_parquet_schema(path)
        assert [(name, str(kind)) for name, kind in schema.items()] in (expected, expected[:-1])


@pytest.mark.parametrize("table", DAILY_TABLES)
def test_the_files_alone_hold_one_vintage_per_app_and_date(
    deployed: Deployed, files: dict[str, list[Path]], table: str
) -> None:
    found: dict[tuple[str, date, date], int] = {}
    for path in files[table]:
        day = date.fromisoformat(path.parent.name.removeprefix("dt="))
        rows = pq.read_table(path, columns=["app_id", "processing_date"], partitioning=None)
        assert rows["app_id"].to_pylist() == sorted(rows["app_id"].to_pylist())
        for app_id, built in zip(rows["app_id"].to_pylist(), rows["processing_date"].to_pylist(), strict=True):
            if str(app_id) in APPS:
                found[str(app_id), day, built] = found.get((str(app_id), day, built), 0) + 1
    assert found == {key: rows for key, (rows, _) in deployed.newest(table, APPS).items()}


def test_every_question_of_the_documentation_is_answered(deployed: Deployed, days: ThreeDays) -> None:
    assert days.friday.status == "SUCCEEDED"
    page = (Path(__file__).parents[2] / "docs" / "queries.md").read_text(encoding="utf-8")
    questions = re.findall(r"^### (.+?)$.*?^```sql\n(.+?)^```", page, re.DOTALL | re.MULTILINE)
    asked_on_friday = [(title, sql.replace("CURRENT_DATE", f"DATE '{FRIDAY}'")) for title, sql in questions]
    unanswered = [title for title, sql in asked_on_friday if not deployed.rows(sql)]
    assert set(unanswered) <= NOTHING_TO_TELL


def test_no_key_no_token_and_no_signed_url_is_left_behind(deployed: Deployed, days: ThreeDays) -> None:
    texts = texts_left_behind(deployed)
    assert report_of(days.friday)["run_id"] in texts["registry"]
    assert report_of(days.friday)["run_id"] in texts["execution friday"]
    assert "START RequestId" in texts["log /aws/lambda/appstore-analytics-download-segments"]
    assert any(place.startswith("s3://") for place in texts)
    assert secrets_in(texts, deployed.api_keys) == []

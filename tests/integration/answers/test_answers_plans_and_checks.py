"""Questions that change nothing, answered by one pipeline after four days of runs."""

import gzip
import io
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import boto3
import pyarrow.parquet as pq
import pytest
from asking import day, days, tables

from appstore_analytics.answers.backfill_plan import BackfillPlan, backfill_payload, plan_backfill
from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.repairs import ReprocessPlan, plan_reprocess, plan_rollback, reprocess_payload
from appstore_analytics.answers.runs import find_report, newest_reports
from appstore_analytics.answers.schema import ABSENT, GLUE, PARQUET, UNKNOWN, SchemaComparison, compare_schemas
from appstore_analytics.answers.schema_sources import newest_instances, samples
from appstore_analytics.athena.glue import GlueDatabase
from appstore_analytics.contract.catalogue import REPORTS_BY_NAME
from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.errors import InputRefused
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.registry.keys import instance_key
from appstore_analytics.rules.execution_input import parse_execution_input
from local.apple import FaultKind, World, WorldSettings
from operations.moving_in import Import, import_registry, read_file
from tests.aws_in_process import aws_in_process
from tests.integration.pipeline_in_process import APP, DOWNLOADS, Pipeline

DAY = timedelta(days=1)
OTHER = "1000000002"
SESSIONS = "App Sessions Standard"
PERFORMANCE = "App Install Performance"
OPTIONAL = next(column for column in REPORTS_BY_NAME[PERFORMANCE].columns if not column.required)
SEGMENTS = "GET /v1/analyticsReportInstances/.*/segments"
TODAY = date(2025, 6, 5)


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    with aws_in_process():
        world = World(WorldSettings(today=date(2025, 6, 2), apps=2, rows_per_date=4, segments_per_instance=1))
        pipeline = Pipeline(world, reports=(DOWNLOADS, SESSIONS, PERFORMANCE))
        lacks = {"report": PERFORMANCE, "column": OPTIONAL.header, "times": None}
        pipeline.fault(FaultKind.HEADER_REMOVED, SEGMENTS, **lacks)
        day(pipeline)
        days(pipeline, 2)
        pipeline.fault(FaultKind.HEADER_ADDED, SEGMENTS, app_id=APP, report=SESSIONS)
        days(pipeline, 1)
        assert pipeline.world.today == TODAY
        yield pipeline


# schema-verify


def glue_with(*deployed: CuratedTable, changed: dict[str, str] | None = None) -> Any:
    """moto's Glue with these tables, where some columns have another type."""
    glue = boto3.client("glue", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    if "curated" not in {database["Name"] for database in glue.get_databases()["DatabaseList"]}:
        glue.create_database(DatabaseInput={"Name": "curated"})
    for table in deployed:
        columns = [
            {"Name": column.name, "Type": (changed or {}).get(column.name, str(column.type))}
            for column in table.columns
        ]
        if table.name in {each["Name"] for each in glue.get_tables(DatabaseName="curated")["TableList"]}:
            glue.delete_table(DatabaseName="curated", Name=table.name)
        table_input = {"Name": table.name, "StorageDescriptor": {"Columns": columns}}
        glue.create_table(DatabaseName="curated", TableInput=table_input)
    return glue


def schemas(pipeline: Pipeline, glue: Any, *chosen: CuratedTable, every_column: bool = False) -> SchemaComparison:
    places = (pipeline.registry, pipeline.raw, pipeline.lake, GlueDatabase(glue, "curated"))
    return compare_schemas(chosen, [APP, OTHER], *places, TODAY, every_column=every_column)


def test_a_table_that_agrees_everywhere_is_equal_column_by_column(pipeline: Pipeline) -> None:
    downloads = tables(pipeline)[0]
    found = schemas(pipeline, glue_with(downloads), downloads, every_column=True)
    assert found.is_good
    assert found.patch == ""
    assert [line.column for line in found.columns] == [column.name for column in downloads.columns]
    assert (found.columns[-1].glue, found.columns[-1].parquet) == ("map<string,string>", "")  # no file has more
    counts = next(line for line in found.columns if line.column == "counts")
    assert (counts.header, counts.catalogue, counts.glue, counts.parquet) == ("Counts", "bigint", "bigint", "bigint")
    assert found.tables[0].files == 5


def test_a_new_header_is_drift_with_a_patch(pipeline: Pipeline) -> None:
    sessions = tables(pipeline)[1]
    found = schemas(pipeline, glue_with(sessions), sessions)
    assert not found.is_good
    (line,) = found.columns
    assert line.verdict == UNKNOWN
    assert found.tables[0].drifted == 1
    day = max(day for _, day in pipeline.batches("sessions"))
    sessions_object = pipeline.lake.read(TableDate("sessions", day).curated_key) or b""
    assert "extra" in pq.read_schema(io.BytesIO(sessions_object)).names
    assert f'+            Column("{line.header}"' in found.patch
    assert "/contract/catalogue/app_usage.py" in found.patch


def test_glue_and_parquet_are_held_against_the_catalogue(pipeline: Pipeline) -> None:
    downloads = tables(pipeline)[0]
    found = schemas(pipeline, glue_with(downloads, changed={"counts": "string"}), downloads)
    assert [(line.column, line.glue, line.verdict) for line in found.columns] == [("counts", "string", GLUE)]
    day = TableDate("downloads", max(day for _, day in pipeline.batches("downloads")))
    whole = pipeline.lake.read(day.curated_key) or b""
    sessions = pipeline.lake.read(TableDate("sessions", day.day).curated_key) or b""
    pipeline.lake.write(day.curated_key, sessions)
    try:
        found = schemas(pipeline, glue_with(downloads), downloads)
    finally:
        pipeline.lake.write(day.curated_key, whole)
    assert ("total_session_duration", PARQUET) in {(line.column, line.verdict) for line in found.columns}


def test_a_column_that_the_newest_files_lack_is_drift_without_a_patch(pipeline: Pipeline) -> None:
    performance = tables(pipeline)[2]
    found = schemas(pipeline, glue_with(performance), performance)
    assert [(line.column, line.header, line.verdict) for line in found.columns] == [(OPTIONAL.name, "", ABSENT)]
    assert found.patch == ""


@pytest.mark.parametrize("content", [b"no gzip", gzip.compress(b""), None], ids=["no gzip", "empty", "cut"])
def test_a_file_that_cannot_be_read_hides_none_that_can(pipeline: Pipeline, content: bytes | None) -> None:
    downloads = tables(pipeline)[0]
    instances = newest_instances([APP, OTHER], pipeline.registry, date.min)[downloads.name]
    key = instances[0].segments[0].key
    whole = pipeline.raw.read(key) or b""
    broken = whole[:-8] + b"12345678" if content is None else content
    pipeline.raw.write(key, broken)
    try:
        seen = list(samples(pipeline.raw, instances, 2))
        found = schemas(pipeline, glue_with(downloads), downloads)
    finally:
        pipeline.raw.write(key, whole)
    assert [key in {sample.key for sample in seen}, len(seen)] == [content is None, 2]
    assert (found.is_good, found.tables[0].files) == (True, 5)


def test_a_table_that_glue_lacks_is_drift_in_every_column(pipeline: Pipeline) -> None:
    downloads = tables(pipeline)[0]
    glue = glue_with(downloads)
    glue.delete_table(DatabaseName="curated", Name=downloads.name)
    found = schemas(pipeline, glue, downloads)
    assert found.tables[0].drifted == len(downloads.columns)
    assert {line.verdict for line in found.columns} == {GLUE}


# the backfill's plan


def planned(pipeline: Pipeline, *app_ids: str, **more: Any) -> BackfillPlan:
    payload = backfill_payload(app_ids, date(2025, 4, 1), date(2025, 4, 30), more.get("reports", ()), TODAY)
    wanted = parse_execution_input(payload, TODAY)
    accounts = pipeline.configuration.accounts
    return plan_backfill(payload, wanted, pipeline.configuration, accounts, pipeline.registry, pipeline.lake)


def test_a_backfill_is_planned_from_what_is_counted(pipeline: Pipeline) -> None:
    plan = planned(pipeline, APP, OTHER, reports=("downloads",))
    assert (plan.apps, plan.requests_to_make) == (2, 2)
    assert [one.snapshot for one in plan.snapshots] == ["request", "request"]
    assert plan.apple_calls == 2 * 2 + 2 * (1 + 1) + 2  # look and create; reports and instances; segments
    assert plan.apple_calls_per_hour == 1697
    (table,) = plan.tables
    usual = table.rows_expected or 0
    assert (table.dates, table.apps_known) == (30, 2)
    assert 30 * 2 <= usual <= 30 * 2 * 4
    assert plan.rows_expected == usual
    assert plan.us_dollars == round(sum(line.us_dollars for line in plan.costs), 2)
    assert json.loads(plan.execution_input)["app_ids"] == [APP, OTHER]


def test_a_snapshot_that_stands_is_used_and_a_worn_out_one_replaced(pipeline: Pipeline) -> None:
    requests = pipeline.registry.report_requests
    requests.adopt("1000000003", AccessType.ONE_TIME_SNAPSHOT, "00000000-0003", TODAY - 5 * DAY, TODAY)
    requests.adopt("1000000004", AccessType.ONE_TIME_SNAPSHOT, "00000000-0004", TODAY - 40 * DAY, TODAY)
    configuration = pipeline.configuration
    accounts = (Account("main", ("1000000003", "1000000004")),)
    payload = backfill_payload(accounts[0].app_ids, date(2025, 4, 1), date(2025, 4, 30), (), TODAY)
    wanted = parse_execution_input(payload, TODAY)
    plan = plan_backfill(payload, wanted, configuration, accounts, pipeline.registry, pipeline.lake)
    assert [(one.snapshot, one.next_possible_on) for one in plan.snapshots] == [
        ("use", TODAY + 28 * DAY),
        ("replace", None),
    ]
    assert plan.requests_to_make == 1
    assert {table.rows_expected for table in plan.tables} == {None}  # nothing is guessed


def test_a_plan_for_an_unknown_app_or_report_is_refused(pipeline: Pipeline) -> None:
    with pytest.raises(Refused, match="9999"):
        planned(pipeline, "9999")
    with pytest.raises(Refused, match="not deployed"):
        planned(pipeline, APP, reports=("crashes",))
    with pytest.raises(InputRefused):
        planned(pipeline, APP, reports=("no such table",))


# what a rollback and a reprocess touch


def test_a_rollback_says_what_the_run_changed(pipeline: Pipeline) -> None:
    (_, report), *_ = newest_reports(pipeline.lake, 1)
    plan = plan_rollback(report, pipeline.lake)
    assert [table.table_name for table in plan.tables] == ["downloads", "performance", "sessions"]
    downloads = plan.tables[0]
    assert (downloads.apps, downloads.last) == (2, TODAY - DAY)
    assert downloads.batches == 2 * downloads.dates
    assert 0 < downloads.rows_before < downloads.rows_after
    assert json.loads(plan.execution_input) == {"operation": "rollback", "run_id": report["run_id"]}


def planned_reprocess(
    pipeline: Pipeline,
    app_ids: tuple[str, ...] = (),
    reports: tuple[str, ...] = ("downloads", "sessions"),
    start: date | None = None,
    end: date | None = None,
    run_id: str | None = None,
) -> ReprocessPlan:
    payload = reprocess_payload(app_ids, reports, start, end, run_id)
    wanted, configuration = parse_execution_input(payload, TODAY), pipeline.configuration
    return plan_reprocess(payload, wanted, configuration, configuration.accounts, pipeline.registry)


def test_a_reprocess_says_which_instances_it_converts(pipeline: Pipeline) -> None:
    everything = planned_reprocess(pipeline)
    assert [(table.apps, table.instances) for table in everything.tables] == [(2, 6), (2, 6)]
    (table,) = planned_reprocess(pipeline, (APP,), ("downloads",), TODAY, TODAY).tables
    assert (table.apps, table.instances, table.segments) == (1, 1, 1)
    assert table.bytes > 0
    run_id = next(newest_reports(pipeline.lake, 1))[1]["run_id"]
    of_run = planned_reprocess(pipeline, run_id=run_id)
    assert {table.newest_processing_date for table in of_run.tables} == {TODAY}
    assert sum(table.instances for table in of_run.tables) == 4  # of two apps


def test_a_reprocess_that_the_pipeline_would_refuse_is_refused_before_it_starts(pipeline: Pipeline) -> None:
    with pytest.raises(Refused, match="9999"):
        planned_reprocess(pipeline, ("9999",))
    with pytest.raises(Refused, match="'App Crashes' is not deployed"):
        planned_reprocess(pipeline, reports=("App Crashes",))
    with pytest.raises(InputRefused, match="not 'nonsense'"):
        planned_reprocess(pipeline, reports=("nonsense",))
    with pytest.raises(InputRefused, match="start_processing_date must not be after"):
        planned_reprocess(pipeline, start=TODAY, end=TODAY - DAY)


def test_a_reprocess_leaves_out_instances_whose_raw_files_have_expired(pipeline: Pipeline) -> None:
    instances = pipeline.registry.instances
    (expired,) = (one for one in instances.of_app(APP, TODAY) if one.table == "downloads")
    instances.mark_raw_expired(expired)
    (table,) = planned_reprocess(pipeline, (APP,), ("downloads",)).tables
    pipeline.registry.table.update_item(
        Key=instance_key(APP, expired.vintage),
        UpdateExpression="REMOVE raw_has_expired",
    )
    assert (table.instances, table.newest_processing_date) == (2, TODAY - DAY)


def test_a_report_is_found_by_the_beginning_of_its_runs_id(pipeline: Pipeline) -> None:
    reports = [report["run_id"] for _, report in newest_reports(pipeline.lake, 10)]
    assert reports == sorted(reports, reverse=True)
    for run_id in reports:
        for asked in (run_id, run_id[:20]):
            found = find_report(pipeline.lake, asked)
            assert found
            assert found[1]["run_id"] == run_id
    newest = find_report(pipeline.lake, "newest")
    assert newest
    assert newest[1]["run_id"] == reports[0]
    assert find_report(pipeline.lake, "2031") is None


# import-registry


def imported(pipeline: Pipeline, tmp_path: Path, content: Any) -> Import:
    file = tmp_path / "production_request_registry.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return import_registry(file.name, read_file(file), pipeline.registry, TODAY)


def entry(app_id: str, request_id: str, created_at: str | None = "2025-05-20T08:00:00+00:00") -> dict[str, Any]:
    return {"app_id": app_id, "request_id": request_id, "created_at": created_at, "status": "active"}


def test_requests_of_an_earlier_pipeline_are_known_from_then_on(pipeline: Pipeline, tmp_path: Path) -> None:
    content = {
        "version": "2.0",
        "created_at": "2025-01-01T00:00:00+00:00",
        "last_updated": None,
        "ongoing_requests": {"1000000011": entry("1000000011", "aaaaaaaa-0001"), APP: entry(APP, "aaaaaaaa-0002")},
        "one_time_requests": {
            "1000000011:2025-01-01:2025-01-31": entry("1000000011", "bbbbbbbb-0001"),
            "1000000011:2025-02-01:2025-02-28": entry("1000000011", "bbbbbbbb-0002", "2025-05-25T08:00:00+00:00"),
        },
        "request_history": {},
        "app_status": {},
        "statistics": {"total_requests_created": 4},
    }
    answer = imported(pipeline, tmp_path, content)
    outcomes = {(line.app_id, line.access_type, line.request_id): line.outcome for line in answer.requests}
    assert outcomes == {
        (APP, "ONGOING", "aaaaaaaa-0002"): "skipped",
        ("1000000011", "ONGOING", "aaaaaaaa-0001"): "imported",
        ("1000000011", "ONE_TIME_SNAPSHOT", "bbbbbbbb-0001"): "skipped",
        ("1000000011", "ONE_TIME_SNAPSHOT", "bbbbbbbb-0002"): "imported",
    }
    assert answer.is_good
    known = pipeline.registry.report_requests.get("1000000011", AccessType.ONE_TIME_SNAPSHOT)
    assert (known.request_id, known.requested_on, known.looked_on) == ("bbbbbbbb-0002", date(2025, 5, 25), None)
    again = imported(pipeline, tmp_path, content)
    assert {line.outcome for line in again.requests} == {"known", "skipped"}


def test_the_file_of_one_app_is_adopted_without_its_day(pipeline: Pipeline, tmp_path: Path) -> None:
    content = {**entry("1000000012", "cccccccc-0001"), "access_type": "ONGOING", "last_verified": "2025-06-01"}
    assert [line.outcome for line in imported(pipeline, tmp_path, content).requests] == ["imported"]
    known = pipeline.registry.report_requests.get("1000000012", AccessType.ONGOING)
    assert (known.request_id, known.requested_on, known.known_since) == ("cccccccc-0001", None, TODAY)


@pytest.mark.parametrize(
    "broken",
    [
        {**entry("1000000013", "dddddddd-0001"), "request_id": None},
        {**entry("1000000013", "dddddddd-0001"), "request_id": "../../x"},
        entry("1000000014", "dddddddd-0001"),
        entry("1000000013", "dddddddd-0001", "yesterday"),
        entry("1000000013", "dddddddd-0001", "2031-01-01T00:00:00+00:00"),
        "dddddddd-0001",
    ],
)
def test_an_entry_that_is_not_understood_is_refused_alone(pipeline: Pipeline, tmp_path: Path, broken: Any) -> None:
    answer = imported(pipeline, tmp_path, {"ongoing_requests": {"1000000013": broken}, "mystery": 1})
    (line,) = answer.requests
    assert line.outcome == "refused"
    assert line.reason
    assert answer.not_understood == ("mystery",)
    assert not answer.is_good
    assert pipeline.registry.report_requests.get("1000000013", AccessType.ONGOING).request_id is None


@pytest.mark.parametrize(
    "content", ["{", "[]", "{}", '{"ongoing_requests": 1}', '{"version": "3.0", "ongoing_requests": {}}']
)
def test_a_file_that_is_no_registry_is_refused_whole(pipeline: Pipeline, tmp_path: Path, content: str) -> None:
    with pytest.raises(Refused):
        imported(pipeline, tmp_path, content)


def test_a_file_that_is_not_there_is_named(pipeline: Pipeline, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"nothing\.json"):
        read_file(tmp_path / "nothing.json")

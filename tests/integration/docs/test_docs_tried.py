"""Manual steps of the documentation, run against moto, and documented output, compared with the real output."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pytest

from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.lake.publication import publish
from appstore_analytics.lake.run_notes import write_plan
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.registry import Registry
from appstore_analytics.rules.call_budget import minute_of
from appstore_analytics.steps.summarize_run import summarize_run
from benchmarks.publication.lake_of_files import BucketOfFiles, fill_with_parts
from benchmarks.samples.data import LAST_DATE
from tests.aws_in_process import aws_in_process, new_bucket, new_registry
from tests.unit.docs.reading_docs import ROOT, blocks, commands

OPERATIONS = ROOT / "docs" / "operations.md"
ENGINES = ROOT / "docs" / "engines.md"
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.fixture
def registry() -> Iterator[Registry]:
    with aws_in_process():
        yield new_registry()


def _by_hand(registry: Registry, operation: str) -> dict[str, Any]:
    """Runs the page's `aws dynamodb <operation>` on the test's table."""
    (command,) = [
        command
        for block in blocks("sh", pages=(OPERATIONS,))
        for command in commands(block)
        if command[:3] == ["aws", "dynamodb", operation]
    ]
    options = dict(zip(command[3::2], command[4::2], strict=True))
    assert options.pop("--table-name") == "$registry"
    arguments = {
        "".join(word.capitalize() for word in name.strip("-").split("-")): json.loads(value)
        if value.startswith("{")
        else value
        for name, value in options.items()
    }
    # A separate client sends typed JSON like the AWS CLI; a Table's client would convert it again.
    client = boto3.client("dynamodb", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    answer: dict[str, Any] = getattr(client, operation.replace("-", "_"))(TableName=registry.table.name, **arguments)
    return answer


def test_the_budget_is_read_as_the_page_says(registry: Registry) -> None:
    registry.call_budget("main").reserve(7, most=100, now=NOW)
    registry.call_budget("main").rest(60, NOW)
    item = _by_hand(registry, "get-item")["Item"]
    assert item["used"] == item[f"m{minute_of(NOW)}"] == {"N": "7"}
    assert "closed_until" in item


def test_the_run_report_has_the_fields_of_a_real_one(registry: Registry) -> None:
    lake = new_bucket("lake")
    run_id = "20261123T100000000Z-noon"
    plan = RunPlan(run_id, Operation.DAILY, NOW.date(), NOW, (), (), (), 3500)
    write_plan(lake, plan)
    summarize_run(run_id, "", registry, lake, lambda *_: None, NOW)
    _, page, stored = lake.list("reports/")
    real = json.loads(lake.read(stored.key) or b"")
    (shown,) = (json.loads(block.text) for block in blocks("json", pages=(OPERATIONS,)))
    assert shown.keys() == real.keys()
    assert stored.key == "reports/production_daily_20261123T100000000Z-noon.json"
    assert page.key == "reports/production_daily_20261123T100000000Z-noon.html"


def test_duckdb_reads_the_published_files_as_the_page_says(tmp_path: Path) -> None:
    lake, table = BucketOfFiles(tmp_path / "lake"), tables_by_name()["engagement"]
    fill_with_parts(lake, table.name, apps=3, rows_of_app=40, dates=2)
    days = [LAST_DATE - timedelta(days=1), LAST_DATE]
    published = [publish(lake, table, day, tmp_path).rows for day in days]
    (query,) = [block.text for block in blocks("sql", pages=(ENGINES,)) if "read_parquet" in block.text]
    _, query = query.split(";", 1)  # the first statement has the path of the credentials
    with duckdb.connect() as connection:
        rows = connection.execute(query.replace("s3://<lake bucket>", str(tmp_path / "lake"))).fetchall()
    assert [(day, count, apps) for day, count, apps, _ in rows] == [
        (day, count, 3) for day, count in zip(days, published, strict=True)
    ]
    assert all(events > 0 for *_, events in rows)

"""An installation with many apps and a full lake: objects, KPIs and notes of each Date, a run, and freshness checks.

The pipeline's own code writes everything. All apps have the rows of one invented app, under their own ids, so a lake
with a thousand apps takes a minute to make.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.configuration import Configuration
from appstore_analytics.contract.layout import TableDate, parts_location, run_key
from appstore_analytics.contract.names import Database
from appstore_analytics.contract.tables import APP_ID, CuratedTable
from appstore_analytics.lake.check_rows import open_check
from appstore_analytics.lake.checks import stored_checks
from appstore_analytics.lake.kpis.rollup import Rollup
from appstore_analytics.lake.kpis.schema import footer
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.parquet import RowGroups, table_layout
from appstore_analytics.lake.published import DIGEST, note
from appstore_analytics.lake.schema import in_memory, string_columns, table_schema
from appstore_analytics.model.parts import Batch
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.registry import Registry
from appstore_analytics.rules.calendar import complete_on
from appstore_analytics.steps.check_freshness import check_freshness
from appstore_analytics.steps.compact_months import compact_months
from appstore_analytics.steps.summarize_run import summarize_run
from benchmarks.measuring.progress import say
from benchmarks.publication.lake_of_files import BucketOfFiles, convert_into
from benchmarks.samples.data import segment
from benchmarks.scale import aws as answers_of_aws
from benchmarks.scale.aws import NOON, RUN_ID, TODAY, Day
from local.aws.server import EmbeddedAws

REPORTS = (
    "App Downloads Standard",
    "App Sessions Standard",
    "App Store Purchases Standard",
    "App Store Discovery and Engagement Standard",
    "App Crashes",
)
DATES = 72
"""28 Dates, the 28 before them, those that are not final yet, and some more."""

ROWS = 15
"""The rows of an app and Date in each table, at most: rows with the same dimensions become one."""

_TEMPLATE_APP = 1_000_000_001
_TOLERANCE = timedelta(hours=26)
_CHECKS = 24
_DAYS_BETWEEN_CHECKS = 3
_STATES = {"Plan": {"Type": "Pass", "End": True}}


class FullDay(Day):
    """A day with the reports of the console's tiles."""

    @property
    def plan(self) -> RunPlan:
        """The plan that plan_run would write."""
        return replace(super().plan, reports=REPORTS)


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The outputs of its stack, and a folder with a copy of the objects that Athena reads."""

    outputs: dict[str, str]
    copy: Path


def fill(aws: EmbeddedAws, apps: int, dates: int, copy: Path) -> Portfolio:
    """Make an installation with this number of apps and Dates in an empty AWS."""
    day = FullDay(apps, len(REPORTS))
    lake = _empty_bucket(aws, "lake")
    _empty_bucket(aws, "raw")
    for table in day.tables:
        for number, (table_day, rows) in enumerate(_templates(table, dates)):
            say(f"Publishing {table.name}: {number} of {dates} Dates of {apps:,} apps")
            _publish(lake, copy, table, table_day, rows, day)
    _compact(lake, day)
    _end_a_run(lake, day)
    _check(lake, day)
    return Portfolio(_outputs(aws, day), copy)


def _empty_bucket(aws: EmbeddedAws, name: str) -> Bucket:
    client = aws.client("s3")
    client.create_bucket(Bucket=name)
    return Bucket(client, name)


def _templates(table: CuratedTable, dates: int) -> Iterator[tuple[date, pa.Table]]:
    """The rows of the invented app, for each Date."""
    with TemporaryDirectory() as folder:
        bucket = BucketOfFiles(Path(folder))
        vintage = Vintage(TODAY, AccessType.ONGOING, "instance-1")
        convert_into(bucket, table, _TEMPLATE_APP, segment(table.name, ROWS * dates, dates=dates), vintage)
        target = in_memory(table_schema(table))
        for key in sorted(part.key for part in bucket.list(parts_location(table.name))):
            path = Path(folder) / key
            rows = pq.read_table(path, read_dictionary=string_columns(pq.read_schema(path)))
            yield date.fromisoformat(key.partition("dt=")[2][:10]), rows.select(target.names).cast(target)


def _publish(lake: Bucket, copy: Path, table: CuratedTable, day: date, rows: pa.Table, of: Day) -> None:
    """Publish a Date as lake/publication.py does, from rows instead of parts."""
    schema = table_schema(table)
    table_date = TableDate(table.name, day)
    digest = f"{table.name}-{day}-{of.apps}"
    built = min(complete_on(day, table), TODAY)
    with TemporaryDirectory() as folder:
        objects, kpis = copy / table_date.curated_key, Path(folder) / "kpis.parquet"
        objects.parent.mkdir(parents=True, exist_ok=True)
        with Rollup(table, day, kpis) as rollup, RowGroups(objects, table_layout(schema), watch=rollup.add) as file:
            for app_id in of.app_ids:
                for batch in _of_app(rows, int(app_id), built).to_batches():
                    file.append(batch)
            file.finish({DIGEST: digest})
            rollup.finish(footer(table, digest))
        vintage = Vintage(built, AccessType.ONGOING, "instance-1")
        batches = [Batch(int(app_id), vintage, rows.num_rows, {}) for app_id in of.app_ids]
        lake.write(table_date.publication_key(digest), note(batches))
        lake.write(table_date.kpis_key, kpis.read_bytes(), metadata=footer(table, digest))
        lake.write(table_date.curated_key, objects.read_bytes(), metadata={DIGEST: digest})


def _of_app(rows: pa.Table, app_id: int, built: date) -> pa.Table:
    """The rows with another app id and processing date."""
    for name, value in ((APP_ID.name, app_id), ("processing_date", built)):
        place = rows.column_names.index(name)
        column = pa.repeat(pa.scalar(value, rows.schema.field(place).type), rows.num_rows)
        rows = rows.set_column(place, rows.schema.field(place), column)
    return rows


@dataclass(frozen=True, slots=True)
class _Kept:
    """The lake bucket. The run's own notes are not stored: they are made when they are read."""

    bucket: Bucket
    notes: answers_of_aws.Lake

    def read(self, key: str) -> bytes | None:
        """A note of the run, or the stored object."""
        found = self.notes.read(key)
        return self.bucket.read(key) if found is None else found

    def list(self, prefix: str, after: str = "") -> Iterator[Any]:
        """The stored objects, or the run's notes."""
        yield from self.notes.list(prefix) if prefix.endswith("/batches/") else self.bucket.list(prefix, after)

    def __getattr__(self, name: str) -> Any:
        """Everything else that a bucket can do."""
        return getattr(self.bucket, name)


def _compact(lake: Bucket, day: Day) -> None:
    """Make the months of KPIs, as each daily run does."""
    say("Compacting months")
    compact_months(day.plan, lake)


def _end_a_run(lake: Bucket, day: Day) -> None:
    """Write today's run: its plan, its report, its rows."""
    say("Ending a run")
    lake.write(run_key(RUN_ID, "plan.json"), json.dumps(day.plan.to_json()).encode())
    registry = Registry(cast(Any, answers_of_aws.Table(day)), lambda: NOON)
    summarize_run(RUN_ID, "", registry, cast(Any, _Kept(lake, answers_of_aws.Lake(day))), lambda *_: None, NOON)


def _check(lake: Bucket, day: Day) -> None:
    """Write today's freshness check, and copies of it for earlier days."""
    say("Checking freshness")
    kept = cast(Any, _Kept(lake, answers_of_aws.Lake(day)))
    check_freshness(NOON, _TOLERANCE, kept, cast(Any, answers_of_aws.Athena(day)), lambda *_: None)
    (stored,) = stored_checks(lake).values()
    rows = [json.loads(line) for line in (lake.read(stored.key) or b"").splitlines()]
    for number in range(1, _CHECKS + 1):
        back = timedelta(days=number * _DAYS_BETWEEN_CHECKS)
        with open_check(lake, TODAY - back) as append:
            for row in rows:
                append(_moved(row, back))


def _moved(line: dict[str, Any], back: timedelta) -> dict[str, Any]:
    due, checked = line.get("newest_due_date"), line["checked_at"]
    earlier = (date.fromisoformat(due) - back).isoformat() if due else due
    return {
        **line,
        "newest_due_date": earlier,
        "checked_at": f"{date.fromisoformat(checked[:10]) - back}{checked[10:]}",
    }


def _outputs(aws: EmbeddedAws, day: Day) -> dict[str, str]:
    """The stack's outputs: a state machine with the configuration, and an empty registry."""
    plan = day.plan
    configuration = Configuration(
        accounts=plan.accounts,
        reports=plan.reports,
        granularities=plan.granularities,
        calls_per_hour=3_500,
        kept_versions_days=30,
    )
    definition = {"StartAt": "Plan", "configuration": configuration.to_payload(), "States": _STATES}
    machine = aws.client("stepfunctions").create_state_machine(
        name="pipeline", definition=json.dumps(definition), roleArn="arn:aws:iam::000000000000:role/pipeline"
    )
    keys = [{"AttributeName": name, "KeyType": kind} for name, kind in (("pk", "HASH"), ("sk", "RANGE"))]
    aws.client("dynamodb").create_table(
        TableName="registry",
        KeySchema=keys,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    return {
        "StateMachineArn": machine["stateMachineArn"],
        "RegistryTable": "registry",
        "LakeBucket": "lake",
        "RawBucket": "raw",
        "Workgroup": "analytics",
        **{each.output: str(each) for each in Database},
    }

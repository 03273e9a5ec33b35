"""The deployed pipeline as the end-to-end tests see it: one embedded AWS, one simulated Apple, a few apps per scenario.

Each scenario has its own apps and days, so scenarios share the deployment without affecting each other: during an
execution Apple's account has exactly the scenario's apps.
"""

import json
import re
import urllib.request
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from appstore_analytics.answers.executions import Execution, Pipeline, Snapshot
from appstore_analytics.athena.query import Athena
from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.contract.layout import CURATED_PREFIX, PARTS_PREFIX, RUNS_PREFIX
from appstore_analytics.contract.names import STACK, Database
from appstore_analytics.contract.tables import CuratedTable, tables_by_name
from appstore_analytics.lake.objects import Bucket
from local.apple.keys import ApiKey, ApiRole
from local.apple.model import App, Series
from local.apple.truth import Batch, every_vintage, newest_vintages
from local.apple.values import invented_app
from local.apple.world import World
from local.aws.server import EmbeddedAws
from local.deployment import Deployment, open_athena, open_pipeline, put_api_key

DAY = timedelta(days=1)
FRIDAY = 4

ENGAGEMENT = "App Store Discovery and Engagement Standard"
PURCHASES = "App Store Purchases Standard"
DOWNLOADS = "App Downloads Standard"
CRASHES = "App Crashes Expanded"
LOCATION = "Location Sessions"
REPORTS = (ENGAGEMENT, PURCHASES, DOWNLOADS, CRASHES, LOCATION)
DAILY_TABLES = ("engagement", "purchases", "downloads")
WEEKLY_TABLES = ("engagement_weekly", "purchases_weekly")
VINTAGES_TABLES = ("crashes_expanded_vintages", "location_sessions_vintages")
TABLES = (*DAILY_TABLES, *WEEKLY_TABLES, *VINTAGES_TABLES)

ROWS_PER_DATE = 12
DATES_PER_INSTANCE = 5
ALL_APPS = 22
SLACK_SECRET = "harbor/slack"

Counted = dict[tuple[str, date, date], tuple[int, dict[str, Decimal]]]
"""Rows and sums of the additive measures by app id, Date and processing date."""


def friday_of_the_scenarios() -> date:
    """The last Friday, including today: the newest day of any scenario, so that weekdays are always the same."""
    today = datetime.now(UTC).date()
    return today - DAY * ((today.weekday() - FRIDAY) % 7)


@dataclass
class Deployed:
    world: World
    aws: EmbeddedAws
    deployment: Deployment
    pipeline: Pipeline
    athena: Athena
    raw: Bucket
    context: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.every_app: dict[str, App] = dict(self.world.apps)
        self.api_keys: list[ApiKey] = []
        self.put_new_api_keys()

    def put_new_api_keys(self) -> None:
        """The manual step after the deployment: an Admin key for registration, and a key with read access only."""
        for key_name, role in (("main", ApiRole.ADMIN), ("main/reader", ApiRole.SALES_AND_REPORTS)):
            key = self.world.keys.register(role)
            issuer_id = self.world.keys.issuer_id
            secret = {"key_id": key.key_id, "issuer_id": issuer_id, "private_key": key.private_key_pem}
            put_api_key(self.aws, self.deployment, key_name, secret)
            self.api_keys.append(key)

    def rotate_api_keys(self) -> None:
        """Put new keys into the secrets; from now on Apple refuses the old ones."""
        old = list(self.api_keys)
        self.put_new_api_keys()
        for key in old:
            self.world.keys.revoke(key.key_id)

    def hold_the_schedules(self) -> None:
        """Nothing starts by itself in the middle of a scenario, whatever the clock says."""
        scheduler = self.aws.client("scheduler")
        for what in ("daily", "hourly"):
            name = self.deployment.names.prefixed(what)
            known = scheduler.get_schedule(Name=name)
            kept = {key: known[key] for key in ("ScheduleExpression", "FlexibleTimeWindow", "Target")}
            scheduler.update_schedule(Name=name, State="DISABLED", **kept)

    def begin(self, today: date) -> None:
        """Move the business date to a scenario's first day, even backwards: no run has seen its apps before.

        Plans of earlier scenarios are removed, because their apps would be reported as vanished.
        """
        lake = self.pipeline.lake
        for stored in list(lake.list(RUNS_PREFIX)):
            if stored.key.endswith("/plan.json"):
                assert lake.remove(stored.key, expected=stored.etag)
        self.world.today = today

    # Executions

    def run(
        self,
        name: str,
        payload: Any,
        apps: Collection[str],
        show: Callable[[Snapshot], None] | None = None,
    ) -> Execution:
        """Run an execution while the account has these apps."""
        with self.showing(apps):
            return self.pipeline.run(name, payload, show)

    @contextmanager
    def showing(self, apps: Collection[str]) -> Iterator[None]:
        """The account has these apps inside this context, for executions that are started elsewhere."""
        self.world.apps = {app_id: self.every_app[app_id] for app_id in apps}
        try:
            yield
        finally:
            self.world.apps = dict(self.every_app)

    def daily(self, name: str, apps: Collection[str], show: Callable[[Snapshot], None] | None = None) -> Execution:
        """A daily run on the world's day."""
        return self.run(name, {"operation": "daily", "as_of": self.world.today.isoformat()}, apps, show)

    def calls(self, route: str) -> int:
        """The number of calls to a route of the simulated Apple so far."""
        return self.world.statistics.calls(route)

    def api_calls(self) -> int:
        """The number of calls to Apple's API so far, without downloads."""
        routes = self.world.statistics.by_route()
        return sum(sum(counts.values()) for route, counts in routes.items() if " /v1/" in route)

    def apple_calls(self) -> int:
        """The number of requests to Apple so far, including downloads."""
        return sum(sum(counts.values()) for counts in self.world.statistics.by_route().values())

    def invoke(self, step: str, event: Mapping[str, Any]) -> Any:
        """The answer of one function, invoked outside of a run."""
        name = self.deployment.names.function(step)
        answer = self.aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
        payload = json.load(answer["Payload"])
        assert "FunctionError" not in answer, payload
        return payload

    # AWS faults

    def break_aws(self, *faults: Mapping[str, Any]) -> None:
        """Apply these faults to the next matching calls; see local/aws/faults.py."""
        self._faults("POST", list(faults))

    def heal_aws(self) -> None:
        """Remove all AWS faults."""
        self._faults("DELETE")

    def open_faults(self) -> list[dict[str, Any]]:
        """The AWS faults that have happened less often than requested."""
        return list(self._faults("GET"))

    def _faults(self, method: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.aws.url}/_local/faults", data=data, method=method)  # noqa: S310 (loopback)
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 (loopback)
            return json.load(answer)

    # The contents of the lake

    def rows(self, sql: str, database: Database = Database.CURATED) -> list[tuple[str | None, ...]]:
        """An answer of Athena."""
        return list(self.athena.rows(sql, database))

    def etags(self) -> dict[str, str]:
        """Every curated object."""
        return self._etags(CURATED_PREFIX)

    def parts(self) -> dict[str, str]:
        """Every part, likewise."""
        return self._etags(PARTS_PREFIX)

    def _etags(self, prefix: str) -> dict[str, str]:
        return {stored.key: stored.etag for stored in self.pipeline.lake.list(prefix)}

    def counted(self, table: str, apps: Collection[str], where: str = "TRUE") -> Counted:
        """Rows and sums of a table, counted by Athena."""
        measures = measures_of(table)
        sums = "".join(f', SUM("{name}")' for name in measures)
        answer = self.rows(
            f'SELECT app_id, dt, processing_date, COUNT(*){sums} FROM "{table}" '
            f"WHERE app_id IN ({', '.join(apps)}) AND {where} GROUP BY app_id, dt, processing_date"
        )
        return {
            (str(app), date.fromisoformat(str(day)), date.fromisoformat(str(built))): (
                int(str(rows)),
                {name: Decimal(str(cell)) for name, cell in zip(measures, cells, strict=True)},
            )
            for app, day, built, rows, *cells in answer
        }

    # Apple's data

    def newest(self, table: str, apps: Collection[str]) -> Counted:
        """The expected contents of a table without older vintages."""
        return _counted(newest_vintages(self.world, *_report_of(table)), apps)

    def every(self, table: str, apps: Collection[str]) -> Counted:
        """The expected contents of a table that keeps every vintage."""
        return _counted(every_vintage(self.world, *_report_of(table)), apps)


def opened(aws: EmbeddedAws, world: World, deployment: Deployment, context: Mapping[str, Any]) -> Deployed:
    """A deployed pipeline, with new API keys and nothing that starts by itself."""
    pipeline, raw = open_pipeline(aws, deployment), Bucket(aws.client("s3"), deployment.raw_bucket)
    stack = Deployed(world, aws, deployment, pipeline, open_athena(aws, deployment), raw, context)
    stack.hold_the_schedules()
    return stack


def app(number: int) -> str:
    """The id of the n-th invented app."""
    return str(1_000_000_001 + number)


def series(app_id: str, report: str = ENGAGEMENT) -> Series:
    """The daily series of a report of an app."""
    return Series(app_id, report, Granularity.DAILY)


def table_of(name: str) -> CuratedTable:
    return tables_by_name()[name]


def measures_of(table: str) -> tuple[str, ...]:
    return tuple(column.name for column in table_of(table).report.additive_measures)


def report_of(execution: Execution) -> dict[str, Any]:
    """The run report of an execution that has one."""
    assert execution.report is not None, execution.cause
    return execution.report


def _report_of(table: str) -> tuple[str, Granularity]:
    return table_of(table).report.name, table_of(table).granularity


def _counted(batches: Collection[Batch], apps: Collection[str]) -> Counted:
    return {
        (batch.app_id, batch.date, batch.processing_date): (
            batch.rows,
            {name: Decimal(total) for name, total in batch.sums.items()},
        )
        for batch in batches
        if batch.app_id in apps
    }


# Keys, bearer tokens and segment URLs must not appear anywhere


def texts_left_behind(deployed: Deployed) -> dict[str, str]:
    """Everything the pipeline has left in readable places, by place. The secrets themselves are not read."""
    texts = {"server.log": deployed.aws.log_path.read_text(errors="replace")}
    texts |= _logs(deployed)
    texts |= _executions(deployed)
    texts |= _templates(deployed)
    texts["functions"] = json.dumps(deployed.aws.client("lambda").list_functions()["Functions"], default=str)
    table = deployed.pipeline.registry.table
    texts["registry"] = json.dumps(list(_items(table)), default=str)
    s3 = deployed.aws.client("s3")
    for name in (each["Name"] for each in s3.list_buckets()["Buckets"]):
        if not name.startswith("cdk-"):  # our own code as deployed
            texts |= _objects(s3, name)
    return texts


def secrets_in(texts: Mapping[str, str], keys: Collection[ApiKey]) -> list[str]:
    """The places that contain forbidden data, and its kind."""
    lines = {line for key in keys for line in key.private_key_pem.splitlines() if line and "-----" not in line}
    kinds = {
        "private key": re.compile("|".join(["PRIVATE KEY", *map(re.escape, sorted(lines))])),
        "bearer token": re.compile(r"eyJ[\w-]{8,}\.|Bearer \S"),
        "segment URL": re.compile(r"Signature=|Expires=\d|/segments/[0-9a-f]{8}-"),
    }
    return [f"{kind}: {place}" for place, text in texts.items() for kind, found in kinds.items() if found.search(text)]


def _objects(s3: Any, bucket: str) -> Iterator[tuple[str, str]]:
    for stored in Bucket(s3, bucket).list(""):
        answer = s3.get_object(Bucket=bucket, Key=stored.key)
        yield f"s3://{bucket}/{stored.key}", json.dumps(answer["Metadata"]) + answer["Body"].read().decode("latin-1")


def _templates(deployed: Deployed) -> Iterator[tuple[str, str]]:
    formation = deployed.aws.client("cloudformation")
    yield "deployed template", json.dumps(formation.get_template(StackName=STACK)["TemplateBody"])
    for path in (deployed.aws.directory / "cdk.out").glob("*/*.json"):
        yield f"cdk.out/{path.parent.name}/{path.name}", path.read_text()


def _logs(deployed: Deployed) -> Iterator[tuple[str, str]]:
    logs = deployed.aws.client("logs")
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            events = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
            lines = [event["message"] for page in events for event in page["events"]]
            yield f"log {group['logGroupName']}", "\n".join(lines)


def _executions(deployed: Deployed) -> Iterator[tuple[str, str]]:
    states = deployed.aws.client("stepfunctions")
    pages = states.get_paginator("list_executions").paginate(stateMachineArn=deployed.deployment.state_machine_arn)
    for execution in (execution for page in pages for execution in page["executions"]):
        arn = execution["executionArn"]
        history = states.get_paginator("get_execution_history").paginate(executionArn=arn)
        words = [states.describe_execution(executionArn=arn), [page["events"] for page in history]]
        yield f"execution {execution['name']}", json.dumps(words, default=str)


def _items(table: Any) -> Iterator[dict[str, Any]]:
    query: dict[str, Any] = {}
    while True:
        page = table.scan(**query)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def access_types(deployed: Deployed, app_id: str) -> set[AccessType]:
    """The access types of the report requests that Apple has for an app."""
    return {request.access_type for request in deployed.world.requests_of(app_id)}


def name_of(app_id: str) -> str:
    """The app's name in the simulated App Store Connect."""
    return invented_app(int(app_id) - 1_000_000_001).name

"""Daily runs of the real steps in this process, against the simulated App Store Connect, on moto's AWS.

The Maps run as in the state machine if nothing fails: every item once, then items that lacked calls when the key has
calls again; the clock is moved instead of waiting. Every call to AWS and to Apple is reported, with the step that made
it.
"""

import io
import json
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

import boto3
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import requests
from moto import mock_aws

from appstore_analytics.apple.client import AppStoreConnect
from appstore_analytics.apple.keys import ApiKey, Tokens
from appstore_analytics.apple.segments import SegmentStore
from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.configuration import Account, Configuration
from appstore_analytics.contract.kpis.stored import KPI_COLUMNS, KPIS_TABLE
from appstore_analytics.contract.layout import CURATED_PREFIX, KPIS_PREFIX
from appstore_analytics.contract.maps import MapName, Outcome
from appstore_analytics.contract.names import Database
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.prices import REGION
from appstore_analytics.contract.schema_modes import SchemaModes
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.run_notes import plans_read_once
from appstore_analytics.model.items import LandItem, PublishItem, RegisterItem, VerifyItem
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.registry import Registry
from appstore_analytics.registry.reservation import Reservation
from appstore_analytics.rules.call_budget import CALLS_OF_A_REGISTRATION, calls_of_a_listing
from appstore_analytics.steps.compact_months import compact_months
from appstore_analytics.steps.convert_instance import convert_instance
from appstore_analytics.steps.download_segments import download_segments
from appstore_analytics.steps.list_instances import list_instances
from appstore_analytics.steps.list_releases import list_releases
from appstore_analytics.steps.plan_items import plan_items
from appstore_analytics.steps.plan_run import plan_run
from appstore_analytics.steps.publish_date import publish_date
from appstore_analytics.steps.register_request import register_request
from appstore_analytics.steps.summarize_run import summarize_run
from appstore_analytics.steps.verify_table import verify_table
from local.apple import AppStoreConnect as SimulatedApp
from local.apple import World, WorldSettings, mount
from local.apple.adapter import APPLE_URL
from local.apple.http import Environ, StartResponse

KEY = "main"
_BODY = "body of the request"
_MAPS = (MapName.REGISTER, MapName.LAND, MapName.PUBLISH, MapName.VERIFY)

Told = Callable[[str, str, str, Any, Mapping[str, Any]], None]
"""Receives a call to AWS: the step, the service, the operation, the request's body and the parsed answer."""


def _ignore(*_: object) -> None:
    """Ignore the call."""


@dataclass(frozen=True, slots=True)
class Day:
    """One daily run: its report, Apple's calls by route, the number of 429 answers, and its duration."""

    report: dict[str, Any]
    calls: dict[str, int]
    refused: int
    took: timedelta

    @property
    def apple_calls(self) -> int:
        """The calls that count for Apple's quota; files come from another host."""
        return sum(self.calls.values())


@dataclass
class Days:
    """An account whose reports the pipeline fetches. `told` receives every call to AWS, `called` every call of a
    step."""

    settings: WorldSettings
    reports: tuple[str, ...]
    seconds_per_call: float = 0.0
    told: Told = _ignore
    called: Callable[[str], None] = _ignore
    step: str = field(default="", init=False)
    now: datetime = field(init=False)

    def __post_init__(self) -> None:
        random.seed(self.settings.seed)  # spreads waiting children over some seconds
        self.world = World(self.settings)
        self.now = datetime.combine(self.settings.today, time(10), UTC)
        self.session, self.storage = requests.Session(), requests.Session()
        application = SimulatedApp(self.world, wall_seconds=self._wall_seconds)
        for session in (self.session, self.storage):
            mount(session, partial(self._taking_time, application))
        key = self.world.admin_key
        secret = {"key_id": key.key_id, "issuer_id": key.issuer_id, "private_key": key.private_key_pem}
        self.tokens = Tokens(partial(ApiKey.from_secret, json.dumps(secret), "the secret"), lambda: self.now)
        self._athena: Any = _AthenaOfDuckDb(Bucket(_session().client("s3"), "lake"), self._asked)
        aws = _session()
        aws.events.register("before-call.*.*", _keep_body)
        aws.events.register("after-call.*.*", self._tell)
        self.registry = Registry(_registry_table(aws), lambda: self.now)
        client = aws.client("s3")
        self.raw, self.lake = _bucket(client, "raw"), _bucket(client, "lake", versioned=True)
        self.plans = plans_read_once(self.lake)

    # A day

    def next_day(self) -> Day:
        """The next business day's run, from 10:00 on."""
        self.world.advance(1)
        self.now = max(self.now, datetime.combine(self.world.today, time(10), UTC))
        return self.run()

    def run(self) -> Day:
        """A daily run on the world's day."""
        self.world.statistics.reset()
        started_at = self.now
        plan = self._plan()
        for map_name in _MAPS:
            self._map(plan, map_name)
        self._call("compact_months", lambda: compact_months(plan, self.lake))
        with ExitStack() as reservations:
            connect = partial(self._connect, plan, reservations)
            self._call("list_releases", lambda: list_releases(plan, self.registry, self.lake, self._athena, connect))
        self._call("summarize_run", lambda: summarize_run(plan.run_id, "", self.registry, self.lake, _ignore, self.now))
        routes = self.world.statistics.by_route()
        calls = {route: sum(answers.values()) for route, answers in routes.items() if " /v1/" in route}
        refused = sum(answers.get("429", 0) for answers in routes.values())
        return Day(self._report(), calls, refused, self.now - started_at)

    def _plan(self) -> RunPlan:
        accounts = (Account(KEY, tuple(self.world.apps)),)
        calls_per_hour = self.settings.calls_per_hour
        configuration = Configuration(accounts, self.reports, (Granularity.DAILY,), calls_per_hour, 30)
        payload = {"operation": "daily", "as_of": self.world.today.isoformat()}
        budget = self.registry.call_budget(KEY)
        with Reservation(budget, calls_per_hour, Operation.DAILY, 1, lambda: self.now) as calls:
            apple = self._apple(calls)
            answer = self._call(
                "plan_run", lambda: plan_run("benchmark", self.now, payload, configuration, self.lake, lambda _: apple)
            )
        return self.plans(answer["run_id"])

    def _map(self, plan: RunPlan, map_name: MapName) -> None:
        answer = self._plan_items(plan, map_name)
        while answer["items"]:
            for event in json.loads(self.lake.read(str(answer["manifest_key"])) or b"[]"):
                self._child(plan, map_name, event)
            if map_name not in (MapName.REGISTER, MapName.LAND):
                return  # a counted day fits into one pass
            answer = self._plan_items(plan, map_name, left=True)
            if "available_at" in answer:
                self.now = datetime.fromisoformat(str(answer["available_at"]))

    def _plan_items(self, plan: RunPlan, map_name: MapName, *, left: bool = False) -> dict[str, Any]:
        answer: dict[str, Any] = self._call(
            "plan_items", lambda: plan_items(plan.run_id, map_name, self.registry, self.lake, self.now, left=left)
        )
        return answer

    def _child(self, plan: RunPlan, map_name: MapName, event: dict[str, str]) -> None:
        """The steps of one item, until one is done or has to wait."""
        for step, work in self._steps(plan, map_name, event):
            if self._call(step, work)["outcome"] != Outcome.NEXT:
                return

    def _steps(
        self, plan: RunPlan, map_name: MapName, event: dict[str, str]
    ) -> list[tuple[str, Callable[[], dict[str, str]]]]:
        if map_name is MapName.REGISTER:
            return [
                ("register_request", partial(self._register, plan, RegisterItem.from_event(event))),
                ("list_instances", partial(self._list, plan, RegisterItem.from_event(event))),
            ]
        if map_name is MapName.LAND:
            item = LandItem.from_event(event)
            return [
                ("download_segments", partial(self._download, item)),
                ("convert_instance", partial(self._convert, item)),
            ]
        if map_name is MapName.PUBLISH:
            return [
                ("publish_date", lambda: publish_date(PublishItem.from_event(event), self.registry, self.lake)),
            ]
        return [
            (
                "verify_table",
                lambda: verify_table(VerifyItem.from_event(event), self.registry, self.lake, self._athena),
            ),
        ]

    # Steps, as their functions call them

    def _register(self, plan: RunPlan, item: RegisterItem) -> dict[str, str]:
        with self._calls(plan, CALLS_OF_A_REGISTRATION) as calls:
            return register_request(item, plan, self.registry, self._apple(calls), calls)

    def _list(self, plan: RunPlan, item: RegisterItem) -> dict[str, str]:
        with self._calls(plan, calls_of_a_listing(plan)) as calls:
            return list_instances(item, plan, self.registry, self._apple(calls), calls)

    def _download(self, item: LandItem) -> dict[str, str]:
        plan = self.plans(item.run_id)
        store = SegmentStore(self.storage, (APPLE_URL.removeprefix("https://"),), allow_loopback=False)
        with self._calls(plan, 1) as calls:
            return download_segments(item, self.registry, self._apple(calls), store, self.raw, calls)

    def _convert(self, item: LandItem) -> dict[str, str]:
        return convert_instance(item, self.registry, self.raw, self.lake, SchemaModes())

    def _connect(
        self, plan: RunPlan, reservations: ExitStack, _: Account, expected: int
    ) -> tuple[AppStoreConnect, Reservation]:
        calls = reservations.enter_context(self._calls(plan, expected))
        return self._apple(calls), calls

    def _calls(self, plan: RunPlan, expected: int) -> Reservation:
        budget = self.registry.call_budget(KEY)
        return Reservation(budget, plan.calls_per_hour, plan.operation, expected, lambda: self.now)

    def _apple(self, calls: Reservation) -> AppStoreConnect:
        return AppStoreConnect(self.session, APPLE_URL, self.tokens, calls)

    # Calls and their reports

    def _call(self, step: str, work: Callable[[], Any]) -> Any:
        self.step = step
        self.called(step)
        try:
            return work()
        finally:
            self.step = ""

    def _tell(self, parsed: Any, model: Any, context: Mapping[str, Any], **_: Any) -> None:
        if self.step:
            self.told(self.step, model.service_model.service_name, model.name, context[_BODY], parsed)

    def _asked(self) -> None:
        self.told(self.step, "athena", "StartQueryExecution", "", {})

    def _wall_seconds(self) -> float:
        return self.now.timestamp()

    def _taking_time(self, application: Any, environ: Environ, start_response: StartResponse) -> Any:
        self.now += timedelta(seconds=self.seconds_per_call)
        return application(environ, start_response)

    def _report(self) -> dict[str, Any]:
        newest = max(self.lake.list("reports/"), key=lambda stored: stored.key)
        report: dict[str, Any] = json.loads(self.lake.read(newest.key.replace(".html", ".json")) or b"{}")
        return report


def _keep_body(params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
    context[_BODY] = params["body"]


@contextmanager
def aws_in_process() -> Iterator[None]:
    """moto's AWS in this process."""
    with mock_aws():
        yield


def _session() -> boto3.Session:
    return boto3.Session("benchmark", "benchmark", region_name=REGION)


def _registry_table(session: boto3.Session) -> Any:
    return session.resource("dynamodb").create_table(
        TableName="registry",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )


def _bucket(client: Any, name: str, *, versioned: bool = False) -> Bucket:
    client.create_bucket(Bucket=name)
    if versioned:
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return Bucket(client, name)


class _AthenaOfDuckDb:
    """Answers queries from the objects in the lake. Each query is counted, but not what Athena itself reads for it."""

    def __init__(self, lake: Bucket, asked: Callable[[], None]) -> None:
        self._lake = lake
        self._asked = asked

    def rows(self, sql: str, database: Database) -> Iterator[tuple[str | None, ...]]:
        """The answer, each cell as Athena prints it."""
        self._asked()
        if database is Database.MARTS:
            return self._answer(sql, KPIS_TABLE, self._kpis())
        name = sql.split('FROM "')[1].split('"', maxsplit=1)[0]
        return self._answer(sql, name, pa.concat_tables(self._dates(f"{CURATED_PREFIX}{name}/")))

    def _answer(self, sql: str, name: str, rows: pa.Table) -> Iterator[tuple[str | None, ...]]:
        with duckdb.connect() as connection:
            connection.register(name, rows)
            answer = connection.execute(sql).fetchall()
        return iter([tuple(None if cell is None else str(cell) for cell in row) for row in answer])

    def _kpis(self) -> pa.Table:
        kinds = {
            "bigint": pa.int64(),
            "string": pa.string(),
            "decimal(18,6)": pa.decimal128(18, 6),
            "boolean": pa.bool_(),
        }
        schema = pa.schema([*((name, kinds[kind]) for name, kind, _ in KPI_COLUMNS), ("dt", pa.date32())])
        return pa.concat_tables([schema.empty_table(), *(rows.cast(schema) for rows in self._dates(KPIS_PREFIX))])

    def _dates(self, prefix: str) -> Iterator[pa.Table]:
        for stored in self._lake.list(prefix):
            rows = pq.read_table(io.BytesIO(self._lake.read(stored.key) or b""))
            day = date.fromisoformat(stored.key.split("dt=")[1].split("/")[0])
            yield rows.append_column("dt", pa.array([day] * rows.num_rows, pa.date32()))

"""The steps in the test's process, called like the state machine calls them, against the simulated Apple and moto."""

import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import requests

from appstore_analytics.apple.client import AppStoreConnect
from appstore_analytics.apple.keys import ApiKey, Tokens
from appstore_analytics.apple.segments import SegmentStore
from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.configuration import Account, Configuration
from appstore_analytics.contract.errors import PipelineError
from appstore_analytics.contract.kpis.stored import KPI_COLUMNS, KPIS_TABLE
from appstore_analytics.contract.layout import CURATED_PREFIX, KPIS_PREFIX
from appstore_analytics.contract.maps import FROM_THE_BEGINNING, MapName, Outcome
from appstore_analytics.contract.metrics import Metric
from appstore_analytics.contract.names import Database
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.schema_modes import SchemaModes
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.lake.objects import Bucket, StoredObject
from appstore_analytics.lake.run_notes import read_plan
from appstore_analytics.lake.schema import arrow_type
from appstore_analytics.model.instances import LedgerInstance
from appstore_analytics.model.items import ItemRecord, LandItem, PublishItem, RegisterItem, RestoreItem, VerifyItem
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
from appstore_analytics.steps.restore_parts import restore_parts
from appstore_analytics.steps.summarize_run import summarize_run
from appstore_analytics.steps.verify_table import verify_table
from local.apple import AppStoreConnect as SimulatedApp
from local.apple import Fault, FaultKind, World, mount
from local.apple.adapter import APPLE_URL
from tests.aws_in_process import new_bucket, new_registry
from tests.clock import Clock
from tests.integration.duckdb_in_process import answer

APP = "1000000001"
DOWNLOADS = "App Downloads Standard"
CRASHES = "App Crashes"
ACCOUNT = "main"
CREATE = "POST /v1/analyticsReportRequests"
LIST_REQUESTS = "GET /v1/apps/{id}/analyticsReportRequests"
DELETE = "DELETE /v1/analyticsReportRequests/{id}"
LIST_REPORTS = "GET /v1/analyticsReportRequests/{id}/reports"
LIST_INSTANCES = "GET /v1/analyticsReports/{id}/instances"
LIST_SEGMENTS = "GET /v1/analyticsReportInstances/{id}/segments"
DOWNLOAD = "GET /segments/{instance}/{segment}"
_PUBLISHED = (MapName.PUBLISH, MapName.VERIFY)
MAPS_OF = {
    Operation.DAILY: (MapName.REGISTER, MapName.LAND, *_PUBLISHED),
    Operation.BACKFILL: (MapName.REGISTER, MapName.LAND, *_PUBLISHED),
    Operation.REPROCESS: (MapName.LAND, *_PUBLISHED),
    Operation.REFETCH: (MapName.LAND, *_PUBLISHED),
    Operation.ROLLBACK: (MapName.RESTORE, MapName.LAND, *_PUBLISHED),
}
"""As the state machine runs them."""


class LakeAthena:
    """Athena by DuckDB over the Parquet objects in the lake; `before_answer` can change the answer or raise.

    `queries` are those of `curated`, `kpi_queries` those of `marts`.
    """

    def __init__(self, lake: Bucket) -> None:
        self._lake = lake
        self.queries: list[str] = []
        self.kpi_queries: list[str] = []
        self.before_answer: list[Callable[[], None]] = []
        self._read: dict[str, tuple[str, pa.Table]] = {}

    def rows(self, sql: str, database: str) -> Iterator[tuple[str | None, ...]]:
        if database == Database.MARTS:
            self.kpi_queries.append(sql)
            return answer(sql, {KPIS_TABLE: self.kpis()})
        self.queries.append(sql)
        if self.before_answer:
            self.before_answer.pop(0)()
        name = sql.split('FROM "')[1].split('"', maxsplit=1)[0]
        return answer(sql, {name: self.table(name)})

    def kpis(self) -> pa.Table:
        kinds = {
            "bigint": pa.int64(),
            "boolean": pa.bool_(),
            "string": pa.string(),
            "decimal(18,6)": pa.decimal128(18, 6),
        }
        schema = pa.schema([*((name, kinds[kind]) for name, kind, _ in KPI_COLUMNS), ("dt", pa.date32())])
        dates = (self._rows(stored) for stored in self._lake.list(KPIS_PREFIX))
        return pa.concat_tables([schema.empty_table(), *(rows.cast(schema) for rows in dates)])

    def table(self, name: str) -> pa.Table:
        dates = [self._rows(stored) for stored in self._lake.list(f"{CURATED_PREFIX}{name}/")]
        if not dates:
            columns = [(column.name, arrow_type(column.type)) for column in tables_by_name()[name].columns]
            return pa.schema([*columns, ("dt", pa.date32())]).empty_table()
        return pa.concat_tables(dates, promote_options="default")

    def _rows(self, stored: StoredObject) -> pa.Table:
        """The rows of an object with its Date, read once as long as it stays the same."""
        etag, rows = self._read.get(stored.key, ("", None))
        if etag != stored.etag:
            rows = pq.read_table(io.BytesIO(self._lake.read(stored.key) or b""))
            day = date.fromisoformat(stored.key.split("dt=")[1].split("/")[0])
            rows = rows.append_column("dt", pa.array([day] * rows.num_rows, pa.date32()))
            self._read[stored.key] = stored.etag, rows
        return rows


@dataclass
class NamesOnly:
    """App Store Connect for the plan of an account with listed apps: only their names are requested."""

    world: World

    def app_names(self, app_ids: Sequence[str]) -> dict[str, str]:
        assert app_ids
        return {app_id: self.world.apps[app_id].name for app_id in app_ids if app_id in self.world.apps}


@dataclass
class Pipeline:
    world: World
    reports: tuple[str, ...] = (DOWNLOADS,)
    granularities: tuple[Granularity, ...] = (Granularity.DAILY,)
    schema_modes: SchemaModes = field(default_factory=SchemaModes)
    calls_per_hour: int = 3500
    clock: Clock = field(default_factory=lambda: Clock(datetime(2025, 6, 2, 10, 0, tzinfo=UTC)))
    registry: Registry = field(default_factory=new_registry)
    raw: Bucket = field(default_factory=lambda: new_bucket("raw"))
    lake: Bucket = field(default_factory=lambda: new_bucket("lake", versioned=True))
    metrics: dict[Metric, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.registry = replace(self.registry, clock=self.clock)
        self.session, self.storage = requests.Session(), requests.Session()
        application = SimulatedApp(self.world, wall_seconds=self.clock.seconds)
        mount(self.session, application)
        mount(self.storage, application)
        self.sign_in(self.world.admin_key)
        self.athena = LakeAthena(self.lake)

    def sign_in(self, key: Any) -> None:
        secret = {"key_id": key.key_id, "issuer_id": key.issuer_id, "private_key": key.private_key_pem}
        self.tokens = Tokens(partial(ApiKey.from_secret, json.dumps(secret), "the secret"), self.clock)

    # A run's plan, as plan_run writes it

    @property
    def configuration(self) -> Configuration:
        accounts = (Account(ACCOUNT, tuple(self.world.apps)),)
        return Configuration(accounts, self.reports, self.granularities, self.calls_per_hour, kept_versions_days=30)

    def plan(self, **payload: Any) -> RunPlan:
        """The plan of a new execution on the world's day."""
        self.clock.now = max(self.clock.now, datetime.combine(self.world.today, datetime.min.time(), UTC))
        self.clock.pass_by(hours=2)
        payload = {"operation": "daily", **payload}
        if payload["operation"] in ("daily", "backfill"):
            payload = {"as_of": self.world.today.isoformat(), **payload}
        answer = plan_run("execution", self.clock.now, payload, self.configuration, self.lake, self.connect)
        return read_plan(self.lake, answer["run_id"])

    def backfill(self, start: date, end: date, **payload: Any) -> RunPlan:
        dates = {"start_date": start.isoformat(), "end_date": end.isoformat()}
        return self.plan(operation="backfill", app_ids=[*self.world.apps], **dates, **payload)

    def connect(self, _account: str) -> "NamesOnly":
        return NamesOnly(self.world)

    # Steps, as their functions call them

    def calls(self, plan: RunPlan, expected: int) -> Reservation:
        budget = self.registry.call_budget(ACCOUNT)
        return Reservation(budget, plan.calls_per_hour, plan.operation, expected, self.clock)

    def apple(self, calls: Reservation) -> AppStoreConnect:
        return AppStoreConnect(self.session, APPLE_URL, self.tokens, calls)

    def item(self, plan: RunPlan, app_id: str = APP) -> RegisterItem:
        item = RegisterItem(plan.run_id, ACCOUNT, app_id)
        self.registry.runs.plan(item)
        return item

    def register(self, plan: RunPlan, app_id: str = APP) -> dict[str, str]:
        with self.calls(plan, CALLS_OF_A_REGISTRATION) as calls:
            return register_request(self.item(plan, app_id), plan, self.registry, self.apple(calls), calls)

    def list_app(self, plan: RunPlan, app_id: str = APP) -> dict[str, str]:
        with self.calls(plan, calls_of_a_listing(plan)) as calls:
            return list_instances(self.item(plan, app_id), plan, self.registry, self.apple(calls), calls)

    def download(self, item: LandItem) -> dict[str, str]:
        plan = read_plan(self.lake, item.run_id)
        store = SegmentStore(self.storage, (APPLE_URL.removeprefix("https://"),), allow_loopback=False)
        with self.calls(plan, 1) as calls:
            again = plan.operation.traits.downloads_again
            return download_segments(item, self.registry, self.apple(calls), store, self.raw, calls, again=again)

    def convert(self, item: LandItem) -> dict[str, str]:
        return convert_instance(item, self.registry, self.raw, self.lake, self.schema_modes)

    def publish(self, item: PublishItem) -> dict[str, str]:
        return publish_date(item, self.registry, self.lake)

    def verify(self, item: VerifyItem) -> dict[str, str]:
        return verify_table(item, self.registry, self.lake, self.athena)  # type: ignore[arg-type]

    def compact(self, plan: RunPlan) -> dict[str, int]:
        return compact_months(plan, self.lake)

    def releases(self, plan: RunPlan) -> dict[str, int]:
        with ExitStack() as reservations:

            def connect(_account: Account, expected: int) -> tuple[AppStoreConnect, Reservation]:
                calls = reservations.enter_context(self.calls(plan, expected))
                return self.apple(calls), calls

            return list_releases(plan, self.registry, self.lake, self.athena, connect)  # type: ignore[arg-type]

    def summarize(self, plan: RunPlan, error: str = "") -> dict[str, str]:
        return summarize_run(plan.run_id, error, self.registry, self.lake, self.metrics.__setitem__, self.clock.now)

    # Maps, as the state machine runs them

    def run(self, plan: RunPlan, *maps: MapName) -> None:
        """Plans and runs these Maps, by default all Maps of the plan's operation."""
        for map_name in maps or MAPS_OF[plan.operation]:
            after = self.run_pass(plan, map_name, FROM_THE_BEGINNING)
            while after != FROM_THE_BEGINNING:
                after = self.run_pass(plan, map_name, after)

    def run_pass(self, plan: RunPlan, map_name: MapName, after: str) -> str:
        """One pass of a Map. Returns where the next one continues."""
        answer = plan_items(plan.run_id, map_name, self.registry, self.lake, self.clock.now, after=after)
        manifest = json.loads(self.lake.read(str(answer["manifest_key"])) or b"")
        assert len(manifest) == answer["items"]
        self.run_map(map_name, manifest)
        return str(answer["after"])

    def run_map(self, map_name: MapName, manifest: list[dict[str, str]]) -> None:
        for event in manifest:
            self._child(map_name, event)

    def _child(self, map_name: MapName, event: dict[str, str]) -> None:
        """One child execution: the steps until one is done; a caught error becomes the item's record."""
        try:
            for step in self.steps(map_name, event):
                answer = step()
                assert answer["outcome"] != Outcome.WAIT, "nobody throttles here"
                if answer["outcome"] == Outcome.DONE:
                    return
        except PipelineError as error:
            self.record_failure(event, error)

    def record_failure(self, event: dict[str, str], error: PipelineError) -> None:
        """The record that the state machine writes for a caught error."""
        self.registry.table.update_item(
            Key={"pk": f"RUN#{event['run_id']}", "sk": event["record"]},
            UpdateExpression="SET verdict = :verdict, #error = :error, reason = :reason",
            ExpressionAttributeNames={"#error": "error"},
            ExpressionAttributeValues={
                ":verdict": Verdict.FAILED,
                ":error": type(error).__name__,
                ":reason": json.dumps({"errorMessage": str(error), "errorType": type(error).__name__}),
            },
        )

    def steps(self, map_name: MapName, event: dict[str, str]) -> list[Callable[[], dict[str, str]]]:
        if map_name is MapName.REGISTER:
            plan, app_id = read_plan(self.lake, event["run_id"]), event["app_id"]
            return [lambda: self.register(plan, app_id), lambda: self.list_app(plan, app_id)]
        if map_name is MapName.LAND:
            land = LandItem.from_event(event)
            return [lambda: self.download(land), lambda: self.convert(land)]
        if map_name is MapName.RESTORE:
            return [lambda: restore_parts(RestoreItem.from_event(event), self.registry, self.lake)]
        if map_name is MapName.PUBLISH:
            return [lambda: self.publish(PublishItem.from_event(event))]
        return [lambda: self.verify(VerifyItem.from_event(event))]

    def whole(self, **payload: Any) -> RunPlan:
        """A whole run that succeeds. Returns its plan."""
        plan = self.plan(**payload)
        self.run(plan)
        self.compact(plan)
        assert self.summarize(plan) == {"status": "SUCCEEDED", "cause": ""}
        return plan

    def rollback(self, of_run: RunPlan) -> RunPlan:
        return self.whole(operation="rollback", run_id=of_run.run_id)

    def daily(self) -> dict[str, str]:
        """A whole daily run. Returns the answer of summarize_run."""
        plan = self.plan()
        self.run(plan)
        self.compact(plan)
        return self.summarize(plan)

    # Results

    def fault(self, kind: FaultKind, route: str, **more: Any) -> None:
        self.world.faults.order(Fault(kind, route=route, **more))

    def count(self, route: str) -> int:
        return self.world.statistics.calls(route)

    def report(self) -> dict[str, Any]:
        """The newest run report."""
        newest = max(self.lake.list("reports/production_"), key=lambda stored: stored.key.rsplit("_", 1)[1])
        body: dict[str, Any] = json.loads(self.lake.read(newest.key) or b"")
        return body

    def bytes_of(self, prefix: str) -> dict[str, str]:
        """The objects below a prefix, by ETag."""
        return {stored.key: stored.etag for stored in self.lake.list(prefix)}

    def record(self, item: RegisterItem | LandItem | PublishItem | VerifyItem) -> ItemRecord:
        record = self.registry.runs.get(item)
        assert record is not None
        return record

    def land_items(self, plan: RunPlan) -> list[LandItem]:
        records = self.registry.runs.of_map(plan.run_id, MapName.LAND)
        return [LandItem.from_event(record.event) for record in records]

    def instance(self, item: LandItem) -> LedgerInstance:
        instance = self.registry.instances.get(item.app_id, item.vintage)
        assert instance is not None
        return instance

    def batches(self, table: str) -> dict[tuple[str, date], tuple[int, dict[str, str]]]:
        """Rows and sums per app and Date, counted in the lake itself."""
        measures = [measure.name for measure in tables_by_name()[table].report.additive_measures]
        sums = "".join(f", SUM({name})" for name in measures)
        rows = self.athena.rows(f'SELECT app_id, dt, COUNT(*){sums} FROM "{table}" GROUP BY ALL', "curated")
        return {
            (str(app_id), date.fromisoformat(str(day))): (
                int(str(count)),
                dict(zip(measures, map(str, of), strict=True)),
            )
            for app_id, day, count, *of in rows
        }

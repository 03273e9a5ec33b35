"""A first day and a day with data, for any number of apps and reports, and the measurements of both."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from boto3.dynamodb.conditions import Key

from appstore_analytics.answers.executions import Pipeline
from appstore_analytics.contract.catalogue import CORE_REPORT_NAMES
from appstore_analytics.contract.layout import run_key
from appstore_analytics.registry.keys import run_partition
from appstore_analytics.registry.queries import query_items
from local.apple.model import WorldSettings
from local.apple.server import SimulatedApple
from local.apple.truth import newest_vintages
from local.apple.world import World
from local.aws.server import EmbeddedAws
from local.demo import ACCOUNT
from local.deployment import Progress, deploy, open_pipeline, put_api_key
from local.load.histories import Travelled, read_travelled
from local.load.memory import KindMemory, MemorySampler

_APPLE_QUOTA = 3500
_CALLS_PER_TABLE = 4  # of an app, in both days together
_LOOK_SECONDS = 2.0
_DAY = timedelta(days=1)
_OF_NO_RUN = "check-freshness"  # starts at every full hour, so a load run may include it or not

Look = Callable[[str, int, int], None]
"""Called while a Map runs, with its name, the number of items that have ended, and of all items."""


@dataclass(frozen=True, slots=True)
class Partition:
    """The contents of a run's partition of the registry; bytes as JSON."""

    items: int
    bytes: int


@dataclass(frozen=True, slots=True)
class LoadDay:
    """One daily run."""

    name: str
    seconds: float
    report: dict[str, Any]
    travelled: Travelled
    partition: Partition
    manifest_bytes: dict[str, int]


@dataclass(frozen=True, slots=True)
class Load:
    """Both days, and the processes that ran them."""

    apps: int
    reports: int
    first_day: LoadDay
    data_day: LoadDay
    memory: dict[str, KindMemory]
    rows_at_apple: int


def run_load(apps: int, reports: int, progress: Progress, look: Look) -> Load:
    """Deploy, register all apps, let Apple's first data arrive, run again; the files are small, so the load is their
    number.

    RuntimeError when an execution ends without a report.
    """
    today = datetime.now(UTC).date()
    calls_per_hour = max(_APPLE_QUOTA, _CALLS_PER_TABLE * apps * reports)
    settings = WorldSettings(
        today=today - _DAY,
        apps=apps,
        rows_per_date=2,
        dates_per_instance=2,
        segments_per_instance=1,
        calls_per_hour=calls_per_hour,
    )
    names = CORE_REPORT_NAMES[:reports]
    with ExitStack() as running:
        apple = running.enter_context(SimulatedApple(World(settings)))
        aws = running.enter_context(EmbeddedAws())
        pipeline = deploy_pipeline(aws, apple, names, calls_per_hour, progress)
        with MemorySampler(aws.process_id) as sampler:
            first_day = _run_day(aws, pipeline, "first-day", (today - _DAY).isoformat(), look)
            apple.world.move_to(today)
            data_day = _run_day(aws, pipeline, "data-day", today.isoformat(), look)
        rows = sum(batch.rows for name in names for batch in newest_vintages(apple.world, name))
        memory = {kind: memory for kind, memory in sampler.by_kind().items() if kind != _OF_NO_RUN}
        return Load(apps, reports, first_day, data_day, memory, rows)


def deploy_pipeline(
    aws: EmbeddedAws, apple: SimulatedApple, names: Sequence[str], calls_per_hour: int, progress: Progress
) -> Pipeline:
    """Deploy against this App Store Connect, with these reports, and give its key."""
    context = {
        "apple_base_url": apple.url,
        "segment_hosts": ["127.0.0.1"],
        "reports": list(names),
        "releases": False,  # one more call per app, on which no data depends
        "calls_per_hour": calls_per_hour,
        "accounts": [{"name": ACCOUNT, "app_ids": []}],
    }
    deployment = deploy(aws, context, progress)
    key = apple.world.admin_key
    secret = {"key_id": key.key_id, "issuer_id": apple.world.keys.issuer_id, "private_key": key.private_key_pem}
    put_api_key(aws, deployment, ACCOUNT, secret)
    return open_pipeline(aws, deployment)


def _run_day(aws: EmbeddedAws, pipeline: Pipeline, name: str, as_of: str, look: Look) -> LoadDay:
    started = time.monotonic()
    with _looking(aws, pipeline, name, look):
        execution = pipeline.run(name, {"operation": "daily", "as_of": as_of})
    seconds = time.monotonic() - started
    if execution.report is None:
        raise RuntimeError(f"The execution {name} ended {execution.status} without a report: {execution.cause}")
    look(f"{name}: reading the histories", 0, 0)
    run_id = execution.report["run_id"]
    return LoadDay(
        name=name,
        seconds=seconds,
        report=execution.report,
        travelled=read_travelled(aws.client("stepfunctions"), pipeline.execution_arn(name)),
        partition=_partition(pipeline, run_id),
        manifest_bytes=_manifests(pipeline, run_id),
    )


@contextmanager
def _looking(aws: EmbeddedAws, pipeline: Pipeline, name: str, look: Look) -> Iterator[None]:
    """Reports the progress of the running Map from its own counts, which cost the emulator nothing."""
    ended = threading.Event()
    client = aws.client("stepfunctions")

    def watch() -> None:
        while not ended.wait(_LOOK_SECONDS):
            runs = client.list_map_runs(executionArn=pipeline.execution_arn(name))["mapRuns"]
            if runs:
                newest = max(runs, key=lambda run: run["startDate"])
                counts = client.describe_map_run(mapRunArn=newest["mapRunArn"])["itemCounts"]
                look(f"{name}: Map {len(runs)}", counts["succeeded"] + counts["failed"], counts["total"])

    watching = threading.Thread(target=watch, name="looking", daemon=True)
    watching.start()
    try:
        yield
    finally:
        ended.set()
        watching.join()


def _partition(pipeline: Pipeline, run_id: str) -> Partition:
    items = list(query_items(pipeline.registry.table, Key("pk").eq(run_partition(run_id))))
    return Partition(len(items), sum(len(str(item)) for item in items))


def _manifests(pipeline: Pipeline, run_id: str) -> dict[str, int]:
    """By Map; the last manifest of a Map can be smaller."""
    prefix = run_key(run_id, "manifests/")
    sizes = {
        stored.key.removeprefix(prefix).removesuffix(".json"): stored.size_bytes
        for stored in pipeline.lake.list(prefix)
    }
    return {name: size for name, size in sizes.items() if not name.endswith("-left")}

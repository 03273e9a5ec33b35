"""Executions of the state machine: starting one, following it through its records, finding one again."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from appstore_analytics.contract.errors import ConfigurationRefused
from appstore_analytics.contract.facts import ConvertFacts, DownloadFacts
from appstore_analytics.contract.maps import MAPS_OF_APPS, MapName
from appstore_analytics.contract.operations import UNKNOWN_STARTER
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.run_notes import read_plan, report_key_of
from appstore_analytics.model.items import ItemRecord
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.model.waits import longest
from appstore_analytics.registry import Registry
from appstore_analytics.rules.execution_input import started_by
from appstore_analytics.rules.times import run_id
from appstore_analytics.rules.verdicts import item_verdict

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

RUNNING = "RUNNING"
_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Started:
    """A started execution and its status. Only `describe` fills in `cause` and `started_by`."""

    arn: str
    name: str
    started_at: datetime
    status: str
    cause: str = ""
    started_by: str = UNKNOWN_STARTER

    @property
    def run_id(self) -> str:
        """The id of its run, if its input is accepted."""
        return run_id(self.started_at, self.name)


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution that has ended. `report` is its run report; None if its input was refused."""

    name: str
    status: str
    cause: str
    report: dict[str, Any] | None
    report_key: str = ""
    started_by: str = UNKNOWN_STARTER


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The progress of an execution. Each app is done, running or failed, so the three add up to `apps`."""

    apps: int = 0
    apps_done: int = 0
    apps_running: int = 0
    apps_failed: int = 0
    instances: int = 0
    instances_done: int = 0
    segments: int = 0
    rows: int = 0
    dates: int = 0
    dates_done: int = 0
    tables: int = 0
    tables_done: int = 0
    calls_left: int = 0
    waits: str = ""


Show = Callable[[Snapshot], None] | None


class Pipeline:
    """The deployed pipeline, seen from outside: its state machine, its registry and its lake."""

    def __init__(
        self,
        step_functions: "SFNClient",
        state_machine_arn: str,
        registry: Registry,
        lake: Bucket,
        poll_seconds: float = _POLL_SECONDS,
    ) -> None:
        self._step_functions = step_functions
        self._state_machine_arn = state_machine_arn
        self._poll_seconds = poll_seconds
        self.registry = registry
        self.lake = lake

    def run(self, name: str, payload: Any, show: Show = None) -> Execution:
        """Start an execution with this input, show it while it runs, and wait for its end."""
        return self.follow(self.start(name, payload), show)

    def start(self, name: str, payload: Any) -> Started:
        """Start an execution with this input."""
        answer = self._step_functions.start_execution(
            stateMachineArn=self._state_machine_arn, name=name, input=json.dumps(payload)
        )
        return Started(answer["executionArn"], name, _to_the_millisecond(answer["startDate"]), RUNNING)

    def follow(self, started: Started, show: Show = None) -> Execution:
        """Show an execution while it runs, and wait for its end."""
        plan = None
        while True:
            looked = time.monotonic()
            now = self.describe(started.arn)
            plan = plan or self._plan(now.run_id)
            if plan and show:
                show(self._snapshot(plan))
            if now.status != RUNNING:
                return self._ended(now, plan)
            # each snapshot reads all records: reading thousands of them must not slow down the run itself
            time.sleep(max(self._poll_seconds, time.monotonic() - looked))

    def execution_arn(self, name: str) -> str:
        """The ARN of an execution with this name."""
        return f"{self._state_machine_arn.replace(':stateMachine:', ':execution:')}:{name}"

    def describe(self, arn: str) -> Started:
        """The current status of an execution."""
        answer = self._step_functions.describe_execution(executionArn=arn)
        return replace(
            _started(answer),
            cause=answer.get("cause") or "",
            started_by=started_by(json.loads(answer.get("input") or "null")),
        )

    def executions(self) -> Iterator[Started]:
        """The executions that AWS still lists (for 90 days), newest first."""
        pages = self._step_functions.get_paginator("list_executions")
        for page in pages.paginate(stateMachineArn=self._state_machine_arn):
            for entry in page["executions"]:
                yield _started(entry)

    def _plan(self, run: str) -> RunPlan | None:
        """A run's plan; None before plan_run has written it, and for a refused input."""
        try:
            return read_plan(self.lake, run)
        except ConfigurationRefused:
            return None

    def _ended(self, ended: Started, plan: RunPlan | None) -> Execution:
        key = (report_key_of(self.lake, plan) if plan else None) or ""
        text = self.lake.read(key) if key else None
        report = json.loads(text) if text else None
        return Execution(ended.name, ended.status, ended.cause, report, key, ended.started_by)

    def _snapshot(self, plan: RunPlan) -> Snapshot:
        records = {map_name: list(self.registry.runs.of_map(plan.run_id, map_name)) for map_name in MapName}
        land = records[MapName.LAND]
        of_apps = [record for map_name in MAPS_OF_APPS for record in records[map_name]]
        met = {record.event["app_id"] for record in of_apps}
        failed = {record.event["app_id"] for record in of_apps if _has_failed(record)}
        running = {record.event["app_id"] for record in of_apps if _is_open(record)} - failed
        if plan.operation.traits.calls_apple:
            running |= {app_id for account in plan.accounts for app_id in account.app_ids} - met
        budgets = [self.registry.call_budget(account.reader_key_name) for account in plan.accounts]
        left = [one.most(plan.calls_per_hour, plan.operation) - one.balance().used for one in budgets]
        wait = longest(self.registry.waits.of_run(plan.run_id), self.registry.clock())
        return Snapshot(
            apps=len(met | running),
            apps_done=len(met - running - failed),
            apps_running=len(running),
            apps_failed=len(failed),
            instances=len(land),
            instances_done=sum(not _is_open(record) for record in land),
            segments=sum(DownloadFacts.of(record.facts).segments for record in land),
            rows=sum(ConvertFacts.of(record.facts).rows_raw for record in land),
            dates=len(records[MapName.PUBLISH]),
            dates_done=sum(not _is_open(record) for record in records[MapName.PUBLISH]),
            tables=len(records[MapName.VERIFY]),
            tables_done=sum(not _is_open(record) for record in records[MapName.VERIFY]),
            waits=wait.now if wait else "",
            calls_left=sum(left),
        )


def new_name(operation: str) -> str:
    """A name for an execution that a person starts; the run id has the time."""
    return f"manage-{operation}-{uuid4().hex[:8]}"


def _started(answer: Mapping[str, Any]) -> Started:
    started_at = _to_the_millisecond(answer["startDate"])
    return Started(answer["executionArn"], answer["name"], started_at, answer["status"])


def _to_the_millisecond(instant: datetime) -> datetime:
    """AWS sends milliseconds, which boto3 reads through a float."""
    whole = instant.astimezone(UTC) + timedelta(microseconds=500)
    return whole.replace(microsecond=whole.microsecond // 1000 * 1000)


def _is_open(record: ItemRecord) -> bool:
    return record.verdict is None and not record.error


def _has_failed(record: ItemRecord) -> bool:
    return not _is_open(record) and item_verdict(record).is_failure

"""Starting an execution and watching it through what it records."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from appstore_analytics.contract.layout import RUNS_PREFIX, report_key
from appstore_analytics.contract.messages import ItemRecord, MapName, RunPlan
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.run_notes import read_plan
from appstore_analytics.registry import Registry
from appstore_analytics.rules.call_budget import ceiling
from appstore_analytics.rules.times import compact_time
from appstore_analytics.rules.verdicts import item_verdict

_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution that has ended. `report` is its run report; None when it was refused before it became a run."""

    name: str
    status: str
    cause: str
    report: dict[str, Any] | None
    report_key: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An execution at one moment."""

    apps: int = 0
    apps_done: int = 0
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


class Pipeline:
    """The deployed pipeline, seen from outside: its state machine, its registry and its lake."""

    def __init__(self, step_functions: Any, state_machine_arn: str, registry: Registry, lake: Bucket) -> None:
        self._step_functions = step_functions
        self._state_machine_arn = state_machine_arn
        self.registry = registry
        self.lake = lake

    def run(self, name: str, payload: Any, show: Callable[[Snapshot], None] | None = None) -> Execution:
        """Start an execution with this input, show it while it runs, and wait for its end."""
        arn = self._step_functions.start_execution(
            stateMachineArn=self._state_machine_arn, name=name, input=json.dumps(payload)
        )["executionArn"]
        plan = None
        while True:
            looked = time.monotonic()
            answer = self._step_functions.describe_execution(executionArn=arn)
            plan = plan or self._plan(name)
            if plan and show:
                show(self._snapshot(plan))
            if answer["status"] != "RUNNING":
                return self._ended(name, answer, plan)
            # a snapshot reads all records: thousands of them must not take the machine from the run itself
            time.sleep(max(_POLL_SECONDS, time.monotonic() - looked))

    def execution_arn(self, name: str) -> str:
        """The ARN of an execution with this name."""
        return f"{self._state_machine_arn.replace(':stateMachine:', ':execution:')}:{name}"

    def _plan(self, execution_name: str) -> RunPlan | None:
        """The plan of the run that belongs to an execution: its id is a time, a hyphen and the execution's name."""
        for stored in self.lake.list(RUNS_PREFIX):
            run_id = stored.key.removeprefix(RUNS_PREFIX).split("/", 1)[0]
            if run_id.partition("-")[2] == execution_name:
                return read_plan(self.lake, run_id)
        return None

    def _ended(self, name: str, answer: dict[str, Any], plan: RunPlan | None) -> Execution:
        key = report_key(plan.operation, compact_time(plan.started_at)) if plan else ""
        text = self.lake.read(key) if key else None
        report = json.loads(text) if text else None
        return Execution(name, answer["status"], answer.get("cause") or "", report, key)

    def _snapshot(self, plan: RunPlan) -> Snapshot:
        records = {map_name: list(self.registry.runs.of_map(plan.run_id, map_name)) for map_name in MapName}
        register, land = records[MapName.REGISTER], records[MapName.LAND]
        busy = {record.event["app_id"] for record in (*register, *land) if _is_open(record)}
        failed = {record.event["app_id"] for record in (*register, *land) if _has_failed(record)}
        apps = sum(len(account.app_ids) for account in plan.accounts)
        used = [self.registry.call_budget(account.reader_key_name).balance().used for account in plan.accounts]
        return Snapshot(
            apps=apps,
            apps_done=len({record.event["app_id"] for record in register} - busy),
            apps_failed=len(failed),
            instances=len(land),
            instances_done=sum(not _is_open(record) for record in land),
            segments=sum(int(record.facts.get("segments", 0)) for record in land),
            rows=sum(int(record.facts.get("rows_raw", 0)) for record in land),
            dates=len(records[MapName.PUBLISH]),
            dates_done=sum(not _is_open(record) for record in records[MapName.PUBLISH]),
            tables=len(records[MapName.VERIFY]),
            tables_done=sum(not _is_open(record) for record in records[MapName.VERIFY]),
            calls_left=len(used) * ceiling(plan.calls_per_hour, plan.operation) - sum(used),
        )


def _is_open(record: ItemRecord) -> bool:
    return record.verdict is None and not record.error


def _has_failed(record: ItemRecord) -> bool:
    return not _is_open(record) and item_verdict(record).is_failure

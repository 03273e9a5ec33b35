"""What a rollback, a reprocess or a refetch would change, before it is started."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from appstore_analytics.answers.backfill_plan import wanted_tables
from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.facts import counted
from appstore_analytics.contract.configuration import Account, Configuration
from appstore_analytics.contract.layout import appstore_key
from appstore_analytics.contract.operations import Operation
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.run_notes import read_rows
from appstore_analytics.model.instances import LedgerInstance
from appstore_analytics.registry import Registry
from appstore_analytics.registry.covered_instances import landed_instances, listed_instances
from appstore_analytics.rules.call_budget import ceiling
from appstore_analytics.rules.due import INSTANCE_LIFE_DAYS
from appstore_analytics.rules.execution_input import ExecutionInput


@dataclass(frozen=True, slots=True)
class ChangedTable:
    """The changes of a run in one table: its rows before and after the run."""

    table_name: str
    dates: int
    first: date
    last: date
    apps: int
    batches: int
    rows_before: int
    rows_after: int


@dataclass(frozen=True, slots=True)
class RollbackPlan:
    """The plan of a rollback. A Date that a later run has changed again is left as it is."""

    execution_input: str
    run_id: str
    status: str
    tables: tuple[ChangedTable, ...]

    @property
    def is_good(self) -> bool:
        """Always true: a person decides."""
        return True

    @property
    def sentence(self) -> str:
        """The number of batches to roll back."""
        batches = sum(table.batches for table in self.tables)
        if not batches:
            return f"The run {self.run_id} changed nothing in the tables."
        return f"{counted(batches, 'batch', 'batches')} in {counted(len(self.tables), 'table')} to roll back."


@dataclass(frozen=True, slots=True)
class RepairedTable:
    """One table: its instances that are converted or downloaded again, with the segments that have landed."""

    table_name: str
    apps: int
    instances: int
    segments: int
    bytes: int
    oldest_processing_date: date
    newest_processing_date: date


@dataclass(frozen=True, slots=True)
class ReprocessPlan:
    """The plan of a reprocess, from the raw bucket and without Apple; an upper bound, because raw files expire."""

    execution_input: str
    tables: tuple[RepairedTable, ...]

    @property
    def is_good(self) -> bool:
        """Whether there is anything to convert."""
        return bool(self.tables)

    @property
    def sentence(self) -> str:
        """The number of instances to convert again."""
        instances = sum(table.instances for table in self.tables)
        return f"{counted(instances, 'instance')} to convert again. Without new code the tables keep their bytes."


@dataclass(frozen=True, slots=True)
class RefetchPlan:
    """What a refetch downloads again, if Apple sends other bytes than those that have landed.

    Listing takes one call per instance, `apple_calls` in all. A refetch can use the quota up to
    `apple_calls_per_hour`, so it needs `hours`. `older_instances` is the number of instances that Apple has deleted
    because of their age: they end as expired.
    """

    execution_input: str
    apple_calls: int
    apple_calls_per_hour: int
    hours: int
    older_instances: int
    tables: tuple[RepairedTable, ...]

    @property
    def is_good(self) -> bool:
        """Whether there is anything to download."""
        return self.apple_calls > self.older_instances

    @property
    def sentence(self) -> str:
        """The number of instances, and those that it cannot bring back."""
        older = (
            f" Apple has deleted {counted(self.older_instances, 'instance')} of them, because they are older than "
            f"{INSTANCE_LIFE_DAYS} days: only ./manage.py backfill brings their Dates."
        )
        return (
            f"{counted(self.apple_calls, 'instance')} to list, and to download if Apple sends other bytes than "
            f"before.{older if self.older_instances else ''}"
        )


def plan_rollback(report: Mapping[str, Any], lake: Bucket) -> RollbackPlan:
    """The changes of this report's run, from its lines in `appstore.batches`."""
    run_id = report["run_id"]
    day = date.fromisoformat(report["started_at"][:10])
    by_table: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in read_rows(lake, appstore_key("batches", day, run_id)):
        by_table[row["table_name"]].append(row)
    tables = tuple(_changed(name, rows) for name, rows in sorted(by_table.items()))
    payload = {"operation": Operation.ROLLBACK.value, "run_id": run_id}
    return RollbackPlan(json.dumps(payload), run_id, report["status"], tables)


def _changed(name: str, rows: Sequence[Mapping[str, Any]]) -> ChangedTable:
    days = {date.fromisoformat(row["date"]) for row in rows}
    return ChangedTable(
        table_name=name,
        dates=len(days),
        first=min(days),
        last=max(days),
        apps=len({row["app_id"] for row in rows}),
        batches=len(rows),
        rows_before=sum(row["replaced_rows"] or 0 for row in rows),
        rows_after=sum(row["rows"] or 0 for row in rows),
    )


def reprocess_payload(
    app_ids: Sequence[str], reports: Sequence[str], start: date | None, end: date | None, run_id: str | None
) -> dict[str, Any]:
    """The execution input; `start` and `end` are processing dates."""
    limits = {
        "app_ids": list(app_ids),
        "reports": list(reports),
        "start_processing_date": start.isoformat() if start else None,
        "end_processing_date": end.isoformat() if end else None,
        "run_id": run_id,
    }
    return {"operation": Operation.REPROCESS.value} | {name: value for name, value in limits.items() if value}


def plan_reprocess(
    payload: Mapping[str, Any],
    wanted: ExecutionInput,
    configuration: Configuration,
    accounts: Sequence[Account],
    registry: Registry,
) -> ReprocessPlan:
    """The instances of the ledger that this input covers; Refused if plan_run would refuse it."""
    _refuse_unknown_apps(wanted, accounts)
    tables = {table.name for table in wanted_tables(wanted, configuration)}
    app_ids = wanted.app_ids or sorted(app_id for account in accounts for app_id in account.app_ids)
    first, last = wanted.start_processing_date, wanted.end_processing_date
    covered = landed_instances(registry, app_ids, tables, first, last, wanted.run_id)
    return ReprocessPlan(json.dumps(payload), _by_table(covered))


def refetch_payload(app_ids: Sequence[str], start: date, end: date, reports: Sequence[str]) -> dict[str, Any]:
    """The execution input; `start` and `end` are processing dates."""
    payload = {
        "operation": Operation.REFETCH.value,
        "app_ids": list(app_ids),
        "start_processing_date": start.isoformat(),
        "end_processing_date": end.isoformat(),
    }
    return payload | ({"reports": list(reports)} if reports else {})


def plan_refetch(
    payload: Mapping[str, Any],
    wanted: ExecutionInput,
    configuration: Configuration,
    accounts: Sequence[Account],
    registry: Registry,
) -> RefetchPlan:
    """The instances of the ledger that this input covers; Refused if plan_run would refuse it."""
    _refuse_unknown_apps(wanted, accounts)
    tables = {table.name for table in wanted_tables(wanted, configuration)}
    first, last = wanted.start_processing_date, wanted.end_processing_date
    covered = list(listed_instances(registry, wanted.app_ids, tables, first, last))
    older = sum((wanted.as_of - one.vintage.processing_date).days > INSTANCE_LIFE_DAYS for one in covered)
    per_hour = ceiling(configuration.calls_per_hour, Operation.REFETCH)
    hours = -(-len(covered) // per_hour)
    return RefetchPlan(json.dumps(payload), len(covered), per_hour, hours, older, _by_table(covered))


def _refuse_unknown_apps(wanted: ExecutionInput, accounts: Sequence[Account]) -> None:
    known = {app_id for account in accounts for app_id in account.app_ids}
    for app_id in wanted.app_ids:
        if app_id not in known:
            raise Refused(f"App {app_id} is not fetched: ./manage.py apps lists the apps that are.")


def _by_table(instances: Iterable[LedgerInstance]) -> tuple[RepairedTable, ...]:
    of_tables: dict[str, list[LedgerInstance]] = defaultdict(list)
    for instance in instances:
        of_tables[instance.table].append(instance)
    return tuple(_repaired(name, of_table) for name, of_table in sorted(of_tables.items()))


def _repaired(name: str, instances: Sequence[LedgerInstance]) -> RepairedTable:
    days = [instance.vintage.processing_date for instance in instances]
    segments = [segment for instance in instances for segment in instance.segments]
    return RepairedTable(
        table_name=name,
        apps=len({instance.app_id for instance in instances}),
        instances=len(instances),
        segments=len(segments),
        bytes=sum(segment.size_bytes for segment in segments),
        oldest_processing_date=min(days),
        newest_processing_date=max(days),
    )

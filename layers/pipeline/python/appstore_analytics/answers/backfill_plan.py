"""The plan of a backfill, before it is started: requests, snapshot quota, calls, expected rows, cost."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Any

from appstore_analytics.answers.cost import CostLine, Work, cost_of
from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.facts import counted
from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.configuration import Account, Configuration
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.tables import CuratedTable, curated_tables
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.published import published_dates, read_publication
from appstore_analytics.model.requests import KnownRequest
from appstore_analytics.registry import Registry
from appstore_analytics.rules.calendar import expected_dates
from appstore_analytics.rules.call_budget import ceiling
from appstore_analytics.rules.due import outdated, renewable_on
from appstore_analytics.rules.execution_input import ExecutionInput

_DATES_LOOKED_AT = 7
_LOOK, _DELETE, _CREATE = 1, 1, 1


@dataclass(frozen=True, slots=True)
class SnapshotPlan:
    """One app and the action for its snapshot. From `next_possible_on` on Apple grants a new one.

    A snapshot holds only Dates that were complete on its request day.
    """

    account: str
    app_id: str
    snapshot: str
    requested_on: date | None
    next_possible_on: date | None
    apple_calls: int


@dataclass(frozen=True, slots=True)
class TablePlan:
    """One table, with the expected rows, estimated from the current rows of these apps; apps without data are left out.

    `first` and `last` are the Dates of the range that Apple has and has completed.
    """

    table_name: str
    first: date | None
    last: date | None
    dates: int
    apps_known: int
    rows_expected: int | None


@dataclass(frozen=True, slots=True)
class BackfillPlan:
    """The plan of a backfill.

    `history_from` is where Apple's history begins, if that is later than the requested start. `apple_calls` is the
    minimum once the snapshots are ready; while it waits for them, each hourly check takes `apple_calls_per_look`. A
    backfill can use `apple_calls_per_hour` of the quota, so it needs `hours`.
    """

    execution_input: str
    history_from: date | None
    apps: int
    requests_to_make: int
    apple_calls: int
    apple_calls_per_look: int
    apple_calls_per_hour: int
    hours: int
    rows_expected: int
    us_dollars: float
    snapshots: tuple[SnapshotPlan, ...]
    tables: tuple[TablePlan, ...]
    costs: tuple[CostLine, ...]

    @property
    def is_good(self) -> bool:
        """Always true: a plan has no problem to report."""
        return True

    @property
    def sentence(self) -> str:
        """The totals in one sentence."""
        clipped = f" Apple's history begins on {self.history_from}, not before." if self.history_from else ""
        wait = " Apple builds a new snapshot in 24 to 48 hours." if self.requests_to_make else ""
        return (
            f"{counted(self.apps, 'app')}: {counted(self.requests_to_make, 'snapshot')} to request, at least "
            f"{self.apple_calls:,} Apple calls, about {self.rows_expected:,} rows and ${self.us_dollars:,.2f}."
            f"{clipped}{wait}"
        )


def backfill_payload(
    app_ids: Sequence[str], start: date, end: date, reports: Sequence[str], as_of: date | None
) -> dict[str, Any]:
    """The execution input."""
    payload: dict[str, Any] = {
        "operation": Operation.BACKFILL.value,
        "app_ids": list(app_ids),
        "start_date": start.isoformat(),
        "end_date": end.isoformat(),
    }
    if reports:
        payload["reports"] = list(reports)
    return payload | ({"as_of": as_of.isoformat()} if as_of else {})


def plan_backfill(
    payload: Mapping[str, Any],
    wanted: ExecutionInput,
    configuration: Configuration,
    accounts: Sequence[Account],
    registry: Registry,
    lake: Bucket,
) -> BackfillPlan:
    """The plan for this input; Refused if plan_run would refuse it."""
    tables = wanted_tables(wanted, configuration)
    snapshots = tuple(_snapshot(_account_of(app_id, accounts), app_id, wanted, registry) for app_id in wanted.app_ids)
    begins = min(table.first_date for table in tables)
    if wanted.end_date and wanted.end_date < begins:
        raise Refused(f"The last Date must not be before {begins}: Apple has no earlier Dates of these reports.")
    table_plans = tuple(_table(table, wanted, lake) for table in tables)
    requests_to_make = sum(one.snapshot != "use" for one in snapshots)
    work = _work(wanted, table_plans, requests_to_make)
    apps, per_hour = len(wanted.app_ids), ceiling(configuration.calls_per_hour, Operation.BACKFILL)
    calls = sum(one.apple_calls for one in snapshots) + apps * (1 + len(tables)) + work.instances
    costs = cost_of(work)
    return BackfillPlan(
        execution_input=json.dumps(payload),
        history_from=begins if begins > date.fromisoformat(payload["start_date"]) else None,
        apps=apps,
        requests_to_make=requests_to_make,
        apple_calls=calls,
        apple_calls_per_look=apps * len(tables),
        apple_calls_per_hour=per_hour,
        hours=-(-calls // per_hour),
        rows_expected=sum(one.rows_expected or 0 for one in table_plans),
        us_dollars=round(sum(line.us_dollars for line in costs), 2),
        snapshots=snapshots,
        tables=table_plans,
        costs=costs,
    )


def wanted_tables(wanted: ExecutionInput, configuration: Configuration) -> tuple[CuratedTable, ...]:
    """The tables of the reports in an input, or of all reports; Refused if one of them is not deployed."""
    for name in wanted.reports:
        if name not in configuration.reports:
            raise Refused(f"'{name}' is not deployed: add it to reports in cdk.json and deploy.")
    reports = wanted.reports or configuration.reports
    return curated_tables(reports, configuration.granularities)


def _account_of(app_id: str, accounts: Sequence[Account]) -> str:
    """If no run has listed an account's apps yet, any app id is accepted: plan_run asks Apple."""
    found = next((account.name for account in accounts if app_id in account.app_ids), None)
    if found is None and all(account.app_ids for account in accounts):
        raise Refused(f"App {app_id} is not in a configured account: ./manage.py apps lists the apps that are.")
    return found or ""


def _snapshot(account: str, app_id: str, wanted: ExecutionInput, registry: Registry) -> SnapshotPlan:
    known = registry.report_requests.get(app_id, AccessType.ONE_TIME_SNAPSHOT)
    what, calls = _what_happens(known, wanted.as_of)
    next_on = renewable_on(known.since) if known.since and what == "use" else None
    return SnapshotPlan(account, app_id, what, known.requested_on, next_on, calls)


def _what_happens(known: KnownRequest, as_of: date) -> tuple[str, int]:
    if known.request_id is None:
        return "request", _LOOK + _CREATE
    if outdated(known, as_of):
        return "replace", _LOOK + _DELETE + _CREATE
    return "use", _LOOK


def _table(table: CuratedTable, wanted: ExecutionInput, lake: Bucket) -> TablePlan:
    days = list(_dates(table, wanted))
    per_app = rows_per_date(table, wanted.app_ids, lake)
    expected = round(sum(per_app.values()) * len(days)) if per_app else None
    first, last = (days[0], days[-1]) if days else (None, None)
    return TablePlan(table.name, first, last, len(days), len(per_app), expected)


def _dates(table: CuratedTable, wanted: ExecutionInput) -> Iterator[date]:
    """The requested Dates that are complete by now."""
    if wanted.start_date is None or wanted.end_date is None:
        return
    for day in expected_dates(table, wanted.start_date, wanted.as_of + timedelta(days=1)):
        if day <= wanted.end_date:
            yield day


def rows_per_date(table: CuratedTable, app_ids: Sequence[str], lake: Bucket) -> dict[int, float]:
    """The usual number of rows of each app, from the notes of the newest published Dates."""
    rows: dict[int, list[int]] = {}
    for day in published_dates(lake, table)[-_DATES_LOOKED_AT:]:
        for batch in read_publication(lake, table, day):
            if str(batch.app_id) in app_ids:
                rows.setdefault(batch.app_id, []).append(batch.rows)
    return {app_id: median(counts) for app_id, counts in rows.items()}


def _work(wanted: ExecutionInput, tables: Sequence[TablePlan], snapshots: int) -> Work:
    apps, dates = len(wanted.app_ids), sum(table.dates for table in tables)
    return Work(apps, len(tables), apps * len(tables), parts=apps * dates, dates=dates, snapshots=snapshots)

"""`registry-stats`: counts of the registry's contents."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from appstore_analytics.answers.facts import counted
from appstore_analytics.answers.status import RequestStatus, verdict_counts
from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.registry import Registry
from appstore_analytics.rules.call_budget import ceiling, hour_of, is_given_back


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """One API key: calls of the rolling hour, a run's share, and the pause after a 429."""

    key_name: str
    used: int
    daily_ceiling: int
    backfill_ceiling: int
    closed_until: datetime | None
    refusals_in_a_row: int


@dataclass(frozen=True, slots=True)
class DirtyTable:
    """Dates of a table whose parts changed since they were published; the next run publishes them."""

    table_name: str
    dates: int
    oldest: date
    newest: date


@dataclass(frozen=True, slots=True)
class RegistryStatistics:
    """Counters over all time, and the current state."""

    counters: Mapping[str, int]
    requests: Mapping[str, int]
    instances: Mapping[str, int]
    call_budgets: tuple[BudgetLine, ...]
    dirty_dates: tuple[DirtyTable, ...]

    @property
    def is_good(self) -> bool:
        """Always true: these are counts; `status` and `gaps` find problems."""
        return True

    @property
    def sentence(self) -> str:
        """The number of instances, and of Dates to publish."""
        dates = sum(table.dates for table in self.dirty_dates)
        instances = counted(sum(self.instances.values()), "instance")
        return f"{instances} in the ledger, {counted(dates, 'Date')} waiting to be published."


def registry_statistics(
    accounts: Iterable[Account],
    calls_per_hour: int,
    tables: Iterable[CuratedTable],
    registry: Registry,
    status: RequestStatus,
) -> RegistryStatistics:
    """Count everything; the ledger is read app by app."""
    accounts = tuple(accounts)
    now = registry.clock()
    dirty = ((table.name, [mark.day for mark in registry.dirty_dates.of_table(table.name)]) for table in tables)
    return RegistryStatistics(
        counters=dict(sorted(registry.statistics.totals().items())),
        requests=verdict_counts(status),
        instances=_instances(accounts, registry),
        call_budgets=tuple(_budget(name, calls_per_hour, registry, now) for name in _key_names(accounts)),
        dirty_dates=tuple(DirtyTable(name, len(days), min(days), max(days)) for name, days in dirty if days),
    )


def _instances(accounts: Iterable[Account], registry: Registry) -> dict[str, int]:
    counts = Counter(
        str(instance.status)
        for account in accounts
        for app_id in account.app_ids
        for access_type in AccessType
        for instance in registry.instances.since(app_id, access_type, date.min)
    )
    return dict(sorted(counts.items()))


def _key_names(accounts: Iterable[Account]) -> list[str]:
    return list(dict.fromkeys(name for one in accounts for name in (one.admin_key_name, one.reader_key_name)))


def _budget(key_name: str, calls_per_hour: int, registry: Registry, now: datetime) -> BudgetLine:
    balance = registry.call_budget(key_name).balance()
    used = sum(calls for minute, calls in balance.calls_by_minute.items() if not is_given_back(minute, now))
    rests = balance.closed_until if balance.closed_until and balance.closed_until > now else None
    hour = hour_of(calls_per_hour, balance.hour_limit)
    daily, backfill = (ceiling(hour, operation) for operation in (Operation.DAILY, Operation.BACKFILL))
    return BudgetLine(key_name, used, daily, backfill, rests, balance.refusals)

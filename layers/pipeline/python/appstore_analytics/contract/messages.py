"""What travels between the state machine and its functions: operations, manifest items, outcomes, verdicts.

Rows, keys, tokens and signed URLs never enter a state. Facts live in DynamoDB and S3; a Map's child ends with `{}`.
"""

from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Self

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.layout import TableDate


class Operation(StrEnum):
    """What an execution is asked for."""

    DAILY = "daily"
    BACKFILL = "backfill"
    REPROCESS = "reprocess"
    ROLLBACK = "rollback"

    @property
    def calls_apple(self) -> bool:
        """Whether it asks Apple for anything; the others work on what has landed."""
        return self in (Operation.DAILY, Operation.BACKFILL)


class AccessType(StrEnum):
    """Apple's `accessType` of a report request."""

    ONGOING = "ONGOING"
    ONE_TIME_SNAPSHOT = "ONE_TIME_SNAPSHOT"


class MapName(StrEnum):
    """The five Distributed Maps, in order; each operation runs some of them."""

    REGISTER = "REGISTER"
    RESTORE = "RESTORE"
    LAND = "LAND"
    PUBLISH = "PUBLISH"
    VERIFY = "VERIFY"


MOST_ITEMS_OF_A_MAP = 50_000
"""A Map answers with its children's outputs, `{}` each, and may answer 256 KiB (Step Functions quotas): 87,381 of them.

Far less, because summarize_run holds the records of all items in its memory.
"""


class Outcome(StrEnum):
    """What a Map's child does after a step."""

    NEXT = "next"
    DONE = "done"
    WAIT = "wait"  # until `available_at`, then the same step again


class Verdict(StrEnum):
    """How an item, or an app, ended."""

    READY = "ready"
    CONVERTED = "converted"
    PUBLISHED = "published"
    VERIFIED = "verified"
    UNCHANGED = "unchanged"
    ROLLED_BACK = "rolled back"
    SUPERSEDED = "superseded"
    NOT_READY = "not ready"
    EXPIRED = "expired"
    FORBIDDEN = "forbidden"
    KEY_REJECTED = "key rejected"
    CONFLICT = "conflict"
    QUARANTINED = "quarantined"
    MISMATCH = "mismatch"
    FAILED = "failed"

    @property
    def is_failure(self) -> bool:
        """Whether a run with such an app ends FAILED."""
        return self in _FAILURES


_FAILURES = frozenset(
    {
        Verdict.FORBIDDEN,
        Verdict.KEY_REJECTED,
        Verdict.CONFLICT,
        Verdict.QUARANTINED,
        Verdict.MISMATCH,
        Verdict.FAILED,
    }
)


@dataclass(frozen=True, slots=True)
class Account:
    """One App Store Connect account; no app ids means all apps of the account.

    Creating and deleting report requests takes an Admin key, reading does not: with `reader_key` reading has a key of
    its own. A key's name is that of its secret, after the prefix, and of its call budget: Apple's quota is per key.
    """

    name: str
    app_ids: tuple[str, ...] = ()
    reader_key: bool = False

    @property
    def admin_key_name(self) -> str:
        """The key that registers."""
        return self.name

    @property
    def reader_key_name(self) -> str:
        """The key that lists and downloads."""
        return f"{self.name}/reader" if self.reader_key else self.name

    @classmethod
    def from_payload(cls, payload: dict[str, Any]) -> Self:
        """The account that `asdict` wrote."""
        return cls(payload["name"], tuple(payload["app_ids"]), payload["reader_key"])


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the deployment is configured to fetch; the state machine hands it to plan_run.

    `reports` are Apple's names. `calls_per_hour` is the quota of one API key. A replaced part is kept for
    `kept_versions_days`, and so long a run can be rolled back.
    """

    accounts: tuple[Account, ...]
    reports: tuple[str, ...]
    granularities: tuple[Granularity, ...]
    calls_per_hour: int
    kept_versions_days: int

    def to_payload(self) -> dict[str, Any]:
        """The JSON that stands in the state machine's definition."""
        return asdict(self)

    @classmethod
    def from_payload(cls, payload: dict[str, Any]) -> Self:
        """The configuration that `to_payload` wrote."""
        return cls(
            accounts=tuple(Account.from_payload(account) for account in payload["accounts"]),
            reports=tuple(payload["reports"]),
            granularities=tuple(Granularity(name) for name in payload["granularities"]),
            calls_per_hour=payload["calls_per_hour"],
            kept_versions_days=payload["kept_versions_days"],
        )


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What one execution is about: written once by plan_run, read by every step.

    `as_of` decides what is due and the age of snapshots; it never hides an instance that Apple lists.
    `start_date` and `end_date` (inclusive) limit the Dates of a backfill; `give_up_at` ends its wait for the snapshot.
    `of_run` is the run that a rollback takes back, or whose instances are reprocessed; `start_processing_date` and
    `end_processing_date` (inclusive) limit the instances of a reprocess.
    """

    run_id: str
    operation: Operation
    as_of: date
    started_at: datetime
    accounts: tuple[Account, ...]
    reports: tuple[str, ...]
    granularities: tuple[Granularity, ...]
    calls_per_hour: int
    start_date: date | None = None
    end_date: date | None = None
    give_up_at: datetime | None = None
    of_run: str | None = None
    start_processing_date: date | None = None
    end_processing_date: date | None = None

    @property
    def access_type(self) -> AccessType:
        """The report request this operation stands on."""
        return AccessType.ONE_TIME_SNAPSHOT if self.operation is Operation.BACKFILL else AccessType.ONGOING

    def account(self, name: str) -> Account:
        """One of the plan's accounts."""
        return next(account for account in self.accounts if account.name == name)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {key: value.isoformat() if isinstance(value, date) else value for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, plan: dict[str, Any]) -> Self:
        """The plan that `to_json` wrote."""
        return cls(
            run_id=plan["run_id"],
            operation=Operation(plan["operation"]),
            as_of=date.fromisoformat(plan["as_of"]),
            started_at=datetime.fromisoformat(plan["started_at"]),
            accounts=tuple(Account.from_payload(account) for account in plan["accounts"]),
            reports=tuple(plan["reports"]),
            granularities=tuple(Granularity(name) for name in plan["granularities"]),
            calls_per_hour=plan["calls_per_hour"],
            start_date=_date(plan["start_date"]),
            end_date=_date(plan["end_date"]),
            give_up_at=datetime.fromisoformat(plan["give_up_at"]) if plan["give_up_at"] else None,
            of_run=plan.get("of_run"),  # plans of runs that began before there were rollbacks have none
            start_processing_date=_date(plan.get("start_processing_date")),
            end_processing_date=_date(plan.get("end_processing_date")),
        )


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a Map's manifest. `record` is the sort key of its terminal record in the run's partition."""

    map_name: ClassVar[MapName]

    run_id: str
    record: str = field(init=False)

    def _set_record(self, *key: str) -> None:
        object.__setattr__(self, "record", "#".join((self.map_name, *key)))

    def to_event(self) -> dict[str, str]:
        """The manifest line, which is also the event of the child's functions."""
        return asdict(self)

    @classmethod
    def from_event(cls, event: dict[str, Any]) -> Self:
        """The item in a function's event; whatever else the state carries is ignored."""
        return cls(**{each.name: event[each.name] for each in fields(cls) if each.init})


@dataclass(frozen=True, slots=True)
class RegisterItem(Item):
    """REGISTER: one app."""

    map_name = MapName.REGISTER

    account: str
    app_id: str

    def __post_init__(self) -> None:
        self._set_record(self.app_id)


@dataclass(frozen=True, slots=True)
class RestoreItem(Item):
    """RESTORE: one instance that the run `of_run` handled. `instance` is its sort key in the app's ledger."""

    map_name = MapName.RESTORE

    account: str
    app_id: str
    instance: str
    of_run: str

    def __post_init__(self) -> None:
        self._set_record(self.app_id, self.instance)


@dataclass(frozen=True, slots=True)
class LandItem(Item):
    """LAND: one instance. `instance` is its sort key in the app's ledger."""

    map_name = MapName.LAND

    account: str
    app_id: str
    instance: str

    def __post_init__(self) -> None:
        self._set_record(self.app_id, self.instance)


@dataclass(frozen=True, slots=True)
class PublishItem(Item):
    """PUBLISH: one dirty Date of one table."""

    map_name = MapName.PUBLISH

    table: str
    day: str

    def __post_init__(self) -> None:
        self._set_record(self.table, self.day)

    @property
    def table_date(self) -> TableDate:
        """The Date to publish."""
        return TableDate(self.table, date.fromisoformat(self.day))


@dataclass(frozen=True, slots=True)
class VerifyItem(Item):
    """VERIFY: one table that this run touched."""

    map_name = MapName.VERIFY

    table: str

    def __post_init__(self) -> None:
        self._set_record(self.table)


@dataclass(frozen=True, slots=True)
class ItemRecord:
    """How one manifest item of a run ended. Without a verdict it never did.

    `error` is the class name of the error that Step Functions caught, with its cause in `reason`; `facts` are what the
    steps noted about the item.
    """

    record: str
    event: dict[str, Any]
    verdict: Verdict | None
    reason: str = ""
    error: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def step_result(outcome: Outcome, available_at: datetime | None = None) -> dict[str, str]:
    """What a step returns to its child; a Wait state reads `available_at`."""
    return {"outcome": outcome, **({"available_at": utc_text(available_at)} if available_at else {})}


def utc_text(instant: datetime) -> str:
    """What a Wait state reads (UTC, ISO 8601 with Z).

    In whole seconds, and up: who comes back a moment too early waits once more.
    """
    return (instant + timedelta(microseconds=999_999)).strftime("%Y-%m-%dT%H:%M:%SZ")

"""The plan of one execution."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any, Self

from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.operations import UNKNOWN_STARTER, Operation


def named(app_id: str, *beside: str) -> str:
    """An app in a sentence, with its name and other facts: `1000000001 (Tiny Chess, failed)`."""
    said = ", ".join(filter(None, beside))
    return f"{app_id} ({said})" if said else app_id


@dataclass(frozen=True, slots=True)
class VanishedApp:
    """An app that a key could see until `last_listed`, and that Apple no longer lists."""

    account: str
    app_id: str
    last_listed: date
    name: str = ""

    @property
    def sentence(self) -> str:
        """The cause, and what to do about it."""
        return (
            f"Apple no longer lists app {named(self.app_id, self.name)} for the key of account '{self.account}', "
            f"which saw it until {self.last_listed}: if that is not intended, look at the key's access to apps and at "
            "transfers of the app; its tables keep their data, and its feeds become late."
        )


@dataclass(frozen=True, slots=True)
class RunPlan:
    """The plan of one execution: written once by plan_run, read by every step.

    `as_of` decides what is due and the age of snapshots; it never hides an instance that Apple lists. `start_date` and
    `end_date` (inclusive) limit the Dates of a backfill; `give_up_at` ends its wait for the snapshot. `of_run` is the
    run that a rollback takes back, or whose instances are reprocessed; `start_processing_date` and
    `end_processing_date` (inclusive) limit the instances of a reprocess or a refetch. `vanished` are apps of an earlier
    daily run that Apple no longer lists; `notices` are sentences about the plan for the run report. `started_by` is an
    id of the schedule or principal that started the execution. `app_names` are Apple's names by app id, as far as
    known.
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
    vanished: tuple[VanishedApp, ...] = ()
    notices: tuple[str, ...] = ()
    started_by: str = UNKNOWN_STARTER
    app_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def access_type(self) -> AccessType:
        """The kind of report request that this operation uses."""
        return self.operation.traits.access_type

    def account(self, name: str) -> Account:
        """One of the plan's accounts."""
        return next(account for account in self.accounts if account.name == name)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        plan = asdict(self)
        plan["vanished"] = [_plain(gone) for gone in plan["vanished"]]
        return _plain(plan)

    @classmethod
    def from_json(cls, plan: dict[str, Any]) -> Self:
        """The plan in JSON that `to_json` wrote."""
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
            of_run=plan.get("of_run"),  # plans of older versions, without rollbacks, have none
            start_processing_date=_date(plan.get("start_processing_date")),
            end_processing_date=_date(plan.get("end_processing_date")),
            vanished=tuple(
                VanishedApp(
                    gone["account"], gone["app_id"], date.fromisoformat(gone["last_listed"]), gone.get("name", "")
                )
                for gone in plan.get("vanished", ())
            ),
            notices=tuple(plan.get("notices", ())),
            started_by=plan.get("started_by", UNKNOWN_STARTER),  # earlier plans do not have it
            app_names=plan.get("app_names", {}),
        )


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None

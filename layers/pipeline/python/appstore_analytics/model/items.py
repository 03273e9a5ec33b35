"""The items of the Maps' manifests, and how they ended."""

from dataclasses import asdict, dataclass, field, fields
from datetime import date
from typing import Any, ClassVar, Self

from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.verdicts import Verdict


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

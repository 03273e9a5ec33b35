"""The items of the Maps' manifests, and their records."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any, ClassVar, Self

from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.model.former_state import event_with_vintage
from appstore_analytics.model.vintage import Vintage


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a Map's manifest."""

    map_name: ClassVar[MapName]

    run_id: str

    @property
    def identity(self) -> tuple[str | Vintage, ...]:
        """The item's identity within its run and Map."""
        raise NotImplementedError

    def to_event(self) -> dict[str, str]:
        """The item in the event of the child's functions. The manifest line also names its record."""
        return {each.name: str(getattr(self, each.name)) for each in fields(self)}

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Self:
        """The item in a function's event; any other fields of the state are ignored."""
        event = event_with_vintage(event)
        return cls(**{each.name: _READ.get(each.name, str)(event[each.name]) for each in fields(cls)})


_READ: Mapping[str, Callable[[str], Any]] = {"vintage": Vintage.parse}


@dataclass(frozen=True, slots=True)
class RegisterItem(Item):
    """REGISTER: one app."""

    map_name = MapName.REGISTER

    account: str
    app_id: str

    @property
    def identity(self) -> tuple[str | Vintage, ...]:
        """The app."""
        return (self.app_id,)


@dataclass(frozen=True, slots=True)
class _InstanceItem(Item):
    """One instance of one app."""

    account: str
    app_id: str
    vintage: Vintage

    @property
    def identity(self) -> tuple[str | Vintage, ...]:
        """The app and the instance."""
        return (self.app_id, self.vintage)


@dataclass(frozen=True, slots=True)
class RestoreItem(_InstanceItem):
    """RESTORE: one instance that the run `of_run` handled."""

    map_name = MapName.RESTORE

    of_run: str


@dataclass(frozen=True, slots=True)
class LandItem(_InstanceItem):
    """LAND: one instance."""

    map_name = MapName.LAND


@dataclass(frozen=True, slots=True)
class PublishItem(Item):
    """PUBLISH: one dirty Date of one table."""

    map_name = MapName.PUBLISH

    table: str
    day: str

    @property
    def identity(self) -> tuple[str | Vintage, ...]:
        """The table and the Date."""
        return (self.table, self.day)

    @property
    def table_date(self) -> TableDate:
        """The Date to publish."""
        return TableDate(self.table, date.fromisoformat(self.day))


@dataclass(frozen=True, slots=True)
class VerifyItem(Item):
    """VERIFY: one table that this run changed."""

    map_name = MapName.VERIFY

    table: str

    @property
    def identity(self) -> tuple[str | Vintage, ...]:
        """The table."""
        return (self.table,)


@dataclass(frozen=True, slots=True)
class ItemRecord:
    """The record of one manifest item of a run. Without a verdict it has not ended.

    `record` names it within its run, as the run report does; `event` is its manifest line. `error` is the class name of
    the error that Step Functions caught, with its cause in `reason`; `facts` are what the steps recorded about the
    item.
    """

    record: str
    event: dict[str, Any]
    verdict: Verdict | None
    reason: str = ""
    error: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

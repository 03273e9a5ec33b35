"""Entries of App Store Connect's lists, checked on arrival, so that their ids are safe in keys and URLs."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.contract.errors import AppleRefused, AppleUnavailable
from appstore_analytics.contract.layout import is_app_id, is_safe_id
from appstore_analytics.model.releases import Platform, StoreVersion
from appstore_analytics.rules.times import iso_date

_SHOWN_CHARACTERS = 40
_APP_NAME_CHARACTERS = 60
_VERSION_CHARACTERS = 40
_MD5 = re.compile(r"[0-9A-Fa-f]{32}")
_EARLIEST = date(2020, 1, 1)  # no table has a Date before it
_EXISTS = ("STATE_ERROR", "ENTITY_ERROR")
"""The codes of a 409 that mean "you have one already"; other codes below ENTITY_ERROR name another cause."""


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """Apple's report request for an app. Apple reports neither its age nor whether it is ready."""

    id: str
    access_type: AccessType
    is_stopped: bool


@dataclass(frozen=True, slots=True)
class Conflict:
    """Apple's 409 to a new report request; `code` is Apple's."""

    code: str

    @property
    def says_it_exists(self) -> bool:
        """Whether Apple means that the app has a request of this access type already."""
        return self.code == _EXISTS[1] or self.code.startswith(_EXISTS[0])


@dataclass(frozen=True, slots=True)
class Report:
    """A report that a request offers, by Apple's name."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Instance:
    """The files that Apple built for one report on one processing date."""

    id: str
    granularity: Granularity
    processing_date: date


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of an instance. The URL is a credential for five minutes: it is never shown, logged or stored."""

    id: str
    url: str = field(repr=False, compare=False)
    checksum: str | None
    size_bytes: int | None


_ON_SALE = {"READY_FOR_DISTRIBUTION": True, "REPLACED_WITH_NEW_VERSION": False}
"""Apple's states of a version that is, or was, on the App Store, and whether it is now."""

RELEASED_STATES = tuple(_ON_SALE)


@dataclass(frozen=True, slots=True)
class Instances:
    """The valid instances of a report, and the reason why each other entry of Apple's list is refused, by its id."""

    listed: tuple[Instance, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)


_Listed = TypeVar("_Listed", ReportRequest, Report, Segment, StoreVersion)
_Value = TypeVar("_Value")


def read_entry(data: Any) -> dict[str, Any]:
    """An entry of a list that has an id and attributes."""
    if not isinstance(data, dict) or not isinstance(data.get("id"), str) or not data["id"]:
        raise AppleRefused("App Store Connect sent an entry without an id.")
    return data


def _attribute(data: dict[str, Any], name: str, read: Callable[[Any], _Value], missing: Any = None) -> _Value:
    """An attribute of an entry, `missing` if absent; AppleRefused names the attribute that `read` refuses."""
    attributes = data.get("attributes")
    value = attributes.get(name) if isinstance(attributes, dict) else None
    try:
        return read(missing if value is None else value)
    except (KeyError, TypeError, ValueError):
        shown = f" ({_shown(str(value))})" if isinstance(value, str | int) else ""
        raise AppleRefused(
            f"App Store Connect sent {_shown(data['id'])} "
            f"{'without' if value is None else 'with an impossible'} {name}{shown}."
        ) from None


def _shown(text: str) -> str:
    return printable(text[:_SHOWN_CHARACTERS])


def _exactly(*types: type) -> Callable[[Any], Any]:
    """Accepts only values of these types: JSON's true is not a number."""

    def read(value: Any) -> Any:
        if type(value) not in types:
            raise TypeError(value)
        return value

    return read


def _size_bytes(value: Any) -> int | None:
    if value is not None and (type(value) is not int or value < 0):
        raise ValueError(value)
    return value


def _checksum(value: Any) -> str | None:
    if value is not None and not (isinstance(value, str) and _MD5.fullmatch(value)):
        raise ValueError(value)
    return value


_TWICE = "App Store Connect listed {} twice, and not the same."


def each_once(listed: Iterable[_Listed]) -> tuple[_Listed, ...]:
    """The entries without repetitions; AppleRefused if two with the same id differ."""
    once: dict[str, _Listed] = {}
    for entry in listed:
        if once.setdefault(entry.id, entry) != entry:
            raise AppleRefused(_TWICE.format(entry.id))
    return tuple(once.values())


def _id(data: dict[str, Any], what: str) -> str:
    """The id of an entry, safe in keys and URLs; AppleRefused otherwise, so that no id can leave its folder."""
    if not is_safe_id(data["id"]):
        raise AppleRefused(f"The {what} that Apple sent has characters that cannot be part of an S3 key.")
    return str(data["id"])


def read_app(entry: Any) -> tuple[str, str]:
    """The id of an app, digits, and its name; the name is for people, so one that cannot be shown is left out."""
    data = read_entry(entry)
    if not is_app_id(data["id"]):
        raise AppleRefused("App Store Connect listed an app whose id is not a number.")
    attributes = data.get("attributes")
    return data["id"], _app_name(attributes.get("name") if isinstance(attributes, dict) else None)


def _app_name(value: Any) -> str:
    """The text on one line, without unprintable characters; Apple allows 30 characters."""
    if not isinstance(value, str):
        return ""
    shown = "".join(character for character in " ".join(value.split()) if character.isprintable())
    return shown[:_APP_NAME_CHARACTERS].strip()


def read_report_request(entry: Any) -> ReportRequest:
    """A report request of an app."""
    data = read_entry(entry)
    return ReportRequest(
        _id(data, "report request id"),
        _attribute(data, "accessType", AccessType),
        _attribute(data, "stoppedDueToInactivity", _exactly(bool), missing=False),
    )


def _instance(data: dict[str, Any], latest: date) -> Instance:
    def processing_date(value: Any) -> date:
        day = iso_date(value)
        if not _EARLIEST <= day <= latest:
            raise ValueError(value)
        return day

    return Instance(
        _id(data, "instance id"),
        _attribute(data, "granularity", Granularity),
        _attribute(data, "processingDate", processing_date),
    )


def read_report(entry: Any) -> Report:
    """A report of a request."""
    data = read_entry(entry)
    return Report(_id(data, "report id"), _attribute(data, "name", _exactly(str)))


def read_instances(entries: Iterable[Any], granularity: Granularity, latest: date) -> Instances:
    """The instances of one granularity; see `AppStoreConnect.instances` for what is refused."""
    listed: dict[str, Instance] = {}
    refused: dict[str, str] = {}
    for number, entry in enumerate(entries, start=1):
        try:
            instance = _instance(read_entry(entry), latest)
        except AppleRefused as reason:
            refused[_name(entry) or f"entry {number}"] = str(reason)
            continue
        if listed.setdefault(instance.id, instance) != instance:
            refused[instance.id] = _TWICE.format(instance.id)
    kept = (one for one in listed.values() if one.granularity is granularity and one.id not in refused)
    return Instances(tuple(kept), refused)


def _name(entry: Any) -> str:
    """The id of an unchecked entry, in printable form."""
    found = entry.get("id") if isinstance(entry, dict) else None
    return _shown(found) if isinstance(found, str) else ""


def read_version(entry: Any) -> StoreVersion:
    """A version that is or was on the App Store."""
    data = read_entry(entry)
    return StoreVersion(
        _id(data, "version id"),
        _attribute(data, "platform", Platform),
        printable(_attribute(data, "versionString", _exactly(str))[:_VERSION_CHARACTERS]),
        _attribute(data, "appVersionState", _ON_SALE.__getitem__),
    )


def read_segment(entry: Any) -> Segment:
    """A segment of an instance; AppleUnavailable while it has no URL."""
    data = read_entry(entry)
    url = _attribute(data, "url", _exactly(str), missing="")
    if not url:
        raise AppleUnavailable("App Store Connect listed a segment without a URL.")
    return Segment(
        _id(data, "segment id"),
        url,
        _attribute(data, "checksum", _checksum),
        _attribute(data, "sizeInBytes", _size_bytes),
    )


def printable(text: str) -> str:
    """The text with a question mark for each character outside printable ASCII."""
    return re.sub(r"[^\x20-\x7e]", "?", text)

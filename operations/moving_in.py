"""`import-registry`: the requests that an earlier pipeline made, from its `production_request_registry.json`.

The formats that are understood:

    {"version": "2.0", "ongoing_requests":  {"<app id>": {"request_id", "app_id", "created_at", …}},
                       "one_time_requests": {"<app id>:<from>:<to>": {"request_id", "app_id", "created_at", …}}, …}
    the same without "version", as its first version wrote it
    {"app_id", "access_type", "request_id", "created_at"}: one file per app, as its last version kept them in S3

A request is recorded only if the registry has none, and the next run checks with Apple before it relies on it.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from appstore_analytics.answers.errors import Refused
from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.registry import Registry

_SECTIONS = {"ongoing_requests": AccessType.ONGOING, "one_time_requests": AccessType.ONE_TIME_SNAPSHOT}
_VERSIONS = (None, "2.0")
_LEFT_BEHIND = ("version", "created_at", "last_updated", "request_history", "app_status", "statistics")
"""Known sections that are not imported: our registry has its own counters, and Apple reports what is ready."""

_APP_ID = re.compile(r"[0-9]{1,18}", re.ASCII)
_REQUEST_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{7,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Entry:
    """A request in the file. `requested_on` is None if the file's day is not certain to be the request's own."""

    where: str
    app_id: str
    access_type: AccessType
    request_id: str
    requested_on: date | None


@dataclass(frozen=True, slots=True)
class ImportLine:
    """The outcome for one request of the file."""

    app_id: str
    access_type: str
    request_id: str
    requested_on: date | None
    outcome: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Import:
    """The outcome for a whole file."""

    file: str
    requests: tuple[ImportLine, ...]
    not_understood: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Whether everything in the file was understood."""
        return not self.not_understood and not any(line.outcome == "refused" for line in self.requests)

    @property
    def sentence(self) -> str:
        """The number of requests per outcome."""
        counts = Counter(line.outcome for line in self.requests)
        said = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())) or "no requests in the file"
        return f"{said}. The next daily run checks with Apple and keeps the live requests."


class _NotUnderstoodError(ValueError):
    """An entry was refused; the message says why."""


def import_registry(file: str, content: dict[str, Any], registry: Registry, today: date) -> Import:
    """Record the requests in `content`, from `file`, if none is known. A second run finds them known."""
    entries, lines = _entries(content, today)
    newest = {(one.app_id, one.access_type): one for one in sorted(entries, key=_age)}
    for entry in entries:
        if entry is newest[entry.app_id, entry.access_type]:
            lines.append(_remember(entry, registry, today))
        else:
            lines.append(_line(entry, "skipped", "the file has a newer snapshot of this app"))
    unknown = tuple(
        sorted(name for name in content if not (_is_single(content) or name in (*_SECTIONS, *_LEFT_BEHIND)))
    )
    return Import(file, tuple(sorted(lines, key=lambda line: (line.app_id, line.access_type))), unknown)


def read_file(file: Path) -> dict[str, Any]:
    """The contents of the file; Refused if it is not a registry of an earlier pipeline."""
    try:
        content = json.loads(file.read_bytes())
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise Refused(f"{file} is not JSON.") from None
    if not isinstance(content, dict):
        raise Refused(f"{file} is not a registry: it holds no JSON object.")
    if not _is_single(content) and not any(isinstance(content.get(name), dict) for name in _SECTIONS):
        raise Refused(f"{file} is not a registry: it has neither {' nor '.join(_SECTIONS)}.")
    if content.get("version") not in _VERSIONS:
        raise Refused(
            f"{file} is a registry of version {content['version']!r}; only 2.0 and the version before it can be read."
        )
    return content


def _is_single(content: Mapping[str, Any]) -> bool:
    """Whether this is the file of one app and access type."""
    return {"app_id", "access_type", "request_id"} <= content.keys()


def _entries(content: Mapping[str, Any], today: date) -> tuple[list[Entry], list[ImportLine]]:
    """The entries that can be imported, and a line for each that cannot."""
    entries, refused = [], []
    for where, app_id, access_type, value in _found(content):
        try:
            entries.append(_entry(where, app_id, access_type, value, today))
        except _NotUnderstoodError as error:
            refused.append(ImportLine(where, access_type, "", None, "refused", str(error)))
    return entries, refused


def _found(content: Mapping[str, Any]) -> Iterator[tuple[str, str, str, Any]]:
    if _is_single(content):
        yield "the file", str(content["app_id"]), str(content["access_type"]), content
        return
    for section, access_type in _SECTIONS.items():
        for key, value in (content.get(section) or {}).items():
            yield key, key.split(":", 1)[0], access_type, value


def _entry(where: str, app_id: str, access_type: str, value: Any, today: date) -> Entry:
    if not isinstance(value, Mapping):
        raise _NotUnderstoodError("it is not a JSON object")
    if not _APP_ID.fullmatch(app_id) or str(value.get("app_id", app_id)) != app_id:
        raise _NotUnderstoodError("its app id is invalid or differs from its key")
    if access_type not in tuple(AccessType):
        raise _NotUnderstoodError(f"its access type must be one of {', '.join(AccessType)}")
    request_id = value.get("request_id")
    if not isinstance(request_id, str) or not _REQUEST_ID.fullmatch(request_id):
        raise _NotUnderstoodError("it has no request id")
    # The file of one app was also written when an existing request was found: its day is not the request's.
    requested_on = None if where == "the file" else _day(value.get("created_at"), today)
    return Entry(where, app_id, AccessType(access_type), request_id, requested_on)


def _day(text: Any, today: date) -> date | None:
    if text is None:
        return None
    try:
        day = datetime.fromisoformat(text).date()
    except (TypeError, ValueError):
        raise _NotUnderstoodError("its created_at is not a date") from None
    if day > today:
        raise _NotUnderstoodError("its created_at is in the future")
    return day


def _age(entry: Entry) -> date:
    return entry.requested_on or date.min


def _remember(entry: Entry, registry: Registry, today: date) -> ImportLine:
    requests = registry.report_requests
    if requests.adopt(entry.app_id, entry.access_type, entry.request_id, entry.requested_on, today):
        return _line(entry, "imported")
    known = requests.get(entry.app_id, entry.access_type).request_id
    if known == entry.request_id:
        return _line(entry, "known")
    return _line(entry, "skipped", "the registry knows another request" if known else "a run is registering this app")


def _line(entry: Entry, outcome: str, reason: str = "") -> ImportLine:
    return ImportLine(entry.app_id, entry.access_type, entry.request_id, entry.requested_on, outcome, reason)

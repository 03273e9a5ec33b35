"""The input of an execution, from a person or a schedule."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from appstore_analytics.contract.errors import InputRefused
from appstore_analytics.contract.layout import is_app_id
from appstore_analytics.contract.operations import STARTED_BY, UNKNOWN_STARTER, Operation
from appstore_analytics.contract.tables import report_names
from appstore_analytics.rules.due import latest_processing_date

_PROCESSING_DATES = ("start_processing_date", "end_processing_date")
_PROCESSING_DATES_BY_DATE = dict(zip(("start_date", "end_date"), _PROCESSING_DATES, strict=True))
EARLIEST_DATE = date(2020, 1, 1)
"""No table has an earlier Date."""
_STARTER = re.compile(r"[!-~]{1,640}", re.ASCII)
"""Printable ASCII without spaces. The longest ARN of an IAM user has a path of 512 characters and a name of 64.

Source: IAM User Guide, "IAM and AWS STS quotas".
"""
_RUN_ID = re.compile(r"[0-9]{8}T[0-9]{9}Z-[A-Za-z0-9-]{1,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ExecutionInput:
    """A valid input. Empty `app_ids` or `reports` (Apple's names) mean all that are configured.

    `start_date` and `end_date` are Dates, `start_processing_date` and `end_processing_date` the days on which Apple
    built instances; all are inclusive. `run_id` is an earlier run. `started_by` says who started the execution:
    "schedule", the ARN of an AWS principal or the id of a console user.
    """

    operation: Operation
    as_of: date
    app_ids: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()
    start_date: date | None = None
    end_date: date | None = None
    run_id: str | None = None
    start_processing_date: date | None = None
    end_processing_date: date | None = None
    started_by: str = UNKNOWN_STARTER


def started_by(payload: Any) -> str:
    """The caller who started an execution with this input, even a refused one; "unknown" if the input does not say."""
    value = payload.get(STARTED_BY) if isinstance(payload, Mapping) else None
    return value if isinstance(value, str) and _STARTER.fullmatch(value) else UNKNOWN_STARTER


def parse_execution_input(payload: Any, today: date) -> ExecutionInput:
    """The parsed input of an execution; InputRefused with one sentence that names the field."""
    if not isinstance(payload, Mapping):
        raise InputRefused('The execution input must be a JSON object such as {"operation": "daily"}.')
    operation = _operation(payload)
    traits = operation.traits
    for name in payload:
        if name not in ("operation", *traits.fields):
            raise InputRefused(_unknown(name, operation))
    given = [name for name in traits.fields if name in traits.required or name in payload]
    values: dict[str, Any] = {name: _READERS[name](payload, name) for name in given}
    return _possible(ExecutionInput(**{"operation": operation, "as_of": today, **values}), today)


def _possible(wanted: ExecutionInput, today: date) -> ExecutionInput:
    """The input with a start date that tables have; InputRefused if its days contradict each other."""
    if wanted.as_of != today and not EARLIEST_DATE <= wanted.as_of <= today:
        raise InputRefused(f"as_of must lie between {EARLIEST_DATE.isoformat()} and today ({today.isoformat()}).")
    for first, last in (("start_date", "end_date"), _PROCESSING_DATES):
        start, end = getattr(wanted, first), getattr(wanted, last)
        if start and end and start > end:
            raise InputRefused(f"{first} must not be after {last}.")
    _refuse_days_without_instances(wanted, today)
    if wanted.start_date is None or wanted.end_date is None:
        return wanted
    if wanted.end_date > wanted.as_of:
        raise InputRefused(f"end_date must not be after {wanted.as_of.isoformat()}: a snapshot holds no later Dates.")
    if wanted.end_date < EARLIEST_DATE:
        raise InputRefused(f"end_date must not be before {EARLIEST_DATE.isoformat()}: no table has an earlier Date.")
    return replace(wanted, start_date=max(wanted.start_date, EARLIEST_DATE))


def _refuse_days_without_instances(wanted: ExecutionInput, today: date) -> None:
    """A run for processing dates that no instance can have would do nothing and succeed."""
    last = latest_processing_date(today, today)
    if wanted.start_processing_date and wanted.start_processing_date > last:
        raise InputRefused(
            f"start_processing_date must not be after {last.isoformat()}: Apple has built nothing later."
        )
    if wanted.end_processing_date and wanted.end_processing_date < EARLIEST_DATE:
        earliest = EARLIEST_DATE.isoformat()
        raise InputRefused(f"end_processing_date must not be before {earliest}: no instance is that old.")


def _unknown(name: str, operation: Operation) -> str:
    meant = _PROCESSING_DATES_BY_DATE.get(name)
    if meant in operation.traits.fields:
        return f"{name} would be a Date, but a {operation} takes whole instances: give {meant}, a day Apple built one."
    allowed = ", ".join(("operation", *operation.traits.fields))
    return f"The field '{_shown(name)}' is unknown: a {operation} execution takes {allowed}."


def _run_id(payload: Mapping[str, Any], name: str) -> str:
    value = payload.get(name)
    if not isinstance(value, str) or not _RUN_ID.fullmatch(value):
        raise InputRefused(f"{name} must be the id of a run, as its report has it: 20261123T100000123Z-….")
    return value


def _operation(payload: Mapping[str, Any]) -> Operation:
    value = payload.get("operation", Operation.DAILY)
    if value not in tuple(Operation):
        raise InputRefused(f"operation must be one of {', '.join(Operation)}, not '{_shown(value)}'.")
    return Operation(value)


def _date(payload: Mapping[str, Any], name: str) -> date:
    value = payload.get(name)
    if value is None:
        raise InputRefused(f"{name} is missing: give a date such as 2026-01-31.")
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        raise InputRefused(f"{name} must be a date such as 2026-01-31, not '{_shown(value)}'.")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise InputRefused(f"{name} must be a day of the calendar, not '{value}'.") from None


def _texts(payload: Mapping[str, Any], name: str, example: str) -> tuple[str, ...]:
    values = payload.get(name)
    if not isinstance(values, list) or not values or not all(isinstance(value, str) for value in values):
        raise InputRefused(f"{name} must be a list of text such as {example}.")
    return tuple(dict.fromkeys(values))


def _app_ids(payload: Mapping[str, Any], name: str) -> tuple[str, ...]:
    app_ids = _texts(payload, name, '["1000000001"]')
    for app_id in app_ids:
        if not is_app_id(app_id):
            raise InputRefused(f"{name} must hold Apple ids such as 1000000001, not '{_shown(app_id)}'.")
    return app_ids


def _reports(payload: Mapping[str, Any], name: str) -> tuple[str, ...]:
    names = []
    for value in _texts(payload, name, '["engagement"]'):
        known = report_names().get(value)
        if known is None:
            raise InputRefused(f"{name} must hold names of the catalogue (docs/reports.md), not '{_shown(value)}'.")
        names.append(known)
    return tuple(dict.fromkeys(names))


def _starter(payload: Mapping[str, Any], name: str) -> str:
    value = payload.get(name)
    if not isinstance(value, str) or not _STARTER.fullmatch(value):
        raise InputRefused(f"{name} must be an id such as an ARN: 1 to 640 printable ASCII characters without spaces.")
    return value


def _shown(value: Any) -> str:
    """At most 40 printable characters of a value in the input."""
    return re.sub(r"[^\x20-\x7e]", "?", str(value))[:40]


_READERS: Mapping[str, Callable[[Mapping[str, Any], str], Any]] = {
    "as_of": _date,
    "start_date": _date,
    "end_date": _date,
    "start_processing_date": _date,
    "end_processing_date": _date,
    "run_id": _run_id,
    "app_ids": _app_ids,
    "reports": _reports,
    STARTED_BY: _starter,
}
"""The parser of each field in `Traits.fields`."""

"""What a person or a schedule may ask an execution for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from appstore_analytics.contract.errors import InputRefused
from appstore_analytics.contract.layout import is_app_id
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.tables import report_names

_FIELDS = {
    Operation.DAILY: ("operation", "as_of"),
    Operation.BACKFILL: ("operation", "as_of", "app_ids", "reports", "start_date", "end_date"),
    Operation.REPROCESS: (
        "operation",
        "run_id",
        "app_ids",
        "reports",
        "start_processing_date",
        "end_processing_date",
    ),
    Operation.ROLLBACK: ("operation", "run_id"),
}
_PROCESSING_DATES = ("start_processing_date", "end_processing_date")
_PROCESSING_DATES_BY_DATE = dict(zip(("start_date", "end_date"), _PROCESSING_DATES, strict=True))
EARLIEST_DATE = date(2020, 1, 1)
"""No table has an earlier Date."""
_RUN_ID = re.compile(r"[0-9]{8}T[0-9]{9}Z-[A-Za-z0-9-]{1,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ExecutionInput:
    """A valid request. Empty `app_ids` or `reports` (Apple's names) mean all that are configured.

    `start_date` and `end_date` are Dates, `start_processing_date` and `end_processing_date` the days on which Apple
    built instances; all are inclusive. `run_id` is a run that has been.
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


def parse_execution_input(payload: Any, today: date) -> ExecutionInput:
    """The request in an execution's input; InputRefused with one sentence that names the field."""
    if not isinstance(payload, Mapping):
        raise InputRefused('The execution input must be a JSON object such as {"operation": "daily"}.')
    operation = _operation(payload)
    for name in payload:
        if name not in _FIELDS[operation]:
            raise InputRefused(_unknown(name, operation))
    return _PARSERS[operation](payload, today)


def _daily(payload: Mapping[str, Any], today: date) -> ExecutionInput:
    return ExecutionInput(Operation.DAILY, _as_of(payload, today))


def _backfill(payload: Mapping[str, Any], today: date) -> ExecutionInput:
    as_of = _as_of(payload, today)
    start_date, end_date = _date(payload, "start_date"), _date(payload, "end_date")
    if start_date > end_date:
        raise InputRefused("start_date must not be after end_date.")
    if end_date > as_of:
        raise InputRefused(f"end_date must not be after {as_of.isoformat()}: a snapshot holds no later Dates.")
    if end_date < EARLIEST_DATE:
        raise InputRefused(f"end_date must not be before {EARLIEST_DATE.isoformat()}: no table has an earlier Date.")
    start_date = max(start_date, EARLIEST_DATE)
    return ExecutionInput(Operation.BACKFILL, as_of, _app_ids(payload), _reports(payload), start_date, end_date)


def _reprocess(payload: Mapping[str, Any], today: date) -> ExecutionInput:
    start, end = (_date(payload, name) if name in payload else None for name in _PROCESSING_DATES)
    if start and end and start > end:
        raise InputRefused("start_processing_date must not be after end_processing_date.")
    return ExecutionInput(
        Operation.REPROCESS,
        today,
        _app_ids(payload) if "app_ids" in payload else (),
        _reports(payload),
        run_id=_run_id(payload) if "run_id" in payload else None,
        start_processing_date=start,
        end_processing_date=end,
    )


def _rollback(payload: Mapping[str, Any], today: date) -> ExecutionInput:
    return ExecutionInput(Operation.ROLLBACK, today, run_id=_run_id(payload))


_PARSERS = {
    Operation.DAILY: _daily,
    Operation.BACKFILL: _backfill,
    Operation.REPROCESS: _reprocess,
    Operation.ROLLBACK: _rollback,
}


def _unknown(name: str, operation: Operation) -> str:
    if operation is Operation.REPROCESS and name in _PROCESSING_DATES_BY_DATE:
        meant = _PROCESSING_DATES_BY_DATE[name]
        return f"{name} would be a Date, but a reprocess takes whole instances: give {meant}, a day Apple built one."
    allowed = ", ".join(_FIELDS[operation])
    return f"The field '{_shown(name)}' is unknown: a {operation} execution takes {allowed}."


def _as_of(payload: Mapping[str, Any], today: date) -> date:
    as_of = _date(payload, "as_of") if "as_of" in payload else today
    if not EARLIEST_DATE <= as_of <= today:
        raise InputRefused(f"as_of must lie between {EARLIEST_DATE.isoformat()} and today ({today.isoformat()}).")
    return as_of


def _run_id(payload: Mapping[str, Any]) -> str:
    value = payload.get("run_id")
    if not isinstance(value, str) or not _RUN_ID.fullmatch(value):
        raise InputRefused("run_id must be the id of a run, as its report has it: 20261123T100000123Z-….")
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


def _app_ids(payload: Mapping[str, Any]) -> tuple[str, ...]:
    app_ids = _texts(payload, "app_ids", '["1000000001"]')
    for app_id in app_ids:
        if not is_app_id(app_id):
            raise InputRefused(f"app_ids must hold Apple ids, digits only, not '{_shown(app_id)}'.")
    return app_ids


def _reports(payload: Mapping[str, Any]) -> tuple[str, ...]:
    names = []
    for value in _texts(payload, "reports", '["engagement"]') if "reports" in payload else ():
        name = report_names().get(value)
        if name is None:
            raise InputRefused(f"reports must hold names of the catalogue (docs/reports.md), not '{_shown(value)}'.")
        names.append(name)
    return tuple(dict.fromkeys(names))


def _shown(value: Any) -> str:
    """At most 40 printable characters of what was sent."""
    return re.sub(r"[^\x20-\x7e]", "?", str(value))[:40]

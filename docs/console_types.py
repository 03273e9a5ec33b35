"""The API's answers as TypeScript declarations, made of their dataclasses: `tsc` holds the console against them."""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from appstore_analytics.answers.app_details import AppDetails
from appstore_analytics.answers.app_table import AppTable
from appstore_analytics.answers.health import Health
from appstore_analytics.answers.kpi_catalogue import KpiCatalogue
from appstore_analytics.answers.kpi_report import KpiReport
from appstore_analytics.answers.releases import ReleaseList
from appstore_analytics.answers.run_facts import RunDetails, RunList
from appstore_analytics.answers.run_stages import RunItems
from appstore_analytics.answers.table_dates import TableDates
from appstore_console.facts import (
    Annotations,
    AuditLog,
    LiveTicket,
    Me,
    People,
    Person,
    PlanOffer,
    ProblemDetails,
    StartedRun,
)

ANSWERS: tuple[type, ...] = (
    *(Health, AppTable, AppDetails, TableDates, ReleaseList, KpiReport, KpiCatalogue),
    *(RunList, RunDetails, RunItems, PlanOffer, StartedRun, LiveTicket),
    *(Me, People, Person, AuditLog, Annotations),
)
"""What the console asks for."""

_HEAD = """\
// Written by `python docs/generate.py` from the answers' dataclasses; a test fails when the two differ.

/** What every answer has besides its facts. */
export interface Answered {
  is_good: boolean;
  sentence: string;
  /** The instant of the answer, UTC. */
  as_of: string;
}

/** A Date, such as 2026-11-24. */
export type IsoDate = string;
/** An instant, such as 2026-11-24T10:00:02+00:00. */
export type Instant = string;
"""
_PLAIN: Mapping[Any, str] = {
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    Decimal: "number",
    datetime: "Instant",
    date: "IsoDate",
    NoneType: "null",
    Any: "unknown",
}


def console_types() -> str:
    """The declarations, each after what it is made of."""
    known: dict[type, str] = {}
    for kind in (*ANSWERS, ProblemDetails):
        _declare(kind, known)
    return "\n".join((_HEAD, *known.values()))


def _declare(kind: type, known: dict[type, str]) -> None:
    if kind in known:
        return
    hints = get_type_hints(kind) if is_dataclass(kind) else {}
    for part in hints.values():
        for inner in _named_within(part):
            _declare(inner, known)
    known[kind] = _enumeration(kind) if issubclass(kind, StrEnum) else _interface(kind, hints)


def _named_within(kind: Any) -> Iterator[type]:
    if isinstance(kind, type) and (is_dataclass(kind) or issubclass(kind, StrEnum)):
        yield kind
    for argument in get_args(kind):
        yield from _named_within(argument)


def _enumeration(kind: type[StrEnum]) -> str:
    words = "".join(f'\n  | "{word.value}"' for word in kind)
    return f"{_comment(kind)}export type {kind.__name__} ={words};\n"


def _interface(kind: type, hints: Mapping[str, Any]) -> str:
    lines = "".join(f"  {each.name}: {_type(hints[each.name])};\n" for each in fields(kind))
    extends = " extends Answered" if kind in ANSWERS else ""
    return f"{_comment(kind)}export interface {kind.__name__}{extends} {{\n{lines}}}\n"


def _comment(kind: type) -> str:
    lines = inspect.cleandoc(kind.__doc__ or "").splitlines()
    if len(lines) == 1:
        return f"/** {lines[0]} */\n"
    return "".join(("/**\n", *(f" * {line}".rstrip() + "\n" for line in lines), " */\n"))


def _type(kind: Any) -> str:
    if kind in _PLAIN:
        return _PLAIN[kind]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return " | ".join(dict.fromkeys(_type(each) for each in arguments))
    if origin in (tuple, list):
        inner = _type(arguments[0])
        return f"({inner})[]" if " | " in inner else f"{inner}[]"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"Record<string, {_type(arguments[1])}>"
    return str(kind.__name__)

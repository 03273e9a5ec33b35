"""The arguments of a tool: their JSON schema, how they are read, and the same arguments on the command line."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

from appstore_analytics.answers.errors import Refused
from appstore_analytics.rules.times import iso_date

_SHOWN = 40


class Kind(StrEnum):
    """The type of an argument. The value is its name in a refusal."""

    TEXT = "a text"
    TEXTS = "a list of texts"
    DAY = "a day such as 2026-01-31"
    COUNT = "a whole number"


_SCHEMAS: Mapping[Kind, Mapping[str, Any]] = {
    Kind.TEXT: {"type": "string"},
    Kind.TEXTS: {"type": "array", "items": {"type": "string"}},
    Kind.DAY: {"type": "string", "format": "date"},
    Kind.COUNT: {"type": "integer"},
}


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument. `option` is the same on the command line, empty for a positional argument.

    A text must be one of `choices`, a number between 1 and `at_most`.
    """

    name: str
    kind: Kind
    words: str
    option: str = ""
    is_required: bool = False
    choices: tuple[str, ...] = ()
    at_most: int | None = None
    default: str | int | None = None

    @property
    def schema(self) -> dict[str, Any]:
        """Its JSON schema."""
        told: dict[str, Any] = {**_SCHEMAS[self.kind], "description": self.words}
        if self.choices:
            told["enum"] = list(self.choices)
        if self.kind is Kind.TEXTS and self.is_required:
            told["minItems"] = 1
        if self.kind is Kind.COUNT:
            told |= {"minimum": 1, "maximum": self.at_most}
        return told if self.default is None else {**told, "default": self.default}

    def read(self, value: Any) -> Any:
        """The value in this type; Refused if it does not have it."""
        read = _READ[self.kind](value)
        if read is None or (self.choices and read not in self.choices):
            allowed = f"one of {', '.join(self.choices)}" if self.choices else self.kind
            raise Refused(f"{self.name} must be {allowed}, not {_shown(value)}.")
        if isinstance(read, int) and not 1 <= read <= (self.at_most or read):
            raise Refused(f"{self.name} must be between 1 and {self.at_most}, not {read}.")
        return read


class Given:
    """The arguments of one call, each as its kind; None or an empty list if it was left out."""

    def __init__(self, declared: Sequence[Argument], values: Mapping[str, Any]) -> None:
        self._declared = declared
        self._values = values

    def text(self, name: str) -> str | None:
        """A text."""
        value: str | None = self._values.get(name)
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        value: tuple[str, ...] = self._values.get(name, ())
        return value

    def day(self, name: str) -> date | None:
        """A day."""
        value: date | None = self._values.get(name)
        return value

    def moment(self, name: str) -> datetime | None:
        """The beginning of a day, which is the type that the checks of the command line options take."""
        day = self.day(name)
        return None if day is None else datetime.combine(day, time.min)

    def count(self, name: str) -> int | None:
        """A number."""
        value: int | None = self._values.get(name)
        return value

    def words(self) -> Iterator[str]:
        """The same on the command line."""
        for argument in self._declared:
            value = self._values.get(argument.name)
            if value is not None and value != ():
                yield from (argument.option,) if argument.option else ()
                yield from value if isinstance(value, tuple) else (str(value),)


def read_arguments(tool: str, declared: Sequence[Argument], values: Mapping[str, Any]) -> Given:
    """The arguments of a call, without nulls; Refused names the first that is unknown, missing or invalid."""
    names = {argument.name for argument in declared}
    if unknown := sorted(values.keys() - names):
        takes = ", ".join(argument.name for argument in declared) or "none"
        raise Refused(f"{tool} has no argument '{unknown[0][:_SHOWN]}': it takes {takes}.")
    given = {name: value for name, value in values.items() if value is not None}
    if missing := [each for each in declared if each.is_required and given.get(each.name) in (None, "", [])]:
        raise Refused(f"{missing[0].name} is missing: {missing[0].words}")
    read = {each.name: each.read(given[each.name]) for each in declared if each.name in given}
    left_out = {each.name: each.default for each in declared if each.default is not None}
    return Given(declared, left_out | read)


def _text(value: Any) -> str | None:
    return value.strip() if isinstance(value, str) and value.strip() else None


def _texts(value: Any) -> tuple[str, ...] | None:
    """A list; some clients send lists as text: JSON, or values separated by commas."""
    if isinstance(value, str):
        value = _parsed(value) if value.lstrip().startswith("[") else value.split(",")
    if not isinstance(value, list) or not all(isinstance(each, str) and each.strip() for each in value):
        return None
    return tuple(each.strip() for each in value)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _day(value: Any) -> date | None:
    try:
        return iso_date(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


_READ = {Kind.TEXT: _text, Kind.TEXTS: _texts, Kind.DAY: _day, Kind.COUNT: _count}


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"

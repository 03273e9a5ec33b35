"""The form of an answer: facts as frozen dataclasses, whether they are good, and one sentence that sums them up.

This is all that a renderer needs: a field is a line, a tuple of dataclasses is a table, and JSON has the same names.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Protocol


class Facts(Protocol):
    """An answer: a frozen dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def is_good(self) -> bool:
        """Whether no problem was found: exit status 0, otherwise 1."""

    @property
    def sentence(self) -> str:
        """The answer in one line."""


def to_json(facts: Facts) -> dict[str, Any]:
    """The facts as plain JSON values, with `is_good` and `sentence` in front."""
    return {"is_good": facts.is_good, "sentence": facts.sentence, **plain(facts)}


def plain(value: Any) -> Any:
    """A value, or a dataclass with everything below it, as plain JSON values.

    Dates become ISO 8601, decimals become numbers, tuples lists, and the keys of mappings text.
    """
    kind = type(value)
    how = _HOW.get(kind)
    if how is None:  # an answer can have 100,000 values, so each type is inspected once
        how = _HOW[kind] = _how(kind)
    return how(value)


_HOW: dict[type, Callable[[Any], Any]] = {}


def _how(kind: type) -> Callable[[Any], Any]:
    """The conversion of a type's values to JSON."""
    if is_dataclass(kind):
        names = tuple(each.name for each in fields(kind))
        return lambda value: {name: plain(getattr(value, name)) for name in names}
    return next((how for kinds, how in _PLAIN if issubclass(kind, kinds)), _as_it_is)


def _as_it_is(value: Any) -> Any:
    return value


_PLAIN: tuple[tuple[type | tuple[type, ...], Callable[[Any], Any]], ...] = (
    (StrEnum, str),
    (date, lambda value: value.isoformat()),
    (Decimal, float),
    (Mapping, lambda value: {str(name): plain(each) for name, each in value.items()}),
    ((list, tuple), lambda value: [plain(each) for each in value]),
)


def is_table(value: Any) -> bool:
    """Whether a field's value is shown as a table: rows of one dataclass."""
    return isinstance(value, tuple) and bool(value) and all(is_dataclass(row) for row in value)


def days(count: int) -> str:
    """`1 day`, `2 days`."""
    return counted(count, "day")


def counted(count: int, noun: str, plural: str = "") -> str:
    """A number with its noun."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"

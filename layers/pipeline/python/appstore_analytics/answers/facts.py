"""The form of an answer: facts as frozen dataclasses, whether they are good, and one sentence that sums them up.

This is all that a renderer needs: a field is a line, a tuple of dataclasses is a table, and JSON has the same names.
"""

from dataclasses import asdict, is_dataclass
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Protocol


class Facts(Protocol):
    """An answer: a frozen dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def is_good(self) -> bool:
        """Whether no problem was found: exit status 0, else 1."""

    @property
    def sentence(self) -> str:
        """The answer in one line."""


def to_json(facts: Facts) -> dict[str, Any]:
    """The facts as plain JSON values, with `is_good` and `sentence` in front."""
    return {"is_good": facts.is_good, "sentence": facts.sentence, **_plain(asdict(facts))}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


def is_table(value: Any) -> bool:
    """Whether a field's value is shown as a table: rows of one dataclass."""
    return isinstance(value, tuple) and bool(value) and all(is_dataclass(row) for row in value)


def days(count: int) -> str:
    """`1 day`, `2 days`."""
    return counted(count, "day")


def counted(count: int, noun: str, plural: str = "") -> str:
    """A number with its noun."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"

"""KPI amounts of one Date and source table, as they are stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from appstore_analytics.contract.layout import TableDate

Number = int | Decimal


class DateState(StrEnum):
    """What the number of a Date is worth."""

    FINAL = "final"
    """Complete when Apple built the file; corrections can still come."""
    PRELIMINARY = "preliminary"
    """Apple still completes the Date, or some of the apps lack what is due."""
    ZERO = "zero"
    """Apple has published the Date and sent no row."""
    MISSING = "missing"
    """Due and not in the tables."""
    QUARANTINED = "quarantined"
    """Due, and its file breaks the report's contract."""
    NOT_DUE = "not due"
    """Before the app's first day, or not yet to be published."""
    BEING_REPLACED = "being replaced"
    """Its rows and its KPIs are not of one publication."""
    NOT_BUILT = "not built"
    """Its rows are there, and its KPIs are missing or of older definitions."""

    @property
    def has_value(self) -> bool:
        """Whether there is a number; 0 is one."""
        return self in (DateState.FINAL, DateState.PRELIMINARY, DateState.ZERO)


class Storage(StrEnum):
    """Whether a Date's stored KPIs can be read."""

    CURRENT = "current"
    """They are of the rows that are published."""
    ABSENT = "absent"
    """No rows are published."""
    BEING_REPLACED = "being replaced"
    """They are of other rows than those published: a publication is between its two swaps, or died there."""
    NOT_BUILT = "not built"
    """There are rows and no KPIs of today's definitions."""


@dataclass(frozen=True, slots=True)
class StoredKpis:
    """What was read of one Date and table; nothing unless its storage is CURRENT.

    `is_completed`: whether any app's rows were complete when Apple built their file; they are if Apple documents no
    completeness. `is_final` has the same of each app asked for that has rows, and of every app if all together are
    asked for; None where Apple documents none. `amounts` are by amount and value of the dimension asked for, and by
    app; None where a sum exceeds its type. An app with rows has the total of every amount, and of a dimension the
    values that occur.
    """

    table_date: TableDate
    storage: Storage
    is_completed: bool = False
    is_final: Mapping[int, bool | None] = field(default_factory=dict)
    amounts: Mapping[tuple[str, str | None], Mapping[int, Number | None]] = field(default_factory=dict)

    @property
    def has_lost_sums(self) -> bool:
        """Whether any sum exceeds its type."""
        return any(None in by_app.values() for by_app in self.amounts.values())

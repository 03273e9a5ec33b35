"""KPI amounts of one Date and source table, as they are stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from appstore_analytics.contract.layout import TableDate

Number = int | Decimal


class DateState(StrEnum):
    """The state of a Date's number."""

    FINAL = "final"
    """Complete when Apple built the file; corrections can still follow."""
    PRELIMINARY = "preliminary"
    """Apple is still completing the Date, or some of the apps lack data that is due."""
    ZERO = "zero"
    """Apple has published the Date and sent no row."""
    MISSING = "missing"
    """Due and not in the tables."""
    QUARANTINED = "quarantined"
    """Due, and its file breaks the report's contract."""
    NOT_DUE = "not due"
    """Before the app's first day, or not due yet."""
    BEING_REPLACED = "being replaced"
    """Its rows and its KPIs are from different publications."""
    NOT_BUILT = "not built"
    """Its rows exist, but its KPIs are missing or have older definitions."""

    @property
    def has_value(self) -> bool:
        """Whether there is a number; 0 counts as one."""
        return self in (DateState.FINAL, DateState.PRELIMINARY, DateState.ZERO)


class Storage(StrEnum):
    """Whether a Date's stored KPIs can be read."""

    CURRENT = "current"
    """They match the published rows."""
    ABSENT = "absent"
    """No rows are published."""
    BEING_REPLACED = "being replaced"
    """They match other rows than the published ones: a publication is between its two swaps, or died there."""
    NOT_BUILT = "not built"
    """There are rows, but no readable KPIs with today's definitions."""


@dataclass(frozen=True, slots=True)
class StoredKpis:
    """What was read for one Date and table; empty unless its storage is CURRENT.

    `is_completed`: whether any app's rows were complete when Apple built their file; true if Apple documents no
    completeness. `is_final` has the same for each requested app that has rows, and for every app if all apps together
    were requested; None if Apple documents none. `amounts` are by amount and value of the requested dimension, and by
    app; None if a sum exceeds its type. An app with rows has the total of every amount, and for a dimension the values
    that occur.
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

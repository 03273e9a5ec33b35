"""The Dates that a run has replaced because Apple sent a newer file, with their rows before and now."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class RestatedDate:
    """One Date of one table, summed over the apps that were replaced."""

    table: str
    day: str
    apps: int = 0
    rows_before: int = 0
    rows_now: int = 0

    @property
    def change(self) -> int:
        """The number of additional rows."""
        return self.rows_now - self.rows_before


@dataclass(slots=True)
class RestatedDates:
    """Summed up from rows of `appstore.batches` as they come, because there is a row for each app: too many to keep."""

    by_date: dict[tuple[str, str], RestatedDate] = field(default_factory=dict)

    def add(self, row: Mapping[str, Any]) -> None:
        """Add one row. A row that replaced nothing is ignored."""
        if row["replaced_rows"] is None:
            return
        key = row["table_name"], row["date"]
        date = self.by_date.setdefault(key, RestatedDate(*key))
        date.apps += 1
        date.rows_before += row["replaced_rows"]
        date.rows_now += row["rows"]

    def __len__(self) -> int:
        return len(self.by_date)

    def __iter__(self) -> Iterator[RestatedDate]:
        """The Dates, the largest changes first."""
        return iter(sorted(self.by_date.values(), key=lambda one: (-abs(one.change), one.table, one.day)))

"""Writes a freshness check: its rows of `appstore.freshness`, and what they say is lacking.

A check has a row for each table of each app, and almost all say that nothing is missing. What is lacking is an object
of its own, so that an answer about a month need not parse the rows of fifteen checks (lake/checks.py).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from appstore_analytics.contract.layout import check_key
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.run_notes import open_records, open_rows

LACKING_COLUMNS = ("app_id", "checked_at", "table_name", "verdict", "reason", "newest_due_date", "missing_dates")
"""The columns of the rows that lack a Date, or for which none was due."""

_LAST_CHECK = "last-check"


@contextmanager
def open_check(bucket: Bucket, day: date) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Append a check's rows one by one; at the end they replace those of the day's last check, if there are any."""
    about = _About()
    with open_rows(bucket, check_key(day)) as lacking:
        with open_records(bucket, "freshness", day, _LAST_CHECK) as rows:

            def append(row: Mapping[str, Any]) -> None:
                rows.append(row)
                about.add(row)
                if row["missing_dates"] or not row["newest_due_date"]:
                    lacking.append({name: row[name] for name in LACKING_COLUMNS})

            yield append
        if rows.etag:
            lacking.append(about.to_json(rows.etag))


@dataclass(slots=True)
class _About:
    """What all rows of a check say together: the last line of what is lacking."""

    checked_at: str = ""
    app_ids: set[int] = field(default_factory=set)
    newest_due: dict[str, date] = field(default_factory=dict)

    def add(self, row: Mapping[str, Any]) -> None:
        self.checked_at = row["checked_at"]
        self.app_ids.add(row["app_id"])
        table, due = row["table_name"], row["newest_due_date"]
        if due:
            self.newest_due[table] = max(due, self.newest_due.get(table, due))

    def to_json(self, etag_of_rows: str) -> dict[str, Any]:
        return {
            "rows": etag_of_rows,
            "checked_at": self.checked_at,
            "app_ids": sorted(self.app_ids),
            "newest_due": {table: str(due) for table, due in self.newest_due.items()},
        }

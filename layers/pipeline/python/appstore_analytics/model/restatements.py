"""A number that changed after Apple had called its Date complete."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

ROWS = "rows"
"""The measure that every table has: its number of rows."""


class ChangeCause(StrEnum):
    """The cause of a change of a final number."""

    RESTATED = "restated"
    """Apple has sent a newer file for the Date."""
    REPROCESSED = "reprocessed"
    """The file that it came from was converted again."""
    TAKEN_BACK = "taken back"
    """A rollback has replaced it with an older file's rows, or with nothing."""


@dataclass(frozen=True, slots=True)
class Restatement:
    """One measure of one app's Date of a table, before and after a run. Null: the Date had, or has, no such number.

    `is_final` is whether Apple had completed the Date when it built the file of the rows after the run. A rollback can
    restore a file that is older.
    """

    app_id: str
    table_name: str
    day: date
    measure: str
    before: Decimal | None
    now: Decimal | None
    cause: ChangeCause
    changed_on: date
    run_id: str
    is_final: bool

"""What an execution is asked for."""

from enum import StrEnum


class Operation(StrEnum):
    """What an execution is asked for."""

    DAILY = "daily"
    BACKFILL = "backfill"
    REPROCESS = "reprocess"
    ROLLBACK = "rollback"

    @property
    def calls_apple(self) -> bool:
        """Whether it asks Apple for anything; the others work on what has landed."""
        return self in (Operation.DAILY, Operation.BACKFILL)

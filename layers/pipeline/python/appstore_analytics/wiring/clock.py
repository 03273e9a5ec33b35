"""The real clock. Everything that needs the time gets this clock, so nothing else reads the machine's clock."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The time of this machine, in UTC."""
    return datetime.now(UTC)

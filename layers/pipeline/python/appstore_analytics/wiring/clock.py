"""The real clock. Whatever needs the time is given it, so nothing else reads this machine's."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The time of this machine, in UTC."""
    return datetime.now(UTC)

"""Apple's quota headers: `X-Rate-Limit: user-hour-lim:3500;user-hour-rem:500;` and `Retry-After`.

They are parsed leniently: some endpoints also (or only) send the minute's numbers, and `Retry-After` is not guaranteed.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

_NUMBER = re.compile(
    r"(?<![\w-])user-(hour-lim|hour-rem|minute-rem)\s*[:=]\s*(-?[0-9]{1,9})(?![0-9])", re.ASCII | re.IGNORECASE
)
_SECONDS = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Calls left according to an answer; `hour_limit` is the limit of a whole hour, never 0."""

    hour_remaining: int | None = None
    minute_remaining: int | None = None
    retry_after_seconds: int | None = None
    hour_limit: int | None = None

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> "RateLimit":
        """The limits in an answer's headers; None for what is absent or unreadable."""
        found = _NUMBER.findall(headers.get("X-Rate-Limit", ""))
        numbers = {name.lower(): max(int(number), 0) for name, number in found}
        return cls(
            hour_remaining=numbers.get("hour-rem"),
            minute_remaining=numbers.get("minute-rem"),
            retry_after_seconds=_seconds(headers.get("Retry-After", ""), headers.get("Date", "")),
            hour_limit=numbers.get("hour-lim") or None,
        )


def _seconds(retry_after: str, date: str) -> int | None:
    """The time to wait, in whole seconds: RFC 9110 allows seconds, or a time by the server's own clock."""
    if found := _SECONDS.fullmatch(retry_after):
        return math.ceil(float(found[1]))
    try:
        wait = parsedate_to_datetime(retry_after) - parsedate_to_datetime(date)
    except (TypeError, ValueError):  # not a date, or only one of the two has a time zone
        return None
    return max(math.ceil(wait.total_seconds()), 0)

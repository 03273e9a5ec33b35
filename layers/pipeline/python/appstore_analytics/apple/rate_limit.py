"""What Apple says about its quota: `X-Rate-Limit: user-hour-lim:3500;user-hour-rem:500;` and `Retry-After`.

Parsed tolerantly: some endpoints send the minute's numbers as well or only those, and `Retry-After` is not promised.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NUMBER = re.compile(r"user-(hour-lim|hour-rem|minute-rem):\s*([0-9]{1,9})(?![0-9])")
_SECONDS = re.compile(r"\s*([0-9]{1,9})\s*")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Calls left, as far as the answer says; `hour_limit` is how many a whole hour has, never 0."""

    hour_remaining: int | None = None
    minute_remaining: int | None = None
    retry_after_seconds: int | None = None
    hour_limit: int | None = None

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> "RateLimit":
        """The limits in an answer's headers; None for what is absent or unreadable."""
        numbers = {name: int(number) for name, number in _NUMBER.findall(headers.get("X-Rate-Limit", ""))}
        retry_after = _SECONDS.fullmatch(headers.get("Retry-After", ""))
        return cls(
            hour_remaining=numbers.get("hour-rem"),
            minute_remaining=numbers.get("minute-rem"),
            retry_after_seconds=int(retry_after[1]) if retry_after else None,
            hour_limit=numbers.get("hour-lim") or None,
        )

"""The next start of a schedule, from an expression of EventBridge Scheduler in UTC.

Source: EventBridge Scheduler user guide, "Schedule types": cron(minutes hours day-of-month month day-of-week year).
"""

import re
from datetime import UTC, datetime, timedelta

_CRON = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")
_YEAR = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEK = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MONTHS = {name: number for number, name in enumerate(_YEAR, 1)}
_WEEKDAYS = {name: number for number, name in enumerate(_WEEK, 1)}
_DAYS_LOOKED_AHEAD = 366


def next_start(expression: str, now: datetime) -> datetime | None:
    """The first start after `now`; None if there is none within a year, or the expression is not supported.

    Rates, and the letters L, W and # of the day fields are not supported.
    """
    found = _CRON.fullmatch(expression)
    if found is None:
        return None
    unnamed: dict[str, int] = {}
    limits = (
        (0, 59, unnamed),
        (0, 23, unnamed),
        (1, 31, unnamed),
        (1, 12, _MONTHS),
        (1, 7, _WEEKDAYS),
        (1970, 2199, unnamed),
    )
    fields = [_numbers(text, *limit) for text, limit in zip(found.groups(), limits, strict=True)]
    if any(field is None for field in fields):
        return None
    minutes, hours, days, months, weekdays, years = (field or frozenset() for field in fields)
    for ahead in range(_DAYS_LOOKED_AHEAD + 1):
        day = (now + timedelta(days=ahead)).date()
        if not (day.day in days and day.month in months and day.isoweekday() % 7 + 1 in weekdays and day.year in years):
            continue
        starts = (
            datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC) for hour in hours for minute in minutes
        )
        if (start := min((each for each in starts if each > now), default=None)) is not None:
            return start
    return None


def _numbers(text: str, least: int, most: int, names: dict[str, int]) -> frozenset[int] | None:
    """The numbers that a field allows; None if it is not supported."""
    allowed: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if span in ("*", "?"):
            ends = (least, most)
        else:
            start = _number(first, names)
            end = _number(last, names) if last else (most if step else start)
            if start is None or end is None:
                return None
            ends = (start, end)
        if step and not step.isdigit():
            return None
        allowed.update(range(ends[0], ends[1] + 1, int(step or 1) or 1))
    return frozenset(allowed)


def _number(text: str, names: dict[str, int]) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else names.get(text.upper())

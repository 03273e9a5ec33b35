"""The next start of a schedule, compared with a search of every minute."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.rules.schedule import next_start

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


@pytest.mark.parametrize(
    ("expression", "start"),
    [
        ("cron(0 12 * * ? *)", datetime(2026, 11, 23, 12, 0, tzinfo=UTC)),
        ("cron(0 10 * * ? *)", datetime(2026, 11, 24, 10, 0, tzinfo=UTC)),
        ("cron(30 14 ? * MON *)", datetime(2026, 11, 23, 14, 30, tzinfo=UTC)),
        ("cron(0/20 10-11 * * ? *)", datetime(2026, 11, 23, 10, 20, tzinfo=UTC)),
        ("cron(0 0 1 JAN,JUL ? *)", datetime(2027, 1, 1, tzinfo=UTC)),
        ("cron(*/45 9 ? * 2-6 *)", datetime(2026, 11, 24, 9, 0, tzinfo=UTC)),
        ("cron(0 12 29 2 ? 2028)", None),
        ("cron(0 12 L * ? *)", None),
        ("cron(0 12 ? * 2#1 *)", None),
        ("rate(1 day)", None),
        ("", None),
    ],
)
def test_the_next_start_is_the_first_one_after_now(expression: str, start: datetime | None) -> None:
    assert next_start(expression, MONDAY) == start


@given(
    minute=st.integers(0, 59),
    hours=st.sets(st.integers(0, 23), min_size=1, max_size=3),
    weekdays=st.sets(st.sampled_from(NAMES), min_size=1, max_size=3),
    now=st.integers(0, 600_000).map(lambda minutes: MONDAY + timedelta(minutes=minutes)),
)
def test_a_search_of_every_hour_finds_the_same(minute: int, hours: set[int], weekdays: set[str], now: datetime) -> None:
    expression = f"cron({minute} {','.join(map(str, hours))} ? * {','.join(weekdays)} *)"
    candidate = now.replace(minute=minute, second=0, microsecond=0)
    while candidate <= now or candidate.hour not in hours or f"{candidate:%a}".upper() not in weekdays:
        candidate += timedelta(hours=1)
    assert next_start(expression, now) == candidate

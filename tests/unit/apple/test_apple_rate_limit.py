import pytest
from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.apple.rate_limit import RateLimit


@pytest.mark.parametrize(
    ("text", "hour", "minute", "limit"),
    [
        ("user-hour-lim:3500;user-hour-rem:500;", 500, None, 3500),
        ("user-hour-lim:3600;user-hour-rem:0", 0, None, 3600),
        ("user-hour-lim:300;", None, None, 300),
        ("user-hour-lim:0;user-hour-rem:5;", 5, None, None),
        ("user-minute-lim:350;user-minute-rem:7;", None, 7, None),
        ("user-minute-rem: 7; user-hour-rem:  12; more:1", 12, 7, None),
        ("user-hour-lim:many;user-hour-rem:;user-minute-rem:soon", None, None, None),
        ("user-hour-rem:-1;", 0, None, None),
        ("user-hour-lim : 300; user-hour-rem : 5", 5, None, 300),
        ("User-Hour-Lim:300;USER-HOUR-REM:5", 5, None, 300),
        ("user-hour-lim=300,user-hour-rem=5", 5, None, 300),
        ("user-hour-lim:300;user-hour-lim:400", None, None, 400),
        ("user-hour-lim:-300;user-hour-rem:５", None, None, None),
        ("other-user-hour-lim:3;x_user-hour-rem:4", None, None, None),
        (f"user-hour-rem:{'9' * 5000};", None, None, None),
        ("", None, None, None),
    ],
)
def test_the_quota_is_read_as_far_as_apple_says_it(text, hour, minute, limit):
    assert RateLimit.from_headers({"X-Rate-Limit": text}) == RateLimit(hour, minute, None, limit)


def test_an_answer_without_the_headers_says_nothing():
    assert RateLimit.from_headers({}) == RateLimit(None, None, None)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30),
        (" 0 ", 0),
        ("-1", None),
        ("1.5", 2),
        ("0.0", 0),
        ("1e3", None),
        ("５", None),
        ("soon", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("9" * 5000, None),
    ],
)
def test_retry_after_is_read_as_seconds(text, seconds):
    assert RateLimit.from_headers({"Retry-After": text}).retry_after_seconds == seconds


@pytest.mark.parametrize(
    ("retry_after", "date", "seconds"),
    [
        ("Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:27:15 GMT", 45),
        ("Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:29:00 GMT", 0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 09:27:15 +0200", 45),
        ("Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:27:15 -0000", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", "now", None),
        ("Wed, 99 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:27:15 GMT", None),
    ],
)
def test_retry_after_may_be_a_time_beside_the_servers_own(retry_after, date, seconds):
    assert RateLimit.from_headers({"Retry-After": retry_after, "Date": date}).retry_after_seconds == seconds


PIECES = st.sampled_from(["user-hour-rem:", "user-minute-rem:", "user-hour-lim:", ";", " ", "\n", "-", "²", "٣"])
NUMBERS = st.integers(-5, 10**12).map(str) | st.integers(4290, 4310).map(lambda digits: "7" * digits)
HEADERS = st.text() | st.lists(PIECES | NUMBERS | st.text(max_size=3)).map("".join)


@given(HEADERS, HEADERS)
def test_any_text_gives_a_rate_limit_of_numbers_that_can_be_calculated_with(limit, retry_after):
    read = RateLimit.from_headers({"X-Rate-Limit": limit, "Retry-After": retry_after})
    for number in (read.hour_remaining, read.minute_remaining, read.retry_after_seconds, read.hour_limit):
        assert number is None or 0 <= number < 10**9


@given(st.integers(0, 3600), st.integers(0, 350))
def test_both_numbers_are_found_in_either_order(hour, minute):
    parts = [f"user-hour-lim:3500;user-hour-rem:{hour};", f"user-minute-lim:350;user-minute-rem:{minute};"]
    for text in ("".join(parts), "".join(reversed(parts))):
        assert RateLimit.from_headers({"X-Rate-Limit": text}) == RateLimit(hour, minute, None, 3500)

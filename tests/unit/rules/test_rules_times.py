from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.rules.times import compact_time

INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def test_a_compact_time_is_utc_to_the_millisecond() -> None:
    assert compact_time(datetime(2026, 11, 23, 6, 0, 0, 123_999, tzinfo=UTC)) == "20261123T060000123Z"
    assert compact_time(datetime(2026, 11, 23, 6, 0, 0, 7_000, tzinfo=UTC)) == "20261123T060000007Z"


@given(INSTANTS, INSTANTS)
def test_compact_times_sort_like_instants_and_hold_letters_and_digits_only(one: datetime, other: datetime) -> None:
    assert compact_time(one).isalnum()
    if one <= other:
        assert compact_time(one) <= compact_time(other)

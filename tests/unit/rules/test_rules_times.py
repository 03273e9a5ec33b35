from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appstore_analytics.rules.execution_input import parse_execution_input
from appstore_analytics.rules.times import compact_time, instant_of_run, run_id

NOW = datetime(2026, 11, 23, 6, 0, 0, 123_000, tzinfo=UTC)
INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def test_a_compact_time_is_utc_to_the_millisecond() -> None:
    assert compact_time(datetime(2026, 11, 23, 6, 0, 0, 123_999, tzinfo=UTC)) == "20261123T060000123Z"
    assert compact_time(datetime(2026, 11, 23, 6, 0, 0, 7_000, tzinfo=UTC)) == "20261123T060000007Z"


@given(INSTANTS, INSTANTS)
def test_compact_times_sort_like_instants_and_hold_letters_and_digits_only(one: datetime, other: datetime) -> None:
    assert compact_time(one).isalnum()
    if one <= other:
        assert compact_time(one) <= compact_time(other)


NAMES = st.from_regex(r"[A-Za-z0-9_.-]{1,80}", fullmatch=True)


@given(one=NAMES, other=NAMES, now=INSTANTS)
def test_no_two_executions_of_one_millisecond_make_the_same_run(one: str, other: str, now: datetime) -> None:
    assert (run_id(now, one) == run_id(now, other)) == (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("manage-backfill-of-the-whole-year-2024-and-more-1", "manage-backfill-of-the-whole-year-2024-and-more-2"),
        ("night_run", "night-run"),
        ("night.run", "night_run"),
        ("nächtlich", "n\u00e0chtlich"),
    ],
)
def test_names_that_look_the_same_when_shortened_or_cleaned_make_different_runs(one: str, other: str) -> None:
    assert run_id(NOW, one) != run_id(NOW, other)


@given(name=NAMES, now=st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_runs_id_is_accepted_where_a_run_is_named_and_says_when_it_began(name: str, now: datetime) -> None:
    made = run_id(now, name)
    assert parse_execution_input({"operation": "rollback", "run_id": made}, now.date()).run_id == made
    assert instant_of_run(made) == now.replace(microsecond=now.microsecond // 1000 * 1000)


def test_a_short_and_plain_name_stands_in_the_id_as_it_is() -> None:
    assert run_id(NOW, "manage-daily-1a2b3c4d") == "20261123T060000123Z-manage-daily-1a2b3c4d"

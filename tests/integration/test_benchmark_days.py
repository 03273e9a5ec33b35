"""The assumption of the cost benchmarks: the counts of a day grow linearly with the number of apps."""

from collections.abc import Iterator

import pytest

from benchmarks.calls import live_a_scarce_day
from benchmarks.usage.counting import Unit, count_day, lines_of
from tests.quick_moto import quick_calls


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    with quick_calls():
        yield


def test_the_counts_of_a_third_size_lie_on_the_line_through_two_others() -> None:
    few, third, many = (count_day(apps, ("App Downloads Standard",), rows_per_date=2) for apps in (1, 2, 3))
    lines = lines_of(few, many)
    assert set(lines) == set(third.units)
    for key, line in lines.items():
        assert abs(line.of(third.apps) - third.units[key]) <= 1, key  # one page of reading more or less
    assert lines["convert_instance", Unit.CALLS].per_app == 1
    assert lines["download_segments", Unit.APPLE_CALLS].per_app == 1
    assert lines["publish_date", Unit.S3_READS].per_app > 1
    assert lines["list_releases", Unit.APPLE_CALLS].per_app == 1
    queries = lines["verify_table", Unit.QUERIES]
    assert (queries.fixed, queries.per_app) == (2, 0), "of a table's rows, and of its KPIs"


def test_a_day_on_a_small_quota_goes_on_every_hour_until_every_app_is_verified() -> None:
    day = live_a_scarce_day(calls_per_hour=6, reports=5, hours=5)  # five usable calls: one app's lists at a time
    assert (day.verified, day.refused) == (day.apps, 0) == (2, 0)
    assert day.usable == 25
    assert day.calls == 20 + 1  # plan_run requests the names of the apps; releases never wait, and are left for later
    assert 4 < day.hours < 5

from datetime import date, timedelta

import pytest

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.rules.freshness import Freshness, freshness

TODAY = date(2025, 6, 2)


@pytest.mark.parametrize(
    ("granularity", "pause"), [(Granularity.DAILY, 1), (Granularity.WEEKLY, 7), (Granularity.MONTHLY, 31)]
)
def test_a_table_is_late_one_day_after_its_longest_pause(granularity: Granularity, pause: int) -> None:
    assert freshness(granularity, TODAY, TODAY) is Freshness.FRESH
    assert freshness(granularity, TODAY - timedelta(days=pause), TODAY) is Freshness.FRESH
    assert freshness(granularity, TODAY - timedelta(days=pause + 1), TODAY) is Freshness.LATE


@pytest.mark.parametrize("granularity", Granularity)
def test_a_table_that_never_had_an_instance_is_not_late(granularity: Granularity) -> None:
    assert freshness(granularity, None, TODAY) is Freshness.NOT_READY

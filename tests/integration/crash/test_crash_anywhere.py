"""A sample of the crash matrix; `python -m tests.integration.crash` goes through all of it."""

from dataclasses import replace

import pytest

from local.apple.truth import newest_vintages
from tests.integration.crash.day import DOWNLOADS, Ending, Sequel, live_through, losses, morning
from tests.integration.crash.matrix import every_case, outcome, sample
from tests.integration.morning import Morning


@pytest.fixture(scope="module")
def day() -> Morning:
    return morning()


@pytest.fixture(scope="module")
def undisturbed(day: Morning) -> Ending:
    return live_through(day)


def test_the_undisturbed_day_creates_lands_restates_and_holds_what_apple_says(
    day: Morning, undisturbed: Ending
) -> None:
    assert undisturbed.report is not None
    assert undisturbed.report["status"] == "SUCCEEDED"
    assert undisturbed.report["requests_created"] == 1
    assert undisturbed.report["parts_replaced"] > 0
    assert undisturbed.stands.contradictions == {}
    with day.begin() as pipeline:
        pipeline.daily()
        truth = newest_vintages(pipeline.world, DOWNLOADS)
        assert pipeline.batches("downloads") == {(one.app_id, one.date): (one.rows, one.sums) for one in truth}


def test_what_a_death_loses_would_be_seen(undisturbed: Ending) -> None:
    without = {**undisturbed.stands.curated}
    lost, _ = without.popitem()
    (line,) = losses(
        undisturbed, replace(undisturbed, stands=replace(undisturbed.stands, curated=without)), Sequel.RETRIED
    )
    assert lost in line


def test_after_a_death_at_any_kind_of_write_the_next_run_ends_where_an_undisturbed_one_does(
    day: Morning, undisturbed: Ending
) -> None:
    cases = sample(every_case(undisturbed))
    lost = {case: lines for case in cases if (lines := outcome(day, undisturbed, case))}
    assert lost == {}

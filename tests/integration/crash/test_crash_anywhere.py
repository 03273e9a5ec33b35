"""A sample of the crash matrix; `python -m tests.integration.crash` goes through all of it."""

from dataclasses import replace

import pytest

from local.apple.truth import newest_vintages
from tests.integration.crash.day import DOWNLOADS, OLD_APP, Ending, Sequel, losses
from tests.integration.crash.matrix import every_case, losses_of, sample, the_morning, undisturbed_day


@pytest.fixture(scope="module")
def undisturbed() -> Ending:
    return undisturbed_day()


def test_the_undisturbed_day_creates_lands_restates_and_holds_what_apple_says(undisturbed: Ending) -> None:
    assert undisturbed.report is not None
    assert undisturbed.report["status"] == "SUCCEEDED"
    assert undisturbed.report["requests_created"] == 1
    assert undisturbed.report["parts_replaced"] > 0
    assert undisturbed.stands.contradictions == {}
    with the_morning().begin() as pipeline:
        pipeline.daily()
        truth = [
            one for one in newest_vintages(pipeline.world, DOWNLOADS) if one.app_id == OLD_APP
        ]  # the new one has none
        assert pipeline.batches("downloads") == {(one.app_id, one.date): (one.rows, one.sums) for one in truth}


def test_what_a_death_loses_would_be_seen(undisturbed: Ending) -> None:
    without = {**undisturbed.stands.curated}
    lost, _ = without.popitem()
    (line,) = losses(
        undisturbed, replace(undisturbed, stands=replace(undisturbed.stands, curated=without)), Sequel.RETRIED
    )
    assert lost in line


def test_after_a_death_at_any_kind_of_write_the_next_run_ends_where_an_undisturbed_one_does(
    undisturbed: Ending,
) -> None:
    cases = sample(every_case(undisturbed))
    lost = {case: lines for case in cases if (lines := losses_of(case))}
    assert lost == {}

"""A Date that was final, was rolled back to a file that is not, and is final again: the ledger has a gap there."""

from collections.abc import Callable
from datetime import timedelta

from asking import FIRST, ask

from appstore_analytics.answers.kpis import KpiPoint
from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.model.kpis import DateState
from appstore_analytics.model.plan import RunPlan
from local.apple.model import Series
from tests.integration.pipeline_in_process import APP, CRASHES, Pipeline

DAY = timedelta(days=1)
OTHER = "1000000002"
DATE = FIRST + DAY
APPS = (APP, OTHER)


def point(pipeline: Pipeline, *app_ids: str) -> KpiPoint:
    answer = ask(pipeline, "crashes", start=DATE, end=DATE, app_ids=app_ids)
    (found,) = answer.series[0].points
    return found


def run_until_final(pipeline: Pipeline) -> RunPlan:
    """The run that made the Date final."""
    while True:
        pipeline.world.advance(1)
        plan = pipeline.whole()
        if point(pipeline, *APPS).state is DateState.FINAL:
            return plan


def test_a_former_value_is_unknown_where_one_of_its_apps_was_taken_back_to_a_file_that_was_not_final(
    start: Callable[..., Pipeline],
) -> None:
    pipeline = start({"apps": 2, "rows_per_date": 40, "dates_per_instance": 6}, reports=(CRASHES,))
    pipeline.whole()
    completing = run_until_final(pipeline)
    first = {app_id: point(pipeline, app_id).value for app_id in APPS}
    pipeline.rollback(completing)
    assert point(pipeline, *APPS).state is not DateState.FINAL
    run_until_final(pipeline)
    again = {app_id: point(pipeline, app_id).value for app_id in APPS}
    assert again == first
    assert point(pipeline, *APPS).restated_on is None

    pipeline.world.restate(Series(OTHER, CRASHES, Granularity.DAILY), DATE)
    pipeline.world.advance(1)
    pipeline.whole()
    restated = point(pipeline, OTHER)
    assert restated.value != first[OTHER]
    assert (restated.restated_from, restated.restated_on) == (first[OTHER], pipeline.world.today)
    assert point(pipeline, APP).restated_on is None
    both = point(pipeline, *APPS)
    assert (both.value, both.restated_on) == (first[APP] + restated.value, pipeline.world.today)
    assert both.restated_from is None  # instead of a sum with what the first app had in between

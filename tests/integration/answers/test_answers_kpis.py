"""`ask_kpis`: the state of a Date's number, and refused questions."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from asking import FIRST, ask, day, days

from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.kpis import KpiAnswer, KpiPoint
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.maps import MapName
from appstore_analytics.model.kpis import DateState
from local.apple import FaultKind
from tests.integration.pipeline_in_process import DOWNLOADS, Pipeline

SEGMENTS = "GET /v1/analyticsReportInstances/.*/segments"


def points(answer: KpiAnswer) -> dict[date, KpiPoint]:
    (series,) = answer.series
    return {point.day: point for point in series.points}


def test_a_date_is_preliminary_until_apple_built_it_complete_and_then_final(start: Callable[..., Pipeline]) -> None:
    pipeline = start(reports=(DOWNLOADS,))
    days(pipeline, 5)
    states = {at: point.state for at, point in points(ask(pipeline, "total_downloads")).items()}
    newest = max(at for at, state in states.items() if state.has_value)
    assert states[newest] is DateState.PRELIMINARY
    assert states[FIRST] is DateState.FINAL
    assert states[pipeline.world.today] is DateState.NOT_DUE
    (series,) = ask(pipeline, "total_downloads").series
    assert series.complete_until is not None
    assert series.complete_until < newest


def test_without_a_run_a_due_date_is_missing_and_never_zero(start: Callable[..., Pipeline]) -> None:
    pipeline = start(reports=(DOWNLOADS,))
    days(pipeline, 3)
    pipeline.world.advance(6)
    answer = ask(pipeline, "total_downloads")
    missing = [point for point in points(answer).values() if point.state is DateState.MISSING]
    assert missing
    assert all(point.value is None and point.reason for point in missing)
    assert not answer.is_good


def test_a_quarantined_date_says_so(start: Callable[..., Pipeline]) -> None:
    pipeline = start(reports=(DOWNLOADS,))
    days(pipeline, 3)
    for _ in range(4):
        pipeline.world.advance(1)
        pipeline.fault(FaultKind.SHORT_ROW, SEGMENTS)
        day(pipeline)
    found = [point for point in points(ask(pipeline, "updates")).values() if point.state is DateState.QUARANTINED]
    assert found
    assert "quarantined" in found[0].reason


def test_between_the_two_swaps_a_date_is_being_replaced_and_before_kpis_are_built_it_says_so(
    start: Callable[..., Pipeline],
) -> None:
    pipeline = start(reports=(DOWNLOADS,))
    days(pipeline, 3)
    of_day = TableDate("downloads", FIRST)
    stored = pipeline.lake.head(of_day.kpis_key)
    body = pipeline.lake.read(of_day.kpis_key)
    assert stored is not None
    assert body is not None
    pipeline.lake.write(of_day.kpis_key, body, metadata={**stored.metadata, "digest": "of other rows"})
    answer = ask(pipeline, "updates")
    assert points(answer)[FIRST] == KpiPoint(FIRST, None, DateState.BEING_REPLACED)
    assert "1 Date being replaced" in answer.sentence
    pipeline.lake.write(of_day.kpis_key, body, metadata={**stored.metadata, "definitions": "of another version"})
    answer = ask(pipeline, "updates")
    assert points(answer)[FIRST].state is DateState.NOT_BUILT
    assert "KPIs not built yet for 1 Date" in answer.sentence
    pipeline.lake.remove(of_day.kpis_key, expected=pipeline.lake.head(of_day.kpis_key).etag)  # type: ignore[union-attr]
    assert points(ask(pipeline, "updates"))[FIRST].state is DateState.NOT_BUILT


def test_one_app_of_two_that_is_missing_makes_the_sum_preliminary(start: Callable[..., Pipeline]) -> None:
    pipeline = start({"apps": 2}, reports=(DOWNLOADS,))
    days(pipeline, 3)
    pipeline.world.advance(5)
    plan = pipeline.plan()
    pipeline.register(plan)
    pipeline.list_app(plan)
    pipeline.run(plan, MapName.LAND, MapName.PUBLISH)
    found = points(ask(pipeline, "total_downloads"))
    partial = [point for point in found.values() if point.apps_missing == 1]
    assert partial
    assert {point.state for point in partial} == {DateState.PRELIMINARY}


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ({"metrics": ("total_download",)}, "There is no KPI 'total_download': did you mean total_downloads"),
        ({"metrics": ()}, "No KPI is given"),
        ({"metrics": ("updates",), "by": "subscription_name"}, "updates cannot be split by 'subscription_name'"),
        ({"metrics": ("updates",), "app_ids": ("12",)}, "App 12 is not known"),
        ({"metrics": ("updates",), "end": FIRST - timedelta(days=1)}, "must not be after"),
        ({"metrics": ("updates",), "end": FIRST + timedelta(days=800)}, "At most 800 Dates"),
        ({"metrics": ("weekly_active_devices",)}, "WEEKLY in granularities of cdk.json"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_question_that_cannot_be_answered_says_what_to_change(
    pipeline: Pipeline, question: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Refused) as refused:
        ask(pipeline, *question.pop("metrics"), **question)
    assert sentence in str(refused.value)

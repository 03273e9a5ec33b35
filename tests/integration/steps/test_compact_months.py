"""compact_months: the months of a run's tables, made by whichever run finds them missing or old."""

from collections.abc import Callable
from unittest.mock import patch

from appstore_analytics.contract.layout import KPIS_PREFIX, MONTHS_PREFIX
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.steps import compact_months as step
from tests.integration.pipeline_in_process import CRASHES, DOWNLOADS, Pipeline

Start = Callable[..., Pipeline]
JUNE_OF = ("marts/months/crashes/2025-06.parquet", "marts/months/downloads/2025-06.parquet")


def grown(pipeline: Pipeline) -> Pipeline:
    """Some days of runs; the Dates of June are published."""
    for _ in range(6):
        assert pipeline.daily()["status"] == "SUCCEEDED"
        pipeline.world.advance(1)
    return pipeline


def without_months(pipeline: Pipeline) -> RunPlan:
    """A run before its months are made, of which none exists."""
    for key, etag in pipeline.bytes_of(MONTHS_PREFIX).items():
        pipeline.lake.remove(key, expected=etag)
    plan = pipeline.plan()
    pipeline.run(plan)
    return plan


def test_a_run_makes_the_months_it_changed_and_a_later_one_what_is_missing(start: Start) -> None:
    pipeline = grown(start(reports=(DOWNLOADS, CRASHES)))
    plan = pipeline.whole()
    made = pipeline.bytes_of(MONTHS_PREFIX)
    assert set(made) >= set(JUNE_OF)
    assert pipeline.compact(plan) == {"months": 0, "left": 0}
    pipeline.lake.remove(JUNE_OF[1], expected=made[JUNE_OF[1]])
    assert pipeline.compact(plan) == {"months": 1, "left": 0}
    assert pipeline.bytes_of(MONTHS_PREFIX) == made
    assert pipeline.report()["notices"] == []


def test_what_time_does_not_allow_is_a_notice(start: Start) -> None:
    pipeline = grown(start(reports=(DOWNLOADS,)))
    plan = without_months(pipeline)
    with patch.object(step, "COMPACTS_FOR_SECONDS", -1):
        answer = pipeline.compact(plan)
    assert answer["months"] == 0
    assert answer["left"] > 0
    assert pipeline.summarize(plan)["status"] == "SUCCEEDED"
    assert pipeline.report()["notices"] == [f"{answer['left']} months of KPIs are left to the next run."]
    assert pipeline.bytes_of(MONTHS_PREFIX) == {}


def test_a_month_that_cannot_be_made_is_a_notice_and_the_others_are_made(start: Start) -> None:
    pipeline = grown(start(reports=(DOWNLOADS, CRASHES)))
    plan = without_months(pipeline)
    broken = next(key for key in pipeline.bytes_of(KPIS_PREFIX) if key.endswith("/downloads.parquet") and "-06-" in key)
    stored = pipeline.lake.head(broken)
    assert stored is not None
    pipeline.lake.write(broken, b"no Parquet", metadata=stored.metadata)
    pipeline.compact(plan)
    assert pipeline.summarize(plan)["status"] == "SUCCEEDED"
    (notice,) = pipeline.report()["notices"]
    assert notice.startswith(f"{JUNE_OF[1]} was not made, because a KPI object cannot be read")
    assert set(pipeline.bytes_of(MONTHS_PREFIX)) & set(JUNE_OF) == {JUNE_OF[0]}

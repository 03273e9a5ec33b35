"""Registered apps whose instances are listed, and the verdicts on them."""

from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.model.plan import RunPlan
from tests.integration.pipeline_in_process import (
    CRASHES,
    DOWNLOADS,
    Pipeline,
)

DONE = {"outcome": "done"}


SESSIONS = "App Sessions Standard"


THREE = (DOWNLOADS, CRASHES, SESSIONS)


def registered(pipeline: Pipeline, days: int = 1) -> RunPlan:
    """A plan for this number of days after the app was registered."""
    pipeline.register(pipeline.plan())
    pipeline.world.advance(days)
    return pipeline.plan()


def verdict(pipeline: Pipeline, plan: RunPlan) -> Verdict | None:
    return pipeline.record(pipeline.item(plan)).verdict

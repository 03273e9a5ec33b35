"""A pipeline in the test's process, and the questions of manage.py to it."""

from datetime import date
from typing import Any

from appstore_analytics.answers.apps import known_accounts
from appstore_analytics.answers.gaps import Gaps, find_gaps
from appstore_analytics.answers.kpis import KpiAnswer, KpiQuestion, ask_kpis
from appstore_analytics.answers.status import RequestStatus, request_status
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.tables import CuratedTable, curated_tables
from appstore_analytics.model.plan import RunPlan
from tests.integration.pipeline_in_process import Pipeline

FIRST = date(2025, 6, 2)
"""The world's first day."""


def day(pipeline: Pipeline) -> RunPlan:
    """A daily run without its verification and its report."""
    plan = pipeline.plan()
    pipeline.run(plan, MapName.REGISTER, MapName.LAND, MapName.PUBLISH)
    return plan


def days(pipeline: Pipeline, count: int) -> None:
    """Daily runs on the following days; the last one with its report."""
    for left in reversed(range(count)):
        pipeline.world.advance(1)
        plan = day(pipeline)
        if not left:
            pipeline.summarize(plan)


def backfill(pipeline: Pipeline, start: date, end: date) -> None:
    """One execution of a backfill."""
    pipeline.run(pipeline.backfill(start, end), MapName.REGISTER, MapName.LAND, MapName.PUBLISH)


def tables(pipeline: Pipeline) -> tuple[CuratedTable, ...]:
    return curated_tables(pipeline.reports, pipeline.granularities)


def gaps(pipeline: Pipeline, since: date | None = None) -> Gaps:
    accounts = known_accounts(pipeline.configuration, pipeline.lake)
    return find_gaps(accounts, tables(pipeline), pipeline.registry, pipeline.lake, pipeline.world.today, since)


def status(pipeline: Pipeline, **more: Any) -> RequestStatus:
    accounts = known_accounts(pipeline.configuration, pipeline.lake)
    return request_status(accounts, pipeline.registry, pipeline.lake, more.get("as_of", pipeline.world.today))


def ask(pipeline: Pipeline, *metrics: str, start: date = FIRST, end: date | None = None, **more: Any) -> KpiAnswer:
    question = KpiQuestion(metrics, start, end or pipeline.world.today, **more)
    accounts = known_accounts(pipeline.configuration, pipeline.lake)
    return ask_kpis(question, accounts, tables(pipeline), pipeline.registry, pipeline.lake, pipeline.world.today)

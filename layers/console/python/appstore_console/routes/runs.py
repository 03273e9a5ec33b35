"""Runs: their list, the progress of one, and starting one in two steps: a plan, and its confirmation."""

from collections.abc import Iterator
from contextlib import contextmanager

from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.pages import Page
from appstore_analytics.answers.run_details import show_run
from appstore_analytics.answers.run_facts import RunDetails, RunList
from appstore_analytics.answers.run_grid import ItemsQuestion
from appstore_analytics.answers.run_grid import run_items as items_of_run
from appstore_analytics.answers.run_stages import RunItems
from appstore_analytics.answers.runs import RunsQuestion, page_of_runs
from appstore_analytics.rules.schedule import next_start
from appstore_console import plans
from appstore_console.facts import PlanOffer, StartedRun
from appstore_console.http import problems
from appstore_console.http.asked import Asked
from appstore_console.http.endpoints import Endpoints
from appstore_console.rights import Right
from appstore_console.schemas.requests import PlanBody, RunBody, RunItemsParameters, RunsParameters

endpoints = Endpoints("Runs")
actions = Endpoints("Runs")


@endpoints.get("/runs", Right.READ)
def runs(asked: Asked, parameters: RunsParameters) -> RunList:
    """A page of runs, newest first

    Runs of the last 90 days, and older ones with what their reports contain; at most 200.
    """
    operation = parameters.operation or ""
    page = Page(parameters.limit, parameters.cursor)
    return page_of_runs(
        asked.console.installation.pipeline,
        RunsQuestion(parameters.q, operation, parameters.status, page),
        next_start(asked.console.daily_schedule, asked.now),
        asked.console.remembered,
        asked.app_ids,
    )


@endpoints.get("/runs/<run_id>", Right.READ)
def run(asked: Asked, run_id: str) -> RunDetails:
    """One run: its stages, its failures and their repair, its proof, the Dates that Apple replaced

    `run_id` is the id, its beginning, or `newest`.
    """
    here = asked.console.installation
    with _nothing_is_there(run_id):
        return show_run(here.pipeline, run_id, here.region, asked.app_ids)


@endpoints.get("/runs/<run_id>/items", Right.READ)
def run_items(asked: Asked, run_id: str, parameters: RunItemsParameters) -> RunItems:
    """A page of the run's apps × tables, failures first"""
    page = Page(parameters.limit, parameters.cursor)
    question = ItemsQuestion(parameters.q, parameters.only == "exceptions", page)
    with _nothing_is_there(run_id):
        return items_of_run(asked.console.installation.pipeline, run_id, question, asked.app_ids)


@contextmanager
def _nothing_is_there(run_id: str) -> Iterator[None]:
    """The answer is the same for a run that does not exist and for one about other apps."""
    try:
        yield
    except Refused as error:
        if str(error).startswith("There is no run"):
            raise problems.not_there(f"run {run_id[:80]}") from None
        raise


@actions.post("/plans", Right.START_RUNS)
def plan_run(asked: Asked, body: PlanBody) -> PlanOffer:
    """Plan a run: its calls, rows, Dates and dollars

    Nothing is started. Only the person who made the plan can start it, within ten minutes.
    """
    return plans.offer(asked, body)


@actions.post("/runs", Right.START_RUNS)
def start_run(asked: Asked, body: RunBody) -> StartedRun:
    """Start the run of a plan; repeating the request starts nothing more

    The plan is checked again: 409 if the run would do something else now.
    """
    return plans.confirm(asked, body.plan_id)

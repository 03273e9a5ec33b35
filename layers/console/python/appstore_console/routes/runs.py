"""Runs: which there were, how one is going, and starting one in two steps: a plan, and its confirmation."""

from appstore_analytics.answers.run_stages import RunItems
from appstore_analytics.answers.runs import RunDetails, RunList
from appstore_console.facts import PlanOffer, StartedRun
from appstore_console.http.asked import Asked
from appstore_console.http.endpoints import Endpoints
from appstore_console.rights import Right
from appstore_console.schemas.requests import PlanBody, RunBody, RunItemsParameters, RunsParameters

endpoints = Endpoints("Runs")
actions = Endpoints("Runs")


@endpoints.get("/runs", Right.READ)
def runs(asked: Asked, parameters: RunsParameters) -> RunList:
    """A page of runs, newest first"""
    raise NotImplementedError


@endpoints.get("/runs/<run_id>", Right.READ)
def run(asked: Asked, run_id: str) -> RunDetails:
    """One run: its stages, what failed and what to do about it, its proof, what Apple replaced

    `run_id` is the id, its beginning, or `newest`.
    """
    raise NotImplementedError


@endpoints.get("/runs/<run_id>/items", Right.READ)
def run_items(asked: Asked, run_id: str, parameters: RunItemsParameters) -> RunItems:
    """A page of the run's apps × tables, failures first"""
    raise NotImplementedError


@actions.post("/plans", Right.START_RUNS)
def plan_run(asked: Asked, body: PlanBody) -> PlanOffer:
    """What a run would do: calls, rows, Dates, dollars

    Nothing starts. The plan belongs to whoever made it and lives ten minutes.
    """
    raise NotImplementedError


@actions.post("/runs", Right.START_RUNS)
def start_run(asked: Asked, body: RunBody) -> StartedRun:
    """Start the run of a plan, once however often this is asked

    The plan is checked again: 409 where it would do something else by now.
    """
    raise NotImplementedError

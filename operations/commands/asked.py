"""Code that every command shares: common options, plan and confirmation, following a run, printing the answer."""

import sys
from dataclasses import dataclass
from typing import Any

import typer

from appstore_analytics.answers import runs as run_answers
from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.executions import Started, new_name
from appstore_analytics.answers.facts import Facts
from appstore_analytics.answers.installation import Installation
from appstore_analytics.answers.run_details import details_of
from appstore_analytics.contract.operations import STARTED_BY
from operations import screens
from operations.exits import ExitStatus
from operations.progress import run_view
from operations.questions import console_region
from operations.where import Where


@dataclass
class Asked:
    """The options that every command has."""

    where: Where
    as_json: bool

    def installation(self) -> Installation:
        """The installed pipeline; Unreachable if there is none."""
        return self.where.open()


def report_of(installation: Installation, run_id: str) -> dict[str, Any]:
    """The report of the run whose id begins with this text."""
    found = run_answers.find_report(installation.lake, run_id)
    if found is None:
        raise Refused(f"There is no report of a run '{run_id}': ./manage.py runs lists them.")
    return found[1]


def start_if_confirmed(
    asked: Asked, installation: Installation, plan: Facts, payload: dict[str, Any], *, yes: bool
) -> None:
    """Show the plan, and start it only with --yes or after confirmation at the terminal."""
    require_consent(asked, plan, "Start it?", "Nothing was started. Pass --yes to start it.", yes=yes)
    start_run(asked, installation, payload)


def require_consent(asked: Asked, plan: Facts, question: str, otherwise: str, *, yes: bool) -> None:
    """Show the plan, and end the command here without --yes or confirmation at the terminal."""
    if not (yes and asked.as_json):  # with both, the answer is the run's
        screens.show(plan, as_json=asked.as_json)
    if not yes and (asked.as_json or not sys.stdin.isatty() or not _confirmed(question)):
        screens.say(screens.console(stderr=True), otherwise)
        raise typer.Exit(ExitStatus.GOOD if plan.is_good else ExitStatus.BAD)


def _confirmed(question: str) -> bool:
    """Ask for confirmation at the terminal; the end of input, or Ctrl-C, means no."""
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:
        return False


def start_run(asked: Asked, installation: Installation, payload: dict[str, Any]) -> None:
    """Start a run with this execution input and follow it to its end."""
    payload = {**payload, STARTED_BY: installation.caller}
    follow_run(asked, installation, installation.pipeline.start(new_name(str(payload["operation"])), payload))


def follow_run(asked: Asked, installation: Installation, started: Started) -> None:
    """Show the run's progress, then its report. Ctrl-C stops following, not the run."""
    progress = screens.console(stderr=True)
    screens.say(progress, f"Run {started.run_id}", style="bold")
    try:
        with run_view(progress) as view:
            execution = installation.pipeline.follow(started, view.show)
    except KeyboardInterrupt:
        screens.say(progress, f"The run continues. To follow it again: ./manage.py run {started.run_id} --follow")
        raise typer.Exit(ExitStatus.INTERRUPTED) from None
    region = console_region(installation)
    answer(asked, details_of(execution, started, installation.pipeline, region))


def answer(asked: Asked, facts: Facts) -> None:
    """Show the facts, and end the command with their exit status."""
    screens.show(facts, as_json=asked.as_json)
    raise typer.Exit(ExitStatus.GOOD if facts.is_good else ExitStatus.BAD)

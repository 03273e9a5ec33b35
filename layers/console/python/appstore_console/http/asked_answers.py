"""The calls of the reading routes into the answers, restricted to the apps that the person can see."""

import hashlib
import json
from collections.abc import Iterable
from datetime import date
from itertools import islice
from typing import Any

from appstore_analytics.answers.checks import Checks, ChecksSince, read_checks, read_results
from appstore_analytics.answers.executions import RUNNING
from appstore_analytics.answers.installation import Installation
from appstore_analytics.answers.judged_dates import JudgedDates
from appstore_analytics.answers.kpi_reporting import Installed
from appstore_analytics.contract.kpis import KPIS_BY_NAME
from appstore_analytics.contract.kpis.stored import definitions
from appstore_analytics.lake.checks import newest_check
from appstore_console.http.asked import Asked

_RUNS_LOOKED_AT = 20
_MINUTES_KEPT = 10
"""An answer expires after this time, because people can change the registry by hand, outside of runs."""


def version_of_runs(asked: Asked, **_: Any) -> str:
    """Identifies the state of lake and registry behind an answer; empty while a run is changing them.

    Only runs change the tables and the registry, and only the hourly check writes its findings: if both are the same as
    before, so is the answer. AWS may report a new run with a short delay.
    """
    here = asked.console.installation
    runs = list(islice(here.pipeline.executions(), _RUNS_LOOKED_AT))
    if any(run.status == RUNNING for run in runs):
        return ""
    check = newest_check(here.lake, today(asked))
    made_of = [
        [(run.arn, run.status) for run in runs],
        [check.key, check.etag] if check else [],
        here.configuration.to_payload(),
        [definitions(table) for table in here.tables],
        today(asked).isoformat(),
        asked.now.hour * 60 + asked.now.minute - asked.now.minute % _MINUTES_KEPT,
    ]
    return hashlib.sha256(json.dumps(made_of, default=str).encode()).hexdigest()


def deployed(here: Installation, metrics: Iterable[str]) -> tuple[str, ...]:
    """The KPIs among these whose tables are fetched here."""
    return tuple(name for name in metrics if all(table in here.tables for table in KPIS_BY_NAME[name].tables))


def today(asked: Asked) -> date:
    """The current day in UTC."""
    return asked.now.date()


def checks_for(asked: Asked) -> Checks:
    """The freshness checks of these apps."""
    return read_checks(asked.console.installation.lake, asked.seen, today(asked), asked.console.remembered)


def results_for(asked: Asked, since: date) -> Checks:
    """What freshness checks found of the Dates of these apps since a day."""
    return read_results(asked.console.installation.lake, asked.seen, today(asked), asked.console.remembered, since)


def kpi_sources(asked: Asked, checks: ChecksSince) -> Installed:
    """The sources of KPIs. The stored sum over all apps is used only for a person who can see all of them."""
    here = asked.console.installation
    return Installed.of(here, None if asked.app_ids is None else asked.accounts, checks)


def judged_for(asked: Asked, checks: Checks) -> JudgedDates:
    """The verdicts on Dates of these apps."""
    here = asked.console.installation
    return JudgedDates(asked.seen, checks, here.registry, here.lake, today(asked), asked.console.remembered)

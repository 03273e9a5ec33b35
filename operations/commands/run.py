"""Starting runs that call Apple."""

from datetime import datetime
from typing import Annotated

import typer

from appstore_analytics.answers.backfill_plan import backfill_payload, plan_backfill
from appstore_analytics.contract.operations import Operation
from appstore_analytics.rules.execution_input import parse_execution_input
from operations.commands.asked import Asked, start_if_confirmed, start_run
from operations.options import (
    Reports,
    RunAsOf,
    Yes,
    app_ids,
    date_option,
    day_of,
    list_option,
    not_before_all,
    refuse_backwards,
)


def daily(context: typer.Context, as_of: RunAsOf = None) -> None:
    """Start a daily run and follow it to its end."""
    payload = {"operation": Operation.DAILY.value} | ({"as_of": day_of(as_of).isoformat()} if as_of else {})
    start_run(context.obj, context.obj.installation(), payload)


def backfill(
    context: typer.Context,
    *,
    apps: Annotated[list[str], list_option("--apps", "ID …", "The apps' Apple ids.", app_ids)],
    start: Annotated[datetime, date_option("--from", "The first Date; earlier than Apple's history means all of it.")],
    end: Annotated[datetime, date_option("--to", "The last Date.", not_before_all)],
    reports: Reports = None,
    as_of: RunAsOf = None,
    yes: Yes = False,
) -> None:
    """Fetch history from a snapshot. Shows the plan first: requests, quota, calls, rows, cost."""
    asked: Asked = context.obj
    refuse_backwards(start.date(), end.date())
    day = day_of(as_of) if as_of else None
    payload = backfill_payload(apps, start.date(), end.date(), reports or (), day)
    wanted = parse_execution_input(payload, day_of(None))
    here = asked.installation()
    plan = plan_backfill(payload, wanted, here.configuration, here.accounts, here.registry, here.lake)
    start_if_confirmed(asked, here, plan, payload, yes=yes)

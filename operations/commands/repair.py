"""Rolling back; converting, downloading and publishing again; importing from an earlier pipeline."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from appstore_analytics.answers.publishing import mark_planned, plan_publish
from appstore_analytics.answers.repairs import (
    plan_refetch,
    plan_reprocess,
    plan_rollback,
    refetch_payload,
    reprocess_payload,
)
from appstore_analytics.contract.kpis.stored import amounts_of
from appstore_analytics.rules.execution_input import parse_execution_input
from operations import moving_in
from operations.commands.asked import Asked, answer, report_of, require_consent, start_if_confirmed
from operations.options import (
    Reports,
    Yes,
    app_ids,
    date_option,
    day_of,
    list_option,
    not_before_all,
    not_too_early,
    refuse_backwards,
    run_named,
)
from operations.questions import tables_of


def rollback(
    context: typer.Context,
    run_id: Annotated[
        str,
        typer.Argument(
            metavar="RUN", help="The run to roll back: its id, or the beginning of its id.", callback=run_named
        ),
    ],
    *,
    yes: Yes = False,
) -> None:
    """Restore the tables to the state before a run. Shows the changes first."""
    asked: Asked = context.obj
    here = asked.installation()
    plan = plan_rollback(report_of(here, run_id), here.lake)
    start_if_confirmed(asked, here, plan, json.loads(plan.execution_input), yes=yes)


def reprocess(
    context: typer.Context,
    *,
    apps: Annotated[list[str] | None, list_option("--apps", "ID …", "Only these apps.", app_ids)] = None,
    reports: Reports = None,
    start: Annotated[datetime | None, date_option("--from", "First processing date.", not_too_early)] = None,
    end: Annotated[datetime | None, date_option("--to", "Last processing date.", not_before_all)] = None,
    run_id: Annotated[
        str | None,
        typer.Option("--run", metavar="RUN", help="Only instances that this run handled.", callback=run_named),
    ] = None,
    yes: Yes = False,
) -> None:
    """Convert raw files again, without calls to Apple: after a catalogue change or a quarantine."""
    asked: Asked = context.obj
    dates = (start.date() if start else None, end.date() if end else None)
    refuse_backwards(*dates)
    here = asked.installation()
    of_run = report_of(here, run_id)["run_id"] if run_id else None
    payload = reprocess_payload(apps or (), reports or (), *dates, of_run)
    wanted = parse_execution_input(payload, day_of(None))
    plan = plan_reprocess(payload, wanted, here.configuration, here.accounts, here.registry)
    start_if_confirmed(asked, here, plan, payload, yes=yes)


def refetch(
    context: typer.Context,
    *,
    apps: Annotated[list[str], list_option("--apps", "ID …", "The apps' Apple ids.", app_ids)],
    start: Annotated[datetime, date_option("--from", "First processing date.", not_too_early)],
    end: Annotated[datetime, date_option("--to", "Last processing date.", not_before_all)],
    reports: Reports = None,
    yes: Yes = False,
) -> None:
    """Download instances again that Apple still lists: after broken bytes. Shows the plan first."""
    asked: Asked = context.obj
    refuse_backwards(start.date(), end.date())
    payload = refetch_payload(apps, start.date(), end.date(), reports or ())
    wanted = parse_execution_input(payload, day_of(None))
    here = asked.installation()
    plan = plan_refetch(payload, wanted, here.configuration, here.accounts, here.registry)
    start_if_confirmed(asked, here, plan, payload, yes=yes)


def publish(
    context: typer.Context,
    *,
    tables: Annotated[list[str], list_option("--tables", "TABLE …", "The tables.")],
    start: Annotated[datetime, date_option("--from", "The first Date.")],
    end: Annotated[datetime, date_option("--to", "The last Date.")],
    yes: Yes = False,
) -> None:
    """Mark Dates dirty, so that the next run publishes and verifies them again. Shows the Dates first."""
    asked: Asked = context.obj
    refuse_backwards(start.date(), end.date())
    here = asked.installation()
    chosen = tables_of(here, tables)
    plan = plan_publish(chosen, start.date(), end.date(), here.registry, here.lake)
    require_consent(asked, plan, "Mark them?", "Nothing was marked. Pass --yes to mark them.", yes=yes)
    answer(asked, mark_planned(plan, chosen, here.registry, here.lake))


def rebuild_kpis(
    context: typer.Context,
    *,
    start: Annotated[datetime | None, date_option("--from", "The first Date; without it the oldest.")] = None,
    end: Annotated[datetime | None, date_option("--to", "The last Date; without it today.")] = None,
    yes: Yes = False,
) -> None:
    """Have the next run build KPIs again from the rows: all Dates at once, while daily runs build a few each."""
    asked: Asked = context.obj
    refuse_backwards(start.date() if start else None, day_of(end))
    here = asked.installation()
    chosen = [table for table in here.tables if amounts_of(table)]
    first = start.date() if start else min((table.first_date for table in chosen), default=date.min)
    plan = plan_publish(chosen, first, day_of(end), here.registry, here.lake)
    require_consent(asked, plan, "Mark them?", "Nothing was marked. Pass --yes to mark them.", yes=yes)
    answer(asked, mark_planned(plan, chosen, here.registry, here.lake))


def import_registry(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="production_request_registry.json")],
) -> None:
    """Import the report requests of an earlier pipeline; never replaces known ones."""
    asked: Asked = context.obj
    content = moving_in.read_file(file)
    answer(asked, moving_in.import_registry(file.name, content, asked.installation().registry, day_of(None)))

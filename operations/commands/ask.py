"""Questions about an installed pipeline; they change nothing."""

import csv
import sys
from datetime import datetime, timedelta
from typing import Annotated

import typer

from appstore_analytics.answers import freshness as freshness_answers
from appstore_analytics.answers import runs as run_answers
from appstore_analytics.answers import schema, verification
from appstore_analytics.answers import status as status_answers
from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.registry_statistics import registry_statistics
from appstore_analytics.answers.restatements import COLUMNS, rows
from operations import questions
from operations.commands.asked import Asked, answer, follow_run
from operations.exits import ExitStatus
from operations.options import (
    Apps,
    AsOf,
    Tables,
    date_option,
    day_of,
    no_later_than_today,
    not_before_all,
    not_too_early,
    refuse_backwards,
    run_named,
)
from operations.questions import accounts_of, app_ids_of, tables_of


def health(context: typer.Context, apps: Apps = None, as_of: AsOf = None) -> None:
    """Say in one sentence whether all is well, and if not, what needs attention, and from whom. With --app: why is this
    app missing?"""
    asked: Asked = context.obj
    answer(asked, questions.health(asked.installation(), apps, day_of(as_of)))


def run(
    context: typer.Context,
    run_id: Annotated[
        str, typer.Argument(metavar="RUN", help="A run's id, its beginning, or 'newest'.", callback=run_named)
    ],
    *,
    follow: Annotated[bool, typer.Option("--follow", help="Wait for its end and show its progress.")] = False,
) -> None:
    """Show one run: totals, apps by verdict, every error, links to the details."""
    asked: Asked = context.obj
    installation = asked.installation()
    if follow and (started := run_answers.find_execution(installation.pipeline, run_id)):
        follow_run(asked, installation, started)
        return
    answer(asked, questions.run(installation, run_id))


def runs(
    context: typer.Context,
    last: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 10,
) -> None:
    """List the newest runs and how they ended."""
    answer(context.obj, run_answers.list_runs(context.obj.installation().pipeline, last))


def status(context: typer.Context, apps: Apps = None, as_of: AsOf = None) -> None:
    """Show the state of every app's report requests: ready, not ready, stopped, forbidden …"""
    here = context.obj.installation()
    accounts = accounts_of(here, apps)
    answer(context.obj, status_answers.request_status(accounts, here.registry, here.lake, day_of(as_of)))


def freshness(
    context: typer.Context,
    apps: Apps = None,
    *,
    now: Annotated[bool, typer.Option("--now", help="Check first, instead of showing the last hourly check.")] = False,
) -> None:
    """Show the last hourly check: the tables of apps with missing data that is due, and why."""
    here = context.obj.installation()
    app_ids = app_ids_of(here, apps)
    if now:
        here.check_freshness()
    answer(context.obj, freshness_answers.freshness_report(here.lake, app_ids))


def gaps(
    context: typer.Context,
    apps: Apps = None,
    since: Annotated[datetime | None, date_option("--from", "Ignore earlier Dates.", no_later_than_today)] = None,
    as_of: AsOf = None,
) -> None:
    """Answer "is yesterday complete?": missing Dates, the days left to fetch them, and their repair."""
    first = since.date() if since else None
    answer(context.obj, questions.gaps(context.obj.installation(), apps, day_of(as_of), first))


def releases(
    context: typer.Context,
    apps: Apps = None,
    since: Annotated[datetime | None, date_option("--from", "Leave out earlier releases.", no_later_than_today)] = None,
) -> None:
    """Say when each version of an app was released: the day a run first saw it on sale, or inferred from sessions."""
    first = since.date() if since else None
    answer(context.obj, questions.releases(context.obj.installation(), apps, first))


def restatements(
    context: typer.Context,
    apps: Apps = None,
    start: Annotated[datetime | None, date_option("--from", "Default: 28 Dates.", not_too_early)] = None,
    end: Annotated[datetime | None, date_option("--to", "Default: yesterday.", not_before_all)] = None,
    *,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a row per number as CSV.")] = False,
) -> None:
    """Show final numbers that changed, before and now, and when: Apple restated them, or a person's run did."""
    asked: Asked = context.obj
    if as_csv and asked.as_json:
        raise Refused("--csv and --json cannot be given together.")
    first, last = (each.date() if each else None for each in (start, end))
    found = questions.restatements(asked.installation(), apps, first, last, day_of(None))
    if not as_csv:
        answer(asked, found)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows(found))


def verify(
    context: typer.Context,
    tables: Tables = None,
    apps: Apps = None,
    start: Annotated[datetime | None, date_option("--from", "Default: 7 days ago.", not_too_early)] = None,
    end: Annotated[datetime | None, date_option("--to", "Default: today.", not_before_all)] = None,
) -> None:
    """Count the published rows in Athena again, and compare them with the converted rows."""
    last = day_of(end)
    first = start.date() if start else last - timedelta(days=7)
    refuse_backwards(first, last)
    here = context.obj.installation()
    chosen = tables_of(here, tables)
    app_ids = app_ids_of(here, apps)
    answer(context.obj, verification.verify(chosen, first, last, here.lake, here.athena, app_ids))


def schema_verify(
    context: typer.Context,
    tables: Tables = None,
    apps: Apps = None,
    *,
    every_column: Annotated[bool, typer.Option("--all", help="Show the columns that agree as well.")] = False,
    patch_alone: Annotated[bool, typer.Option("--patch", help="Print the patch alone, for `git apply`.")] = False,
    as_of: AsOf = None,
) -> None:
    """Compare Apple's files, the catalogue, Glue and Parquet, column by column; print a patch for new columns."""
    here = context.obj.installation()
    app_ids = [app_id for one in accounts_of(here, apps) for app_id in one.app_ids]
    chosen = tables_of(here, tables)
    places = (here.registry, here.raw, here.lake, here.glue)
    found = schema.compare_schemas(chosen, app_ids, *places, day_of(as_of), every_column=every_column)
    if patch_alone:
        sys.stdout.write(found.patch)
        raise typer.Exit(ExitStatus.GOOD if found.is_good else ExitStatus.BAD)
    answer(context.obj, found)


def registry_stats(context: typer.Context, as_of: AsOf = None) -> None:
    """Count the registry's contents: requests, instances, dirty Dates, calls of the hour."""
    here = context.obj.installation()
    stands = status_answers.request_status(here.accounts, here.registry, here.lake, day_of(as_of))
    calls_per_hour = here.configuration.calls_per_hour
    answer(context.obj, registry_statistics(here.accounts, calls_per_hour, here.tables, here.registry, stands))


def list_apps(context: typer.Context, apps: Apps = None) -> None:
    """List the apps that are fetched, with their names, report requests and last verdicts."""
    answer(context.obj, questions.apps(context.obj.installation(), apps))

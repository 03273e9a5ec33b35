"""The command line: what can be asked, and how each command ends. The answers come from the package's `answers`."""

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from appstore_analytics.answers import apps as app_answers
from appstore_analytics.answers import freshness as freshness_answers
from appstore_analytics.answers import gaps as gap_answers
from appstore_analytics.answers import runs as run_answers
from appstore_analytics.answers import schema, verification
from appstore_analytics.answers import status as status_answers
from appstore_analytics.answers.backfill_plan import backfill_payload, plan_backfill
from appstore_analytics.answers.errors import Refused, Unreachable
from appstore_analytics.answers.executions import Started, new_name
from appstore_analytics.answers.facts import Facts
from appstore_analytics.answers.installation import Installation
from appstore_analytics.answers.publishing import mark_planned, plan_publish
from appstore_analytics.answers.registry_statistics import registry_statistics
from appstore_analytics.answers.repairs import plan_reprocess, plan_rollback, reprocess_payload
from appstore_analytics.contract.errors import InputRefused, PipelineError
from appstore_analytics.contract.names import STACK
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.rules.execution_input import parse_execution_input
from operations import aws_errors, doctor, moving_in, screens
from operations.arguments import arranged
from operations.exits import ExitStatus
from operations.options import (
    AsOf,
    Reports,
    RunAsOf,
    Tables,
    Yes,
    date_option,
    day_of,
    list_option,
    not_before_all,
    not_too_early,
    refuse_empty,
)
from operations.progress import run_view
from operations.put_key import key_id_of, put_key, read_key_file, secret_text
from operations.where import Where

app = typer.Typer(
    name="manage.py",
    help="""Ask and run the installed pipeline, on AWS or (--local) on the embedded AWS.

The options below may stand before or after the command. Exit status: 0 all is well, 1 what was asked about is not well
(a failed run, late data, gaps, drift), 2 the question makes no sense, 3 AWS cannot be asked.""",
    epilog="docs/manage.md has an example of every command.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}|arn:aws[a-z-]*:cloudformation:[!-~]+", re.ASCII)

SET_UP, RUN, ASK, REPAIR = "Set up", "Run", "Ask", "Repair and move in"


@dataclass
class _Asked:
    """The options that every command has."""

    where: Where
    as_json: bool

    def installation(self) -> Installation:
        return self.where.open()


@app.callback()
def _options(
    context: typer.Context,
    *,
    local: Annotated[bool, typer.Option("--local", help="The embedded AWS that is running on this machine.")] = False,
    profile: Annotated[str | None, typer.Option(help="A profile of your AWS configuration.")] = None,
    region: Annotated[str | None, typer.Option(help="The AWS region of the stack.")] = None,
    stack: Annotated[str, typer.Option(help="The CloudFormation stack.")] = STACK,
    as_json: Annotated[bool, typer.Option("--json", help="Print the same facts as JSON.")] = False,
) -> None:
    refuse_empty(profile=profile, region=region)
    if not _STACK_NAME.fullmatch(stack):
        raise Refused(f"--stack must be the name of a CloudFormation stack, such as {STACK}.")
    context.obj = _Asked(Where(local, profile, region, stack), as_json)


@app.command("doctor", rich_help_panel=SET_UP)
def find_faults(context: typer.Context) -> None:
    """Say what stands in the way of a deployment or a run: credentials, quotas, names, keys. Changes nothing."""
    where = context.obj.where
    _answer(context.obj, doctor.examine(where.connect(), where.stack, doctor.configured(), datetime.now(UTC)))


@app.command("put-key", rich_help_panel=SET_UP)
def put_api_key(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="Apple's .p8 file; - reads standard input.")],
    *,
    account: Annotated[str, typer.Option(help="The account in cdk.json.")] = "main",
    reader: Annotated[bool, typer.Option("--reader", help="The account's second key, which only reads.")] = False,
    key_id: Annotated[str | None, typer.Option(help="Default: from the file's name, AuthKey_<key id>.p8.")] = None,
    issuer_id: Annotated[str | None, typer.Option(help="Of a team key. Leave it out for an individual key.")] = None,
) -> None:
    """Put an API key of App Store Connect into its secret, checked first and never shown."""
    here = context.obj.installation()
    secret = here.api_key_secret(f"{account}/reader" if reader else account)
    identity = key_id_of(file, key_id)
    text = secret_text(identity, issuer_id, read_key_file(file), file)
    _answer(context.obj, put_key(here.secrets_manager, secret, text, identity, issuer_id))


@app.command(rich_help_panel=RUN)
def daily(context: typer.Context, as_of: RunAsOf = None) -> None:
    """Start a daily run and follow it to its end."""
    payload = {"operation": Operation.DAILY.value} | ({"as_of": day_of(as_of).isoformat()} if as_of else {})
    _start(context.obj, context.obj.installation(), payload)


@app.command(rich_help_panel=RUN)
def backfill(
    context: typer.Context,
    *,
    app_ids: Annotated[list[str], list_option("--apps", "ID …", "The apps' Apple ids.")],
    start: Annotated[datetime, date_option("--from", "The first Date; before Apple's history it means all of it.")],
    end: Annotated[datetime, date_option("--to", "The last Date.", not_before_all)],
    reports: Reports = None,
    as_of: RunAsOf = None,
    yes: Yes = False,
) -> None:
    """Fetch history from a snapshot. Shows the plan first: requests, quota, calls, rows, cost."""
    asked: _Asked = context.obj
    here = asked.installation()
    day = day_of(as_of) if as_of else None
    payload = backfill_payload(app_ids, start.date(), end.date(), reports or (), day)
    wanted = parse_execution_input(payload, day_of(None))
    plan = plan_backfill(payload, wanted, here.configuration, here.accounts, here.registry, here.lake)
    _if_confirmed(asked, here, plan, payload, yes=yes)


@app.command("run", rich_help_panel=ASK)
def run(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="A run's id, its beginning, or 'newest'.")],
    *,
    follow: Annotated[bool, typer.Option("--follow", help="Wait for its end and show its progress.")] = False,
) -> None:
    """Show one run: totals, apps by verdict, every error, where to look further."""
    asked: _Asked = context.obj
    installation = asked.installation()
    if follow and (started := run_answers.find_execution(installation.pipeline, run_id)):
        _follow(asked, installation, started)
        return
    _answer(asked, run_answers.show_run(installation.pipeline, run_id, _console_region(installation)))


@app.command(rich_help_panel=ASK)
def runs(
    context: typer.Context,
    last: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 10,
) -> None:
    """List the newest runs and how they ended."""
    _answer(context.obj, run_answers.list_runs(context.obj.installation().pipeline, last))


@app.command(rich_help_panel=ASK)
def status(context: typer.Context, as_of: AsOf = None) -> None:
    """Say for every app how its report requests stand: ready, not ready, stopped, forbidden …"""
    here = context.obj.installation()
    _answer(context.obj, status_answers.request_status(here.accounts, here.registry, here.lake, day_of(as_of)))


@app.command(rich_help_panel=ASK)
def freshness(context: typer.Context) -> None:
    """Show the last hourly check: which tables of which apps lack data that is due, and why."""
    _answer(context.obj, freshness_answers.freshness_report(context.obj.installation().lake))


@app.command(rich_help_panel=ASK)
def gaps(
    context: typer.Context,
    since: Annotated[datetime | None, date_option("--from", "Ignore earlier Dates.", not_too_early)] = None,
    as_of: AsOf = None,
) -> None:
    """Answer "is yesterday complete?": missing Dates, the days left to fetch them, and what repairs them."""
    here = context.obj.installation()
    first = since.date() if since else None
    found = gap_answers.find_gaps(here.accounts, here.tables, here.registry, here.lake, day_of(as_of), first)
    _answer(context.obj, found)


@app.command(rich_help_panel=ASK)
def verify(
    context: typer.Context,
    tables: Tables = None,
    start: Annotated[datetime | None, date_option("--from", "Default: 7 days ago.", not_too_early)] = None,
    end: Annotated[datetime | None, date_option("--to", "Default: today.", not_before_all)] = None,
) -> None:
    """Let Athena count again what stands published, and compare it with what was converted."""
    last = day_of(end)
    first = start.date() if start else last - timedelta(days=7)
    if first > last:
        raise Refused(f"--from must not be after --to, {last.isoformat()}.")
    here = context.obj.installation()
    chosen = _tables(here, tables)
    _answer(context.obj, verification.verify(chosen, first, last, here.lake, here.athena))


@app.command("schema-verify", rich_help_panel=ASK)
def schema_verify(
    context: typer.Context,
    tables: Tables = None,
    *,
    every_column: Annotated[bool, typer.Option("--all", help="Show the columns that agree as well.")] = False,
    patch_alone: Annotated[bool, typer.Option("--patch", help="Print the patch alone, for `git apply`.")] = False,
    as_of: AsOf = None,
) -> None:
    """Compare Apple's files, the catalogue, Glue and Parquet, column by column; print a patch for new columns."""
    here = context.obj.installation()
    app_ids = [app_id for one in here.accounts for app_id in one.app_ids]
    chosen = _tables(here, tables)
    places = (here.registry, here.raw, here.lake, here.glue)
    found = schema.compare_schemas(chosen, app_ids, *places, day_of(as_of), every_column=every_column)
    if patch_alone:
        sys.stdout.write(found.patch)
        raise typer.Exit(ExitStatus.GOOD if found.is_good else ExitStatus.BAD)
    _answer(context.obj, found)


@app.command("registry-stats", rich_help_panel=ASK)
def registry_stats(context: typer.Context, as_of: AsOf = None) -> None:
    """Count what the registry holds: requests, instances, dirty Dates, calls of the hour."""
    here = context.obj.installation()
    stands = status_answers.request_status(here.accounts, here.registry, here.lake, day_of(as_of))
    calls_per_hour = here.configuration.calls_per_hour
    _answer(context.obj, registry_statistics(here.accounts, calls_per_hour, here.tables, here.registry, stands))


@app.command(rich_help_panel=ASK)
def apps(context: typer.Context) -> None:
    """List the apps that are fetched, with their report requests and last verdicts."""
    here = context.obj.installation()
    _answer(context.obj, app_answers.list_apps(here.configuration, here.accounts, here.registry, here.lake))


@app.command(rich_help_panel=REPAIR)
def rollback(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run to take back: its id, or its beginning.")],
    *,
    yes: Yes = False,
) -> None:
    """Put back what stood in the tables before a run. Shows first what it will touch."""
    asked: _Asked = context.obj
    here = asked.installation()
    plan = plan_rollback(_report_of(here, run_id), here.lake)
    _if_confirmed(asked, here, plan, json.loads(plan.execution_input), yes=yes)


@app.command(rich_help_panel=REPAIR)
def reprocess(
    context: typer.Context,
    *,
    app_ids: Annotated[list[str] | None, list_option("--apps", "ID …", "Only these apps.")] = None,
    reports: Reports = None,
    start: Annotated[datetime | None, date_option("--from", "First processing date.", not_too_early)] = None,
    end: Annotated[datetime | None, date_option("--to", "Last processing date.", not_before_all)] = None,
    run_id: Annotated[str | None, typer.Option("--run", metavar="RUN", help="Only what this run handled.")] = None,
    yes: Yes = False,
) -> None:
    """Convert raw files again, without asking Apple: after a new catalogue, or a quarantine."""
    asked: _Asked = context.obj
    here = asked.installation()
    dates = (start.date() if start else None, end.date() if end else None)
    of_run = _report_of(here, run_id)["run_id"] if run_id else None
    payload = reprocess_payload(app_ids or (), reports or (), *dates, of_run)
    wanted = parse_execution_input(payload, day_of(None))
    plan = plan_reprocess(payload, wanted, here.configuration, here.accounts, here.registry)
    _if_confirmed(asked, here, plan, payload, yes=yes)


@app.command(rich_help_panel=REPAIR)
def publish(
    context: typer.Context,
    *,
    tables: Annotated[list[str], list_option("--tables", "TABLE …", "The tables.")],
    start: Annotated[datetime, date_option("--from", "The first Date.")],
    end: Annotated[datetime, date_option("--to", "The last Date.")],
    yes: Yes = False,
) -> None:
    """Mark Dates dirty, so that the next run publishes and verifies them again. Shows first which."""
    asked: _Asked = context.obj
    here = asked.installation()
    chosen = _tables(here, tables)
    plan = plan_publish(chosen, start.date(), end.date(), here.registry, here.lake)
    _require_consent(asked, plan, "Mark them?", "Nothing was marked. Pass --yes to mark them.", yes=yes)
    _answer(asked, mark_planned(plan, chosen, here.registry, here.lake))


@app.command("import-registry", rich_help_panel=REPAIR)
def import_registry(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="production_request_registry.json")],
) -> None:
    """Take over the report requests of an earlier pipeline; never replaces what is known here."""
    asked: _Asked = context.obj
    _answer(asked, moving_in.import_registry(file, asked.installation().registry, day_of(None)))


def _tables(installation: Installation, names: Sequence[str] | None) -> list[CuratedTable]:
    """The deployed tables of these names, or all."""
    deployed = {name: table for table in installation.tables for name in table.names}
    for name in names or ():
        if name not in deployed:
            raise Refused(f"There is no deployed table '{name}': docs/reports.md lists those that can be.")
    return list(dict.fromkeys(deployed[name] for name in names or deployed))


def _report_of(installation: Installation, run_id: str) -> dict[str, Any]:
    """The report of the run whose id begins so."""
    found = run_answers.find_report(installation.lake, run_id)
    if found is None:
        raise Refused(f"There is no report of a run '{run_id}': ./manage.py runs lists them.")
    return found[1]


def _if_confirmed(
    asked: _Asked, installation: Installation, plan: Facts, payload: dict[str, Any], *, yes: bool
) -> None:
    """Show the plan, and start it only with --yes, or when the person at the terminal says so."""
    _require_consent(asked, plan, "Start it?", "Nothing was started. Pass --yes to start it.", yes=yes)
    _start(asked, installation, payload)


def _require_consent(asked: _Asked, plan: Facts, question: str, otherwise: str, *, yes: bool) -> None:
    """Show the plan, and end the command here without --yes or the word of the person at the terminal."""
    if not (yes and asked.as_json):  # with both, the answer is the run's
        screens.show(plan, as_json=asked.as_json)
    if not yes and (asked.as_json or not sys.stdin.isatty() or not _confirmed(question)):
        screens.say(screens.console(stderr=True), otherwise)
        raise typer.Exit(ExitStatus.GOOD if plan.is_good else ExitStatus.BAD)


def _confirmed(question: str) -> bool:
    """What the person at the terminal says; whoever ends the input, or the command, has not said yes."""
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:
        return False


def _start(asked: _Asked, installation: Installation, payload: dict[str, Any]) -> None:
    _follow(asked, installation, installation.pipeline.start(new_name(str(payload["operation"])), payload))


def _follow(asked: _Asked, installation: Installation, started: Started) -> None:
    """Show the run while it goes on, then its report. Ctrl-C ends the watching, not the run."""
    progress = screens.console(stderr=True)
    screens.say(progress, f"Run {started.run_id}", style="bold")
    try:
        with run_view(progress) as view:
            execution = installation.pipeline.follow(started, view.show)
    except KeyboardInterrupt:
        screens.say(progress, f"The run goes on. Follow it again: ./manage.py run {started.run_id} --follow")
        raise typer.Exit(ExitStatus.INTERRUPTED) from None
    region = _console_region(installation)
    _answer(asked, run_answers.details_of(execution, started, installation.pipeline, region))


def _answer(asked: _Asked, facts: Facts) -> None:
    screens.show(facts, as_json=asked.as_json)
    raise typer.Exit(ExitStatus.GOOD if facts.is_good else ExitStatus.BAD)


def _console_region(installation: Installation) -> str | None:
    return None if installation.is_local else installation.region


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end with its exit status; every expected trouble is one sentence on standard error."""
    try:
        app(arranged(sys.argv[1:] if arguments is None else arguments))
    except (Refused, InputRefused) as error:
        _give_up(str(error), ExitStatus.REFUSED)
    except (Unreachable, PipelineError) as error:
        _give_up(str(error), ExitStatus.UNREACHABLE)
    except (BotoCoreError, ClientError) as error:
        _give_up(aws_errors.sentence(error), ExitStatus.UNREACHABLE)


def _give_up(sentence: str, status: ExitStatus) -> None:
    screens.say(screens.console(stderr=True), sentence, style="red")
    sys.exit(status)

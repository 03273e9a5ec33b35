"""The command line: every command in its panel of the help. The answers come from the package's `answers`."""

import re
import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from appstore_analytics.answers.errors import Refused, Unreachable
from appstore_analytics.contract.errors import InputRefused, PipelineError
from appstore_analytics.contract.names import STACK
from operations import aws_errors, screens
from operations.arguments import arranged
from operations.commands import agents, ask, export_console, first_screen, kpis, repair, run, set_up, sql, users
from operations.commands.asked import Asked
from operations.exits import ExitStatus
from operations.options import refuse_empty
from operations.where import Where, configured_stack

app = typer.Typer(
    name="manage.py",
    help="""Query and run the installed pipeline, on AWS or (--local) on the embedded AWS.

You can put the options below before or after the command. Exit status: 0 no problem found, 1 problem found (a failed
run, late data, gaps, drift), 2 invalid request, 3 AWS cannot be reached.""",
    epilog="docs/manage.md has an example of every command.",
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

PANELS: dict[str, dict[str, Callable[..., None]]] = {
    "Set up": {
        "doctor": set_up.find_faults,
        "put-key": set_up.put_api_key,
        "adopt": set_up.find_left_behind,
    },
    "Run": {
        "daily": run.daily,
        "backfill": run.backfill,
    },
    "Ask": {
        "health": ask.health,
        "kpis": kpis.kpis,
        "run": ask.run,
        "runs": ask.runs,
        "status": ask.status,
        "freshness": ask.freshness,
        "gaps": ask.gaps,
        "releases": ask.releases,
        "restatements": ask.restatements,
        "verify": ask.verify,
        "sql": sql.ask_athena,
        "schema-verify": ask.schema_verify,
        "registry-stats": ask.registry_stats,
        "apps": ask.list_apps,
        "mcp": agents.mcp,
    },
    "Repair and move in": {
        "rollback": repair.rollback,
        "reprocess": repair.reprocess,
        "refetch": repair.refetch,
        "publish": repair.publish,
        "rebuild-kpis": repair.rebuild_kpis,
        "import-registry": repair.import_registry,
    },
    "Web console": {
        "token": users.token,
        "export-console": export_console.export_console,
    },
}
for _panel, _commands in PANELS.items():
    for _name, _command in _commands.items():
        app.command(_name, rich_help_panel=_panel)(_command)
app.add_typer(users.app, name="users", rich_help_panel="Web console")

_STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}|arn:aws[a-z-]*:cloudformation:[!-~]+", re.ASCII)


@app.callback()
def _options(
    context: typer.Context,
    *,
    local: Annotated[bool, typer.Option("--local", help="The embedded AWS that is running on this machine.")] = False,
    profile: Annotated[str | None, typer.Option(help="A profile of your AWS configuration.")] = None,
    region: Annotated[str | None, typer.Option(help="The AWS region of the stack.")] = None,
    stack: Annotated[str | None, typer.Option(help="The CloudFormation stack. Default: that of cdk.json.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the same facts as JSON.")] = False,
) -> None:
    refuse_empty(profile=profile, region=region)
    stack = configured_stack() if stack is None else stack
    if not _STACK_NAME.fullmatch(stack):
        raise Refused(f"--stack must be the name of a CloudFormation stack, such as {STACK}.")
    context.obj = Asked(Where(local, profile, region, stack), as_json)
    if context.invoked_subcommand is None:
        first_screen.show(context)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its status; every expected error is one sentence on standard error."""
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

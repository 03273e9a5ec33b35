"""The answer to no command at all: is the pipeline well, and which commands there are."""

from collections.abc import Sequence
from datetime import date

import typer
from botocore.exceptions import BotoCoreError, ClientError

from appstore_analytics.answers.errors import NoAnswer, Refused
from appstore_analytics.answers.facts import Facts
from appstore_analytics.answers.health import Looked, look, not_fetched
from appstore_analytics.answers.installation import Installation
from appstore_analytics.model.remembered import Remembered
from appstore_analytics.wiring.clock import utc_now
from operations import aws_errors, screens
from operations.commands.asked import Asked, accounts_of
from operations.exits import ExitStatus
from operations.options import day_of


def health_of(installation: Installation, apps: Sequence[str] | None, as_of: date) -> Facts:
    """The state of the installation, or of these apps; an unknown app gets an answer too."""
    try:
        accounts = accounts_of(installation, apps)
    except Refused:
        known = {*installation.app_names.values(), *(id_ for one in installation.accounts for id_ in one.app_ids)}
        return not_fetched(next(app for app in apps or () if app not in known), as_of)
    at = Looked(accounts, installation.tables, installation.app_names)
    return look(installation.pipeline, at, as_of, utc_now(), Remembered(0), detailed=bool(apps))


def show(context: typer.Context) -> None:
    """Show the health, and after it the help; where AWS cannot be asked the help after the sentence that says why."""
    asked: Asked = context.obj
    out = screens.console()
    status = ExitStatus.GOOD
    try:
        found = health_of(asked.installation(), None, day_of(None))
        screens.show(found, as_json=asked.as_json)
        status = ExitStatus.GOOD if found.is_good else ExitStatus.BAD
    except NoAnswer as error:
        screens.say(out, f"No pipeline to look at: {error}", style="yellow")
    except (BotoCoreError, ClientError) as error:
        screens.say(out, f"No pipeline to look at: {aws_errors.sentence(error)}", style="yellow")
    if not asked.as_json:
        out.print(context.get_help(), markup=False, soft_wrap=True)
    raise typer.Exit(status)

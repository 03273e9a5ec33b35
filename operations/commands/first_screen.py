"""The answer without a command: whether the pipeline is well, and the list of commands."""

import typer
from botocore.exceptions import BotoCoreError, ClientError

from appstore_analytics.answers.errors import NoAnswer
from operations import aws_errors, questions, screens
from operations.commands.asked import Asked
from operations.exits import ExitStatus
from operations.options import day_of


def show(context: typer.Context) -> None:
    """Show the health, then the help; if AWS cannot be asked, one sentence with the reason, then the help."""
    asked: Asked = context.obj
    out = screens.console()
    status = ExitStatus.GOOD
    try:
        found = questions.health(asked.installation(), None, day_of(None))
        screens.show(found, as_json=asked.as_json)
        status = ExitStatus.GOOD if found.is_good else ExitStatus.BAD
    except NoAnswer as error:
        screens.say(out, f"No pipeline to look at: {error}", style="yellow")
    except (BotoCoreError, ClientError) as error:
        screens.say(out, f"No pipeline to look at: {aws_errors.sentence(error)}", style="yellow")
    if not asked.as_json:
        out.print(context.get_help(), markup=False, soft_wrap=True)
    raise typer.Exit(status)

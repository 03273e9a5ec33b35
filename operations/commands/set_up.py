"""Commands before the first run: checks and keys."""

from pathlib import Path
from typing import Annotated

import typer

from appstore_analytics.answers.errors import Refused
from appstore_analytics.wiring.clock import utc_now
from operations import doctor
from operations.commands.asked import answer
from operations.left_behind import adopt
from operations.put_key import key_id_of, put_key, read_key_file, secret_text
from operations.where import console_stack_of


def find_faults(context: typer.Context) -> None:
    """Check what would make a deployment or a run fail: credentials, quotas, names, keys. Changes nothing."""
    where = context.obj.where
    answer(context.obj, doctor.examine(where.connect(), where.stack, doctor.configured(where.stack), utc_now()))


def find_left_behind(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file to write the resource mapping to.")] = Path("adopt.json"),
    *,
    registry: Annotated[str | None, typer.Option(help="A restored table to import instead.")] = None,
    console: Annotated[bool, typer.Option("--console", help="What the web console's stack has left.")] = False,
) -> None:
    """Find what a destroyed stack has left, for `cdk import`: buckets, registry, secrets; with --console users and
    their data. Changes nothing on AWS.
    """
    where = context.obj.where
    if console and registry:
        raise Refused("--registry names a table of the pipeline's stack: leave it out, or --console.")
    stack = console_stack_of(where.stack) if console else where.stack
    answer(context.obj, adopt(where.connect().cloudformation, stack, file, registry))


def put_api_key(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="Apple's .p8 file; - reads standard input.")],
    *,
    account: Annotated[str, typer.Option(help="The account in cdk.json.")] = "main",
    reader: Annotated[bool, typer.Option("--reader", help="The account's second key, which only reads.")] = False,
    key_id: Annotated[str | None, typer.Option(help="Default: from the file's name, AuthKey_<key id>.p8.")] = None,
    issuer_id: Annotated[str | None, typer.Option(help="Only for a team key, not for an individual key.")] = None,
) -> None:
    """Store an API key of App Store Connect in its secret. It is checked first and never shown."""
    identity = key_id_of(file, key_id)
    text = secret_text(identity, issuer_id, read_key_file(file), file)
    here = context.obj.installation()
    secret = here.api_key_secret(f"{account}/reader" if reader else account)
    answer(context.obj, put_key(here.secrets_manager, secret, text, identity, issuer_id))

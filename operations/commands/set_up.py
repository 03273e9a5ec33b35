"""Before the first run: what stands in the way, and the keys."""

from pathlib import Path
from typing import Annotated

import typer

from appstore_analytics.wiring.clock import utc_now
from operations import doctor
from operations.commands.asked import answer
from operations.left_behind import adopt
from operations.put_key import key_id_of, put_key, read_key_file, secret_text


def find_faults(context: typer.Context) -> None:
    """Say what stands in the way of a deployment or a run: credentials, quotas, names, keys. Changes nothing."""
    where = context.obj.where
    answer(context.obj, doctor.examine(where.connect(), where.stack, doctor.configured(where.stack), utc_now()))


def find_left_behind(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where to write what `cdk import` needs.")] = Path("adopt.json"),
    *,
    registry: Annotated[str | None, typer.Option(help="A restored table in place of the one that is left.")] = None,
) -> None:
    """Find what a destroyed stack has left, so that a new one can take it back. Changes nothing on AWS."""
    where = context.obj.where
    answer(context.obj, adopt(where.connect().cloudformation, where.stack, file, registry))


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
    identity = key_id_of(file, key_id)
    text = secret_text(identity, issuer_id, read_key_file(file), file)
    here = context.obj.installation()
    secret = here.api_key_secret(f"{account}/reader" if reader else account)
    answer(context.obj, put_key(here.secrets_manager, secret, text, identity, issuer_id))

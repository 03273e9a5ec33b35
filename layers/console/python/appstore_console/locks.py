"""A lock in the console's table: of several callers one proceeds, and the others get an error."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Attr
from botocore.exceptions import ClientError

from appstore_analytics.model.clock import Clock
from appstore_analytics.registry.conditions import is_condition_failure
from appstore_console.console_table import lock_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

LONGEST = timedelta(seconds=60)
"""The lock expires after this time if its function dies; the function itself times out after 30 seconds."""


class LockTaken(Exception):
    """The lock is held by someone else."""


@contextmanager
def locked(table: "Table", clock: Clock, name: str) -> Iterator[None]:
    """Hold the lock until the end of the block; LockTaken at once if it is held."""
    holder = secrets.token_hex(8)
    now = clock()
    free = Attr("pk").not_exists() | Attr("expires_at").lte(int(now.timestamp()))
    try:
        table.put_item(
            Item={**lock_key(name), "holder": holder, "expires_at": int((now + LONGEST).timestamp())},
            ConditionExpression=free,
        )
    except ClientError as error:
        if is_condition_failure(error):
            raise LockTaken(name) from None
        raise
    try:
        yield
    finally:
        _let_go(table, name, holder)


def _let_go(table: "Table", name: str, holder: str) -> None:
    """Does not release a lock that was taken over after it expired."""
    try:
        table.delete_item(Key=lock_key(name), ConditionExpression=Attr("holder").eq(holder))
    except ClientError as error:
        if not is_condition_failure(error):
            raise

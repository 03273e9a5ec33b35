"""One-time tickets for the live page.

A browser can send a token with a WebSocket only in the URL, where it would be logged. So a signed-in page gets a ticket
from the API, and sends it as a WebSocket subprotocol. A ticket is valid for 30 seconds and one connection. Only its
hash is stored.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Attr
from botocore.exceptions import ClientError

from appstore_analytics.model.clock import Clock
from appstore_analytics.registry.conditions import is_condition_failure
from appstore_console.console_table import ticket_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

LIFETIME = timedelta(seconds=30)
_BYTES = 32


@dataclass(frozen=True, slots=True)
class Holder:
    """The holder of a ticket and the visible apps; None means every app, and an empty tuple none."""

    user_id: str
    app_ids: tuple[str, ...] | None


def issue(table: "Table", clock: Clock, holder: Holder) -> str:
    """A new ticket for this person. Every call makes another one; all are valid until they expire."""
    ticket = secrets.token_urlsafe(_BYTES)
    table.put_item(
        Item={
            **ticket_key(_digest(ticket)),
            "user_id": holder.user_id,
            "app_ids": None if holder.app_ids is None else list(holder.app_ids),
            "expires_at": int((clock() + LIFETIME).timestamp()),
        }
    )
    return ticket


def redeem(table: "Table", clock: Clock, ticket: str) -> Holder | None:
    """Use up a ticket and return its holder; None if it is unknown, used or expired."""
    now = int(clock().timestamp())
    try:
        # DynamoDB deletes expired items only within days, so the condition checks the expiry.
        gone = table.delete_item(
            Key=ticket_key(_digest(ticket)),
            ConditionExpression=Attr("expires_at").gt(now),
            ReturnValues="ALL_OLD",
        )["Attributes"]
    except ClientError as error:
        if is_condition_failure(error):
            return None
        raise
    app_ids = gone["app_ids"]
    return Holder(str(gone["user_id"]), None if app_ids is None else tuple(map(str, app_ids)))  # type: ignore[arg-type]


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()

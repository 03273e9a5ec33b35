"""The open connections of live pages, in the console's table."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key

from appstore_analytics.model.clock import Clock
from appstore_analytics.registry.queries import query_items
from appstore_console.console_table import LIVE_PARTITION, connection_id_of, connection_key
from appstore_console.tickets import Holder

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

LIFETIME = timedelta(minutes=10)
"""The life of an access token, so that a person who was disabled or lost a grant gets no nudges after it."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection and the apps for which it gets nudges. An expired one is closed: the page takes a new ticket."""

    connection_id: str
    holder: Holder
    has_expired: bool

    def may_hear(self, app_ids: frozenset[str]) -> bool:
        """Whether a change of these apps is sent here; a change of no particular app only to people who see all."""
        granted = self.holder.app_ids
        return granted is None or not app_ids.isdisjoint(granted)


class Connections:
    """The table of open connections. Adding one twice, or removing a missing one, changes nothing."""

    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def add(self, connection_id: str, holder: Holder) -> None:
        """Register this connection with the rights of its ticket."""
        self._table.put_item(
            Item={
                **connection_key(connection_id),
                "user_id": holder.user_id,
                "app_ids": None if holder.app_ids is None else list(holder.app_ids),
                "expires_at": int((self._clock() + LIFETIME).timestamp()),
            }
        )

    def remove(self, connection_id: str) -> None:
        """Remove a closed connection."""
        self._table.delete_item(Key=connection_key(connection_id))

    def all(self) -> Iterator[Connection]:
        """Every connection that was not removed, including expired ones."""
        now = self._clock().timestamp()
        for item in query_items(self._table, Key("pk").eq(LIVE_PARTITION)):
            yield Connection(connection_id_of(item), _holder(item), float(item["expires_at"]) <= now)


def _holder(item: dict[str, Any]) -> Holder:
    app_ids = item["app_ids"]
    return Holder(item["user_id"], None if app_ids is None else tuple(app_ids))

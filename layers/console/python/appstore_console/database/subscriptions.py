"""The subscriptions of the weekly digest, with their apps."""

import json
from collections.abc import Sequence
from typing import Any

from pg8000.native import Connection

from appstore_console.database.connection import Database
from appstore_console.database.statements import Rows, id_of, statement
from appstore_console.facts import Subscription

CHANNEL_ITSELF = "slack"
"""The `user_id` of the Slack channel's subscription: there is one channel, so there is one row, for all admins."""

_EVERY = """
    SELECT s.subscription_id, s.channel, s.user_id, s.app_ids, s.created_at,
        (SELECT max(d.week) FROM console.digests_sent d WHERE d.subscription_id = s.subscription_id)
    FROM console.subscriptions s
    ORDER BY s.created_at, s.subscription_id
"""
_OF = """
    SELECT s.subscription_id, s.channel, s.user_id, s.app_ids, s.created_at,
        (SELECT max(d.week) FROM console.digests_sent d WHERE d.subscription_id = s.subscription_id)
    FROM console.subscriptions s
    WHERE s.user_id = :user_id AND s.channel = COALESCE(CAST(:channel AS text), s.channel)
"""
_REMOVE = """
    DELETE FROM console.subscriptions
    WHERE subscription_id = :subscription_id AND user_id = COALESCE(CAST(:user_id AS text), user_id)
    RETURNING subscription_id
"""
_SET = """
    INSERT INTO console.subscriptions (channel, user_id, app_ids)
    VALUES (:channel, :user_id, CAST(:app_ids AS text))
    ON CONFLICT (user_id, channel) DO UPDATE SET app_ids = excluded.app_ids
"""


class StoredSubscriptions:
    """The table `console.subscriptions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def every(self) -> tuple[Subscription, ...]:
        """All subscriptions, oldest first."""
        return tuple(map(_subscription, self._database.run(statement(_EVERY))))

    def of(self, user_id: str) -> tuple[Subscription, ...]:
        """One person's subscription."""
        return tuple(map(_subscription, self._database.run(statement(_OF, user_id=user_id, channel=None))))

    def subscribe(self, user_id: str, channel: str, app_ids: Sequence[str] | None) -> Subscription:
        """Subscribe a person, or the channel, with these apps; a second call changes the apps."""
        named = None if app_ids is None else json.dumps(sorted(set(app_ids)))

        def write(connection: Connection) -> Rows:
            connection.run(_SET, user_id=user_id, channel=channel, app_ids=named)
            return statement(_OF, user_id=user_id, channel=channel)(connection)

        return _subscription(self._database.run(write)[0])

    def remove(self, subscription_id: str, user_id: str | None) -> bool:
        """End one subscription of this person, or of any if `user_id` is None. Returns whether there was one."""
        wanted = id_of(subscription_id)
        if wanted is None:
            return False
        return bool(self._database.run(statement(_REMOVE, subscription_id=wanted, user_id=user_id)))

    def forget(self, user_id: str) -> None:
        """Delete all subscriptions of one person."""
        self._database.run(statement("DELETE FROM console.subscriptions WHERE user_id = :user_id", user_id=user_id))


def _subscription(row: list[Any]) -> Subscription:
    subscription_id, channel, user_id, app_ids, created_at, week = row
    named = None if app_ids is None else tuple(json.loads(app_ids))
    return Subscription(
        str(subscription_id), channel, user_id, named, created_at, week.isoformat() if week is not None else ""
    )

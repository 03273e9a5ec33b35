"""The apps that limited people can see."""

from collections.abc import Iterable
from typing import Any

from pg8000.native import Connection

from appstore_console.database.connection import Database
from appstore_console.database.statements import id_of, statement
from appstore_console.facts import Grant

_OF = """
    SELECT grant_id, user_id, app_id, granted_by, granted_at FROM console.grants WHERE user_id = :user_id
    ORDER BY app_id
"""
_EVERY = """
    SELECT grant_id, user_id, app_id, granted_by, granted_at FROM console.grants
    ORDER BY user_id, app_id
"""
_REMOVE = """
    DELETE FROM console.grants WHERE grant_id = :grant_id
    RETURNING grant_id, user_id, app_id, granted_by, granted_at
"""
_ADD = """
    INSERT INTO console.grants (user_id, app_id, granted_by) VALUES (:user_id, :app_id, :granted_by)
    ON CONFLICT (user_id, app_id) DO NOTHING
"""


class StoredGrants:
    """The table `console.grants`. Only limited people have rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def granted(self, user_id: str) -> frozenset[str]:
        """The apps of one person."""
        return frozenset(grant.app_id for grant in self.of(user_id))

    def of(self, user_id: str) -> tuple[Grant, ...]:
        """The grants of one person, by app."""
        return tuple(map(_grant, self._database.run(statement(_OF, user_id=user_id))))

    def every(self) -> tuple[Grant, ...]:
        """All grants, by person and app."""
        return tuple(map(_grant, self._database.run(statement(_EVERY))))

    def add(self, user_id: str, app_ids: Iterable[str], granted_by: str) -> None:
        """Grant a person these apps in addition; a second call changes nothing."""
        wanted = sorted(set(app_ids))

        def write(connection: Connection) -> None:
            for app_id in wanted:
                connection.run(_ADD, user_id=user_id, app_id=app_id, granted_by=granted_by)

        self._database.run(write)

    def replace(self, user_id: str, app_ids: Iterable[str], granted_by: str) -> bool:
        """Grant a person exactly these apps. Returns whether any was revoked. A second call changes nothing."""
        wanted = frozenset(app_ids)

        def write(connection: Connection) -> bool:
            rows = connection.run("SELECT app_id FROM console.grants WHERE user_id = :user_id", user_id=user_id)
            before = {app_id for (app_id,) in rows}
            for app_id in sorted(before - wanted):
                sql = "DELETE FROM console.grants WHERE user_id = :user_id AND app_id = :app_id"
                connection.run(sql, user_id=user_id, app_id=app_id)
            for app_id in sorted(wanted - before):
                connection.run(_ADD, user_id=user_id, app_id=app_id, granted_by=granted_by)
            return bool(before - wanted)

        return self._database.run(write)

    def remove(self, grant_id: str) -> Grant | None:
        """Revoke a grant. Returns it, None if it does not exist."""
        wanted = id_of(grant_id)
        if wanted is None:
            return None
        return next(map(_grant, self._database.run(statement(_REMOVE, grant_id=wanted))), None)

    def forget(self, user_id: str) -> None:
        """Delete all grants of one person."""
        self._database.run(statement("DELETE FROM console.grants WHERE user_id = :user_id", user_id=user_id))


def _grant(row: list[Any]) -> Grant:
    grant_id, user_id, app_id, granted_by, granted_at = row
    return Grant(str(grant_id), user_id, app_id, granted_by, granted_at)

"""The digests that were sent in each week, so that a retry sends nothing twice."""

from datetime import date

from appstore_console.database.connection import Database
from appstore_console.database.statements import statement

_CLAIM = """
    INSERT INTO console.digests_sent (week, subscription_id) VALUES (:week, CAST(:subscription_id AS uuid))
    ON CONFLICT (week, subscription_id) DO NOTHING
    RETURNING subscription_id
"""
_RELEASE = """
    DELETE FROM console.digests_sent WHERE week = :week AND subscription_id = CAST(:subscription_id AS uuid)
"""


class StoredDigestsSent:
    """The table `console.digests_sent`. `week` is its Monday."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, week: date, subscription_id: str) -> bool:
        """Whether the caller claimed the digest and sends it; False for every later caller."""
        return bool(self._database.run(statement(_CLAIM, week=week, subscription_id=subscription_id)))

    def release(self, week: date, subscription_id: str) -> None:
        """Undo a claim after sending failed, so that the next try can send it."""
        self._database.run(statement(_RELEASE, week=week, subscription_id=subscription_id))

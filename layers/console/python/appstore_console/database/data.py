"""Application data: every table that a function uses, over its one connection."""

from dataclasses import dataclass
from typing import Self

from appstore_console.database.annotations import StoredAnnotations
from appstore_console.database.audit import StoredAudit
from appstore_console.database.connection import Database
from appstore_console.database.grants import StoredGrants
from appstore_console.database.subscriptions import StoredSubscriptions
from appstore_console.database.views import StoredViews


@dataclass(frozen=True, slots=True)
class ApplicationData:
    """The tables. DatabaseAway if PostgreSQL does not answer; what the function's database role cannot do fails."""

    grants: StoredGrants
    views: StoredViews
    annotations: StoredAnnotations
    subscriptions: StoredSubscriptions
    audit: StoredAudit

    @classmethod
    def over(cls, database: Database) -> Self:
        """The tables of this database."""
        return cls(
            StoredGrants(database),
            StoredViews(database),
            StoredAnnotations(database),
            StoredSubscriptions(database),
            StoredAudit(database),
        )

    def forget(self, user_id: str) -> None:
        """Delete a person's own data: grants, views, subscription. A second call does nothing.

        Their entries in the audit log and their annotations stay.
        """
        for stored in (self.grants, self.views, self.subscriptions):
            stored.forget(user_id)

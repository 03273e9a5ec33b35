"""What the console's functions answer from, opened once per process and reused while it is warm."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from appstore_analytics.answers.installation import Installation
from appstore_analytics.model.clock import Clock
from appstore_console.database.data import ApplicationData
from appstore_console.rights import Person

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

    from appstore_console.people import Accounts


@dataclass(frozen=True, slots=True)
class Desk:
    """What console_act alone holds: people, its table of plans and tickets, and the address that a ticket opens.

    `has_digests` says whether the weekly digest is deployed.
    """

    people: "Accounts"
    table: "Table"
    live_url: str
    has_digests: bool


@dataclass(frozen=True)
class Console:
    """The installed pipeline, application data, the one clock, and in console_act its desk."""

    installation: Installation
    data: ApplicationData
    clock: Clock
    desk: Desk | None = None

    def granted(self, person: Person) -> frozenset[str]:
        """The apps that a limited person may see; DatabaseAway where that cannot be told now."""
        return self.data.grants.granted(person.user_id)

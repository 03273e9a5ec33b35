"""The sources of the console's answers, opened once per process and reused while it is warm."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from appstore_analytics.answers.installation import Installation
from appstore_analytics.model.clock import Clock
from appstore_analytics.model.remembered import Remembered
from appstore_console.database.data import ApplicationData
from appstore_console.rights import Person

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

    from appstore_console.people import Accounts

_REOPENED_AFTER = timedelta(minutes=1)
"""A warm function keeps the apps, names and configuration that it has read for this time."""
_MOST_REMEMBERED = 4_000
_MOST_ANSWERS = 100
"""Each has up to a few hundred kB."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Resources of console_act only: users, the table of plans and tickets, and the URL of the live page.

    `has_digests` is whether the weekly digest is deployed.
    """

    people: "Accounts"
    table: "Table"
    live_url: str
    has_digests: bool


@dataclass
class Console:
    """The installed pipeline, application data, the clock, and in console_act its desk.

    `remembered` caches objects that never change, `answers` the newest answers by their versions, and `daily_schedule`
    is the cron expression that starts runs.
    """

    open_installation: Callable[[], Installation]
    data: ApplicationData
    clock: Clock
    daily_schedule: str = ""
    remembered: Remembered = field(default_factory=lambda: Remembered(_MOST_REMEMBERED))
    answers: Remembered = field(default_factory=lambda: Remembered(_MOST_ANSWERS))
    desk: Desk | None = None
    _opened: tuple[datetime, Installation] | None = None

    @property
    def installation(self) -> Installation:
        """The installed pipeline as it was less than a minute ago."""
        now = self.clock()
        if self._opened is None or now - self._opened[0] > _REOPENED_AFTER:
            self._opened = now, self.open_installation()
        return self._opened[1]

    def granted(self, person: Person) -> frozenset[str]:
        """The apps that a limited person can see; DatabaseAway if PostgreSQL is unavailable."""
        return self.data.grants.granted(person.user_id)

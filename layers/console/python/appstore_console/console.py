"""What the console's functions answer from, opened once per process and reused while it is warm."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from appstore_analytics.answers.installation import Installation
from appstore_analytics.model.clock import Clock
from appstore_analytics.model.remembered import Remembered
from appstore_console.rights import Person

_REOPENED_AFTER = timedelta(minutes=1)
"""So long a warm function goes on with the apps, names and configuration that it has read."""
_MOST_REMEMBERED = 4_000


class GrantedApps(Protocol):
    """Where it is known which apps a limited person may see."""

    def granted(self, user_id: str) -> frozenset[str]:
        """Their ids; DatabaseAway where that cannot be told now."""


class Data(Protocol):
    """Application data, as far as every function needs it."""

    @property
    def grants(self) -> GrantedApps:
        """Which limited person may see which apps."""


@dataclass
class Console:
    """The installed pipeline, application data, and the one clock.

    `remembered` holds what was read of objects that do not change, and `daily_schedule` is the cron expression by which
    runs start.
    """

    open_installation: Callable[[], Installation]
    data: Data
    clock: Clock
    daily_schedule: str = ""
    remembered: Remembered = field(default_factory=lambda: Remembered(_MOST_REMEMBERED))
    _opened: tuple[datetime, Installation] | None = None

    @property
    def installation(self) -> Installation:
        """The installed pipeline, as it was less than a minute ago."""
        now = self.clock()
        if self._opened is None or now - self._opened[0] > _REOPENED_AFTER:
            self._opened = now, self.open_installation()
        return self._opened[1]

    def granted(self, person: Person) -> frozenset[str]:
        """The apps that a limited person may see."""
        return self.data.grants.granted(person.user_id)

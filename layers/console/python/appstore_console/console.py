"""What the console's functions answer from, opened once per process and reused while it is warm."""

from dataclasses import dataclass
from typing import Protocol

from appstore_analytics.answers.installation import Installation
from appstore_analytics.model.clock import Clock
from appstore_console.rights import Person


class GrantedApps(Protocol):
    """Where it is known which apps a limited person may see."""

    def granted(self, user_id: str) -> frozenset[str]:
        """Their ids; DatabaseAway where that cannot be told now."""


@dataclass(frozen=True)
class Console:
    """The installed pipeline, application data, and the one clock."""

    installation: Installation
    grants: GrantedApps
    clock: Clock

    def granted(self, person: Person) -> frozenset[str]:
        """The apps that a limited person may see."""
        return self.grants.granted(person.user_id)

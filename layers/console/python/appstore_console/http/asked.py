"""The gate that every request passes, and what a route's function is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from http import HTTPStatus
from typing import Protocol

from appstore_analytics.contract.configuration import Account
from appstore_console.console import Console, Desk
from appstore_console.database.data import ApplicationData
from appstore_console.http import problems
from appstore_console.http.endpoints import Endpoint
from appstore_console.http.incoming import Incoming
from appstore_console.http.problems import Problem
from appstore_console.rights import RIGHTS, Person, Right, Role, groups_of, person_of

NOBODY = Person("", None, is_limited=False)
_NEEDS: Mapping[Right, str] = {
    right: next(role for role, rights in RIGHTS.items() if right in rights) for right in Right
}
"""The lowest role that has a right."""


@dataclass(frozen=True)
class Asked:
    """One authorized request: its person, its route, and the sources for the answer."""

    endpoint: Endpoint
    incoming: Incoming
    person: Person
    console: Console
    now: datetime

    @cached_property
    def app_ids(self) -> frozenset[str] | None:
        """The apps that this person can see; None for all apps, which needs no database access."""
        return self.console.granted(self.person) if self.person.is_limited else None

    @cached_property
    def accounts(self) -> tuple[Account, ...]:
        """The accounts, restricted to the apps that this person can see."""
        return visible(self.console.installation.accounts, self.app_ids)

    @cached_property
    def seen(self) -> tuple[str, ...]:
        """The ids of the fetched apps that this person can see."""
        return tuple(app_id for account in self.accounts for app_id in account.app_ids)

    @property
    def data(self) -> ApplicationData:
        """Application data; DatabaseAway if PostgreSQL does not answer."""
        return self.console.data

    @property
    def desk(self) -> Desk:
        """The resources of console_act; LookupError in other functions."""
        if self.console.desk is None:
            raise LookupError(f"{self.endpoint.name} is a route of console_act.")
        return self.console.desk

    @property
    def scope(self) -> str:
        """Identifies the visible data: people with the same scope get the same answer."""
        apps = "all" if self.app_ids is None else " ".join(sorted(self.app_ids))
        return f"{self.person.user_id} {self.person.role} {apps}"

    @property
    def query_text(self) -> str:
        """The query parameters as received."""
        return self.incoming.query

    def refuse_unseen(self, *app_ids: str) -> None:
        """Problem if one of these apps is not fetched or not granted; the message is the same in both cases."""
        for app_id in app_ids:
            if app_id not in self.seen:
                raise problems.not_there(f"app {app_id}")

    def has(self, tag: str) -> bool:
        """Whether the client already has this version of the answer."""
        return tag in [each.strip() for each in self.incoming.headers.get("if-none-match", "").split(",")]


def visible(accounts: tuple[Account, ...], app_ids: frozenset[str] | None) -> tuple[Account, ...]:
    """The accounts with these apps only. Accounts without any are left out, so that their names stay hidden."""
    if app_ids is None:
        return accounts
    apart = (
        Account(one.name, tuple(each for each in one.app_ids if each in app_ids), one.reader_key) for one in accounts
    )
    return tuple(one for one in apart if one.app_ids)


class Refusals(Protocol):
    """The log of refusals."""

    def refused(self, person: Person, incoming: Incoming, endpoint: Endpoint, detail: str) -> None:
        """Never raises: nothing was done, whether or not the refusal could be logged."""


@dataclass(frozen=True)
class Asking:
    """The gate of one function.

    `today` returns a person's current rights, None for someone who can no longer sign in. With it the groups in the
    token, which can be ten minutes old, are ignored. `refusals` receives every refusal.
    """

    console: Console
    today: Callable[[str], Person | None] | None = None
    refusals: Refusals | None = None

    def admit(self, incoming: Incoming, endpoint: Endpoint) -> Asked:
        """The request for a route's function; Problem without a valid sign-in or without the right."""
        person = NOBODY
        if endpoint.right is not None:
            person = self._person(incoming)
            if not person.may(endpoint.right):
                detail = _sentence(person, endpoint.right)
                if self.refusals:
                    self.refusals.refused(person, incoming, endpoint, detail)
                raise Problem(HTTPStatus.FORBIDDEN, detail)
        return Asked(endpoint, incoming, person, self.console, self.console.clock())

    def _person(self, incoming: Incoming) -> Person:
        if incoming.principal and self.today:
            # IAM decides who can invoke console_act directly: administrators of the account.
            return Person(incoming.principal, Role.ADMIN, is_limited=False, email=incoming.principal)
        if not incoming.user_id or incoming.claims.get("token_use") != "access":
            raise Problem(HTTPStatus.UNAUTHORIZED, "Sign in, and send the access token.")
        if self.today is None:
            return person_of(incoming.user_id, groups_of(incoming.claims))
        person = self.today(incoming.user_id)
        if person is None:
            raise Problem(HTTPStatus.UNAUTHORIZED, "This sign-in is no longer valid: sign in again.")
        return person


def _sentence(person: Person, right: Right) -> str:
    if person.role is None:
        return "You have no role yet: an admin can give you one."
    return f"The right to {right} needs the role {_NEEDS[right]}, and you are {person.role}: an admin can change that."

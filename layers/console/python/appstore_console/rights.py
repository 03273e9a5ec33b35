"""Roles, their rights, and the apps that a person can see.

    groups of the token ──► Person ──► may(right)? ──► sees(app)?
    "[limited operator]"

Everything that is not listed here is refused. A person who is `limited` sees only the granted apps. The token says
whether a person is limited, so that they do not see more while PostgreSQL is unavailable.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

LIMITED = "limited"
"""The group of people who see only the apps that are granted to them."""


class Role(StrEnum):
    """The groups that give rights, the lowest first."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


class Right(StrEnum):
    """The right that a route requires."""

    READ = "read"
    KEEP_VIEWS = "keep views"
    SUBSCRIBE = "subscribe"
    ANNOTATE = "annotate"
    START_RUNS = "start runs"
    MANAGE_PEOPLE = "manage people"
    READ_AUDIT = "read the audit log"


_OF_VIEWERS = frozenset({Right.READ, Right.KEEP_VIEWS, Right.SUBSCRIBE})
_OF_OPERATORS = _OF_VIEWERS | {Right.ANNOTATE, Right.START_RUNS}
_OF_ADMINS = _OF_OPERATORS | {Right.MANAGE_PEOPLE, Right.READ_AUDIT}

RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.VIEWER: _OF_VIEWERS,
    Role.OPERATOR: _OF_OPERATORS,
    Role.ADMIN: _OF_ADMINS,
}
"""The rights of each role. Of several roles the highest counts."""


@dataclass(frozen=True, slots=True)
class Person:
    """A signed-in person. Without a role they have no rights.

    A token does not contain the address: `email` is empty if only the token was read.
    """

    user_id: str
    role: Role | None
    is_limited: bool
    email: str = ""

    def may(self, right: Right) -> bool:
        """Whether the role gives this right."""
        return self.role is not None and right in RIGHTS[self.role]

    @property
    def rights(self) -> tuple[Right, ...]:
        """All rights of the role, in the order of `Right`."""
        return tuple(right for right in Right if self.may(right))


_GROUPS = re.compile(r"\[(?P<names>[A-Za-z0-9_-]+(?: [A-Za-z0-9_-]+)*)?\]", re.ASCII)
"""How an HTTP API passes a list: `[operator viewer]`.

Source: API Gateway developer guide, "Control access to HTTP APIs with JWT authorizers": claims arrive as text.
"""


def groups_of(claims: Mapping[str, Any]) -> frozenset[str]:
    """The groups in the claims of a token; empty if they are missing or in an unknown format."""
    value = claims.get("cognito:groups", "")
    found = _GROUPS.fullmatch(value) if isinstance(value, str) else None
    return frozenset((found["names"] or "").split(" ") if found else ()) - {""}


def person_of(user_id: str, groups: frozenset[str]) -> Person:
    """The person with the highest role of these groups; other groups give nothing."""
    role = next((role for role in reversed(Role) if role in groups), None)
    return Person(user_id, role, LIMITED in groups)

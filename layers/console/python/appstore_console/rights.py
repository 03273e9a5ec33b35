"""Who may do what: roles, the rights of each, and which apps a person sees.

    groups of the token ──► Person ──► may(right)? ──► sees(app)?
    "[limited operator]"

Whatever is not named here is refused. A person who is `limited` sees the granted apps and no others; whether somebody
is limited stands in the token, so that nobody sees more than granted while PostgreSQL is away.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

LIMITED = "limited"
"""The group of those who see only the apps that are granted to them."""


class Role(StrEnum):
    """The groups that give rights, the least first."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


class Right(StrEnum):
    """What a route asks for."""

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
"""The matrix. Of several roles the greatest counts."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever asks, as Cognito knows them. Without a role somebody may do nothing.

    A token does not say the address: `email` is empty where nothing but the token was looked at.
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
        """All that the role gives, in the order of `Right`."""
        return tuple(right for right in Right if self.may(right))


_GROUPS = re.compile(r"\[(?P<names>[A-Za-z0-9_-]+(?: [A-Za-z0-9_-]+)*)?\]", re.ASCII)
"""How an HTTP API hands a list on: `[operator viewer]`.

Source: API Gateway developer guide, "Control access to HTTP APIs with JWT authorizers": claims arrive as text.
"""


def groups_of(claims: Mapping[str, Any]) -> frozenset[str]:
    """The groups in the claims of a token; none where they are absent, or written in a way that is not known."""
    value = claims.get("cognito:groups", "")
    found = _GROUPS.fullmatch(value) if isinstance(value, str) else None
    return frozenset((found["names"] or "").split(" ") if found else ()) - {""}


def person_of(user_id: str, groups: frozenset[str]) -> Person:
    """The person with the greatest role of these groups; what is no role gives nothing."""
    role = next((role for role in reversed(Role) if role in groups), None)
    return Person(user_id, role, LIMITED in groups)

"""Users of the console on the embedded AWS: one for each role, with invented addresses."""

import secrets
import string
from dataclasses import dataclass

from appstore_console.user_ids import user_id_of
from local.aws.server import EmbeddedAws
from local.deployment import ConsoleDeployment

ROLES = ("admin", "operator", "viewer")
_LETTERS = 14


@dataclass(frozen=True, slots=True)
class Invited:
    """A user, and the temporary password for the first sign-in."""

    email: str
    role: str
    temporary_password: str


def invite_one_of_each_role(aws: EmbeddedAws, console: ConsoleDeployment) -> list[Invited]:
    """Invite an admin, an operator and a viewer; no e-mail is sent."""
    return [invite(aws, console, f"{role}@example.com", role) for role in ROLES]


def invite(aws: EmbeddedAws, console: ConsoleDeployment, email: str, *groups: str) -> Invited:
    """Invite one person into these groups; the first is the role."""
    cognito = aws.client("cognito-idp")
    password = temporary_password()
    cognito.admin_create_user(
        UserPoolId=console.user_pool,
        Username=user_id_of(email),
        TemporaryPassword=password,
        MessageAction="SUPPRESS",
        UserAttributes=[{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}],
    )
    for group in groups:
        cognito.admin_add_user_to_group(UserPoolId=console.user_pool, Username=user_id_of(email), GroupName=group)
    return Invited(email, groups[0], password)


def temporary_password() -> str:
    """A random password that follows the pool's rule."""
    letters = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(_LETTERS))
    return f"{letters}aA1-"

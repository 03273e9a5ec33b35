"""People, what they may see, and what was done by whom: for admins."""

from appstore_console.facts import AuditLog, Grants, People, Person
from appstore_console.http.asked import Asked
from appstore_console.http.endpoints import Endpoints
from appstore_console.rights import Right
from appstore_console.schemas.requests import (
    AuditParameters,
    GrantBody,
    GrantsParameters,
    InviteBody,
    PersonBody,
)

endpoints = Endpoints("People")


@endpoints.get("/users", Right.MANAGE_PEOPLE)
def users(asked: Asked) -> People:
    """Everybody who may sign in"""
    raise NotImplementedError


@endpoints.post("/users", Right.MANAGE_PEOPLE)
def invite_user(asked: Asked, body: InviteBody) -> Person:
    """Invite somebody, who gets a mail with a first password"""
    raise NotImplementedError


@endpoints.get("/users/<user_id>", Right.MANAGE_PEOPLE)
def user(asked: Asked, user_id: str) -> Person:
    """One person"""
    raise NotImplementedError


@endpoints.patch("/users/<user_id>", Right.MANAGE_PEOPLE)
def change_user(asked: Asked, user_id: str, body: PersonBody) -> Person:
    """Change somebody's role, apps or whether they may sign in

    Whoever loses something is signed out everywhere. 409 for the last admin who can sign in.
    """
    raise NotImplementedError


@endpoints.delete("/users/<user_id>", Right.MANAGE_PEOPLE)
def delete_user(asked: Asked, user_id: str) -> None:
    """Delete somebody, with their grants, views and subscription; what they did stays in the audit log"""
    raise NotImplementedError


@endpoints.post("/users/<user_id>/invitation", Right.MANAGE_PEOPLE, status=200)
def invite_again(asked: Asked, user_id: str) -> Person:
    """Send the invitation again, with a new first password"""
    raise NotImplementedError


@endpoints.delete("/users/<user_id>/second-factor", Right.MANAGE_PEOPLE)
def reset_second_factor(asked: Asked, user_id: str) -> None:
    """Forget somebody's second factor, so that the next sign-in sets up another"""
    raise NotImplementedError


@endpoints.get("/grants", Right.MANAGE_PEOPLE)
def grants(asked: Asked, parameters: GrantsParameters) -> Grants:
    """Which limited person may see which apps"""
    raise NotImplementedError


@endpoints.post("/grants", Right.MANAGE_PEOPLE)
def grant_apps(asked: Asked, body: GrantBody) -> Grants:
    """Let a limited person see more apps; a second time changes nothing"""
    raise NotImplementedError


@endpoints.delete("/grants/<grant_id>", Right.MANAGE_PEOPLE)
def revoke_grant(asked: Asked, grant_id: str) -> None:
    """Take one app away from a limited person, who is signed out"""
    raise NotImplementedError


@endpoints.get("/audit", Right.READ_AUDIT)
def audit(asked: Asked, parameters: AuditParameters) -> AuditLog:
    """A page of the audit log, newest first: every action and every refusal"""
    raise NotImplementedError

"""People, their grants, and the audit log: for admins."""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from itertools import groupby

from appstore_console.facts import AuditLog, Grant, Grants, People, Person
from appstore_console.http.asked import Asked
from appstore_console.http.endpoints import Endpoints
from appstore_console.http.problems import conflict, invalid, not_there
from appstore_console.people import Account, NoSuchPerson
from appstore_console.rights import Right
from appstore_console.schemas.requests import (
    AuditParameters,
    GrantBody,
    GrantsParameters,
    InviteBody,
    PersonBody,
)
from appstore_console.user_ids import user_id_of

endpoints = Endpoints("People")
_USER_ID = re.compile("[0-9a-f]{32}", re.ASCII)


@endpoints.get("/users", Right.MANAGE_PEOPLE)
def users(asked: Asked) -> People:
    """All users"""
    last, of_people = asked.data.audit.last_actions(), asked.data.grants.every()
    granted = {user_id: tuple(each.app_id for each in grants) for user_id, grants in groupby(of_people, _of_whom)}
    return People(tuple(_person(one, granted.get(one.user_id, ()), last) for one in asked.desk.people.all()))


@endpoints.post("/users", Right.MANAGE_PEOPLE)
def invite_user(asked: Asked, body: InviteBody) -> Person:
    """Invite a person, who gets an e-mail with a temporary password"""
    if body.app_ids is not None:
        asked.refuse_unseen(*body.app_ids)
    user_id = user_id_of(body.email)
    with suppress(NoSuchPerson):
        raise conflict(f"{asked.desk.people.get(user_id).email} already exists: change them instead.")
    # Before the invitation: the invited person must not get grants that this address had before.
    asked.data.grants.replace(user_id, body.app_ids or (), asked.person.email)
    account = asked.desk.people.invite(body.email, body.role, is_limited=body.app_ids is not None)
    return _person_of(asked, account)


@endpoints.get("/users/<user_id>", Right.MANAGE_PEOPLE)
def user(asked: Asked, user_id: str) -> Person:
    """One person"""
    _refuse_no_id(user_id)
    return _person_of(asked, asked.desk.people.get(user_id))


@endpoints.patch("/users/<user_id>", Right.MANAGE_PEOPLE)
def change_user(asked: Asked, user_id: str, body: PersonBody) -> Person:
    """Change a person's role or apps, or disable or enable them

    A person who loses a right is signed out everywhere. 409 for the last admin who can sign in.
    """
    _refuse_no_id(user_id)
    is_limited = (body.app_ids is not None) if "app_ids" in body.model_fields_set else None
    if body.app_ids is not None:
        asked.refuse_unseen(*body.app_ids)
    account = asked.desk.people.change(user_id, body.role, is_enabled=body.is_enabled, is_limited=is_limited)
    if is_limited is not None and asked.data.grants.replace(user_id, body.app_ids or (), asked.person.email):
        asked.desk.people.sign_out(user_id)
    return _person_of(asked, account)


@endpoints.delete("/users/<user_id>", Right.MANAGE_PEOPLE)
def delete_user(asked: Asked, user_id: str) -> None:
    """Delete a person with their grants, views and subscription; their entries stay in the audit log"""
    _refuse_no_id(user_id)
    try:
        asked.desk.people.delete(user_id)
    except NoSuchPerson:
        asked.data.forget(user_id)  # left by a first attempt in which PostgreSQL failed
        raise
    asked.data.forget(user_id)


@endpoints.post("/users/<user_id>/invitation", Right.MANAGE_PEOPLE, status=200)
def invite_again(asked: Asked, user_id: str) -> Person:
    """Send the invitation again, with a new temporary password"""
    _refuse_no_id(user_id)
    return _person_of(asked, asked.desk.people.invite_again(user_id))


@endpoints.delete("/users/<user_id>/second-factor", Right.MANAGE_PEOPLE)
def reset_second_factor(asked: Asked, user_id: str) -> None:
    """Delete a person's second factor, so that the next sign-in enrolls another"""
    _refuse_no_id(user_id)
    asked.desk.people.reset(user_id)


@endpoints.get("/grants", Right.MANAGE_PEOPLE)
def grants(asked: Asked, parameters: GrantsParameters) -> Grants:
    """Grants of limited people"""
    stored = asked.data.grants
    return Grants(stored.of(parameters.user_id) if parameters.user_id else stored.every())


@endpoints.post("/grants", Right.MANAGE_PEOPLE)
def grant_apps(asked: Asked, body: GrantBody) -> Grants:
    """Grant a limited person more apps; a second request changes nothing"""
    asked.refuse_unseen(*body.app_ids)
    _refuse_no_id(body.user_id)
    account = asked.desk.people.get(body.user_id)
    if not account.is_limited:
        raise conflict(f"{account.email} sees all apps: limit them first, with app_ids in PATCH /users/{body.user_id}.")
    asked.data.grants.add(account.user_id, body.app_ids, asked.person.email)
    return Grants(asked.data.grants.of(account.user_id))


@endpoints.delete("/grants/<grant_id>", Right.MANAGE_PEOPLE)
def revoke_grant(asked: Asked, grant_id: str) -> None:
    """Revoke one grant of a limited person, who is signed out"""
    taken = asked.data.grants.remove(grant_id)
    if taken is None:
        raise not_there("such grant")
    asked.desk.people.sign_out(taken.user_id)


@endpoints.get("/audit", Right.READ_AUDIT)
def audit(asked: Asked, parameters: AuditParameters) -> AuditLog:
    """A page of the audit log, newest first: every action and every refusal"""
    try:
        return asked.data.audit.page(parameters.user_id, parameters.outcome, parameters.limit, parameters.cursor)
    except ValueError:
        raise invalid("cursor is not valid: use `next` of the previous page.", "cursor") from None


def _refuse_no_id(user_id: str) -> None:
    """Problem for an invalid id. Cognito ignores the case of letters; in PostgreSQL it would be a different id."""
    if not _USER_ID.fullmatch(user_id):
        raise not_there("such person")


def _of_whom(grant: Grant) -> str:
    return grant.user_id


def _person_of(asked: Asked, account: Account) -> Person:
    """One person, with their grants and last action from PostgreSQL."""
    app_ids = tuple(sorted(asked.data.grants.granted(account.user_id)))
    return _person(account, app_ids, asked.data.audit.last_actions(account.user_id))


def _person(account: Account, app_ids: tuple[str, ...], last: Mapping[str, datetime]) -> Person:
    return Person(
        user_id=account.user_id,
        email=account.email,
        role=account.role or "",
        is_limited=account.is_limited,
        app_ids=app_ids if account.is_limited else None,
        has_second_factor=account.has_second_factor,
        state=account.state,
        invited_at=account.invited_at,
        last_action_at=last.get(account.user_id),
    )

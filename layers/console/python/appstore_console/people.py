"""The users of the console, stored in Cognito: invited by an admin, in one group for the role.

    invited ──first password──► active ◄──► disabled

A person who loses a right is signed out everywhere. At least one admin who can sign in always remains; for this, users
are changed one at a time.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from appstore_analytics.model.clock import Clock
from appstore_console.locks import LockTaken, locked
from appstore_console.rights import LIMITED, Role, person_of
from appstore_console.user_ids import user_id_of

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_dynamodb.service_resource import Table

_LOCK = "people"
_AT_ONCE = 4
"""Cognito allows 120 reads per second for the whole account."""

_FIRST_PASSWORD = "FORCE_CHANGE_PASSWORD"  # noqa: S105 (a state)
_ROLES = tuple(Role)


class State(StrEnum):
    """Whether the person can sign in. An invited person has not set their own password yet."""

    INVITED = "invited"
    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Account:
    """One person. Without a role they can sign in and see nothing."""

    user_id: str
    email: str
    role: Role | None
    is_limited: bool
    state: State
    has_second_factor: bool
    invited_at: datetime


class NoSuchPerson(Exception):
    """No person has this id."""

    def __init__(self) -> None:
        super().__init__("There is no such person. They may have been deleted.")


class PersonConflict(Exception):
    """The change conflicts with the current state; the sentence says why, and what to do instead."""


class PeopleUnavailable(Exception):
    """Cognito does not answer, or throttles requests; the sentence says what was done before that."""


class Accounts:
    """All users. Each method raises NoSuchPerson, PersonConflict or PeopleUnavailable."""

    def __init__(
        self, cognito: "CognitoIdentityProviderClient", pool_id: str, table: "Table | None", clock: Clock
    ) -> None:
        self._cognito = cognito
        self._pool_id = pool_id
        self._table = table
        self._clock = clock

    def all(self) -> tuple[Account, ...]:
        """All people, by address."""
        with _refusals():
            groups = self._groups_by_person()
            user_ids = [user["Username"] for user in self._pages("list_users", "Users")]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = pool.map(lambda user_id: self._found(user_id, groups[user_id]), user_ids)
            return tuple(sorted((account for account in found if account), key=lambda account: account.email))

    def get(self, user_id: str) -> Account:
        """One person as they are now, whatever their token says."""
        with _refusals():
            return self._account(user_id)

    def invite(self, email: str, role: Role, *, is_limited: bool = False) -> Account:
        """Invite a person by e-mail. PersonConflict if they exist already."""
        user_id = user_id_of(email)
        with self._alone():
            self._create(user_id, email.strip().lower(), frozenset({role, LIMITED} if is_limited else {role}))
            return self._account(user_id)

    def invite_again(self, user_id: str) -> Account:
        """Send a new temporary password; PersonConflict if the person has set their own."""
        with self._alone():
            account = self._account(user_id)
            if account.state is not State.INVITED:
                raise PersonConflict(f"{account.email} has set a password already: they can reset it at the login.")
            self._cognito.admin_create_user(
                UserPoolId=self._pool_id, Username=user_id, MessageAction="RESEND", DesiredDeliveryMediums=["EMAIL"]
            )
            return account

    def change(
        self, user_id: str, role: Role | None = None, *, is_enabled: bool | None = None, is_limited: bool | None = None
    ) -> Account:
        """Change a person; None leaves a field as it is. PersonConflict for the last admin who can sign in."""
        with self._alone():
            before = self._account(user_id)
            if role not in {None, Role.ADMIN} or is_enabled is False:
                self._keep_an_admin(before)
            if is_limited is not None and is_limited != before.is_limited:
                self._in_group(user_id, LIMITED, wanted=is_limited)
            if role is not None and role is not before.role:
                self._set_role(user_id, role)
            if is_enabled is not None:
                self._enable(user_id, wanted=is_enabled)
            after = self._account(user_id)
            if _lost_something(before, after):
                self._cognito.admin_user_global_sign_out(UserPoolId=self._pool_id, Username=user_id)
        return after

    def reset(self, user_id: str) -> Account:
        """Reset password and second factor, and invite again under the same id, with the same role.

        If the invitation fails, the sentence of PeopleUnavailable says so: invite the person again, with their role.
        """
        with self._alone():
            account = self._account(user_id)
            groups = self._groups_of(user_id)
            self._cognito.admin_delete_user(UserPoolId=self._pool_id, Username=user_id)
            role = account.role or "no role"
            with _refusals(done=f"{account.email} was removed: invite them again, as {role}. "):
                self._create(user_id, account.email, groups)
            return self._account(user_id)

    def delete(self, user_id: str) -> Account:
        """Delete a person and return them. PersonConflict for the last admin who can sign in."""
        with self._alone():
            account = self._account(user_id)
            self._keep_an_admin(account)
            self._cognito.admin_delete_user(UserPoolId=self._pool_id, Username=user_id)
        return account

    def sign_out(self, user_id: str) -> None:
        """End a person's sessions everywhere, after a grant was revoked."""
        with _refusals():
            self._cognito.admin_user_global_sign_out(UserPoolId=self._pool_id, Username=user_id)

    # Steps

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self._table is None:
            raise LookupError("Only a function with the console's table can change people.")
        try:
            with locked(self._table, self._clock, _LOCK), _refusals():
                yield
        except LockTaken:
            raise PersonConflict("Another request is changing users at the moment: try again.") from None

    def _account(self, user_id: str) -> Account:
        return self._account_in(user_id, self._groups_of(user_id))

    def _found(self, user_id: str, groups: Iterable[str]) -> Account | None:
        """None for a person who was deleted after they were listed."""
        try:
            with _refusals():
                return self._account_in(user_id, groups)
        except NoSuchPerson:
            return None

    def _account_in(self, user_id: str, groups: Iterable[str]) -> Account:
        user = self._cognito.admin_get_user(UserPoolId=self._pool_id, Username=user_id)
        attributes = {each["Name"]: each.get("Value", "") for each in user["UserAttributes"]}
        person = person_of(user_id, frozenset(groups))
        return Account(
            user_id=user_id,
            email=attributes.get("email", ""),
            role=person.role,
            is_limited=person.is_limited,
            state=_state(user),
            has_second_factor=bool(user.get("UserMFASettingList")),
            invited_at=user["UserCreateDate"],
        )

    def _groups_of(self, user_id: str) -> frozenset[str]:
        groups = self._pages("admin_list_groups_for_user", "Groups", Username=user_id)
        return frozenset(group["GroupName"] for group in groups)

    def _groups_by_person(self) -> Mapping[str, set[str]]:
        """One request for each group, instead of one for each person."""
        groups: defaultdict[str, set[str]] = defaultdict(set)
        for group in (*_ROLES, LIMITED):
            for user in self._pages("list_users_in_group", "Users", GroupName=group):
                groups[user["Username"]].add(group)
        return groups

    def _create(self, user_id: str, email: str, groups: frozenset[str]) -> None:
        self._cognito.admin_create_user(
            UserPoolId=self._pool_id,
            Username=user_id,
            UserAttributes=[{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}],
            DesiredDeliveryMediums=["EMAIL"],
        )
        # `limited` before the role, so that the person never sees more than they should.
        for group in sorted(groups, key=lambda group: group != LIMITED):
            self._in_group(user_id, group, wanted=True)

    def _set_role(self, user_id: str, role: Role) -> None:
        """Into the new group first: the person has a role even if the second step fails."""
        self._in_group(user_id, role, wanted=True)
        for other in _ROLES:
            if other is not role:
                self._in_group(user_id, other, wanted=False)

    def _in_group(self, user_id: str, group: str, *, wanted: bool) -> None:
        call = self._cognito.admin_add_user_to_group if wanted else self._cognito.admin_remove_user_from_group
        call(UserPoolId=self._pool_id, Username=user_id, GroupName=group)

    def _enable(self, user_id: str, *, wanted: bool) -> None:
        call = self._cognito.admin_enable_user if wanted else self._cognito.admin_disable_user
        call(UserPoolId=self._pool_id, Username=user_id)

    def _keep_an_admin(self, losing: Account) -> None:
        """Refuse to take the role or the login from the last admin who has both."""
        if losing.role is not Role.ADMIN or losing.state is not State.ACTIVE:
            return
        admins = self._pages("list_users_in_group", "Users", GroupName=Role.ADMIN)
        if not any(user["Username"] != losing.user_id and _state(user) is State.ACTIVE for user in admins):
            raise PersonConflict(f"{losing.email} is the last admin who can sign in: first let another admin sign in.")

    def _pages(self, call: str, key: str, **asked: str) -> list[Any]:
        pages = self._cognito.get_paginator(call).paginate(UserPoolId=self._pool_id, **asked)  # type: ignore[call-overload]
        return [each for page in pages for each in page[key]]


def _state(user: Mapping[str, Any]) -> State:
    if not user["Enabled"]:
        return State.DISABLED
    return State.INVITED if user["UserStatus"] == _FIRST_PASSWORD else State.ACTIVE


def _lost_something(before: Account, after: Account) -> bool:
    """Whether older tokens give more rights than new ones would."""
    lost_role = before.role is not None and (after.role is None or _ROLES.index(after.role) < _ROLES.index(before.role))
    became_limited = after.is_limited and not before.is_limited
    return lost_role or became_limited or after.state is State.DISABLED


_SENTENCES: Mapping[str, str] = {
    "AliasExistsException": "A person with this address already exists: change them instead.",
    "UsernameExistsException": "A person with this address already exists: change them instead.",
    "UnsupportedUserStateException": "This person has set a password already: they can reset it at the login.",
}
_PAUSES = frozenset(
    {
        "CodeDeliveryFailureException",
        "InternalErrorException",
        "LimitExceededException",
        "TooManyRequestsException",
    }
)


@contextmanager
def _refusals(done: str = "") -> Iterator[None]:
    """Cognito's errors as our own. Others, such as a missing permission, are raised unchanged."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "UserNotFoundException":
            raise NoSuchPerson from None
        if code in _SENTENCES:
            raise PersonConflict(_SENTENCES[code]) from None
        if code in _PAUSES:
            raise PeopleUnavailable(f"{done}Cognito refuses at the moment ({code}): try again later.") from None
        raise
    except BotoCoreError as error:
        raise PeopleUnavailable(f"{done}Cognito does not answer ({type(error).__name__}): try again.") from None

"""People in the embedded Cognito: their changes and sessions, and that an admin always remains."""

import itertools
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from appstore_console.locks import locked
from appstore_console.login.cognito import Login
from appstore_console.login.steps import Asked, CredentialsRefused, SessionEnded, SignedIn, Step
from appstore_console.people import Account, Accounts, NoSuchPerson, PeopleUnavailable, PersonConflict, State
from appstore_console.rights import Role
from appstore_console.user_ids import user_id_of
from local.aws.server import EmbeddedAws
from local.totp import code
from tests.clock import Clock

ADA, EVE = "ada@example.com", "eve@example.com"
PASSWORD = "Harbor-7291-lamp"
_numbers = itertools.count()


@dataclass(frozen=True)
class Pool:
    """A user pool with the console's settings, and the login to it."""

    aws: EmbeddedAws
    pool_id: str
    client_id: str
    table: Any
    clock: Clock

    @property
    def cognito(self) -> Any:
        return self.aws.client("cognito-idp")

    @property
    def accounts(self) -> Accounts:
        return Accounts(self.cognito, self.pool_id, self.table, self.clock)

    @property
    def login(self) -> Login:
        return Login(self.cognito, self.client_id)

    def first_password(self, email: str) -> str:
        """The temporary password in the newest invitation to this address."""
        bodies = [mail.body for mail in self.aws.e_mails() if mail.to == (email,)]
        return re.findall(r"password (\S+)\.", bodies[-1])[-1]

    def active(self, email: str, role: Role, *, is_limited: bool = False) -> Account:
        """A person who has signed in once."""
        account = self.accounts.invite(email, role, is_limited=is_limited)
        self.sign_in_first(email)
        return replace(account, state=State.ACTIVE, has_second_factor=True)

    def sign_in_first(self, email: str) -> SignedIn:
        asked = self.login.sign_in(email, self.first_password(email))
        assert isinstance(asked, Asked)
        asked = self.login.set_new_password(email, asked.session, PASSWORD)
        assert isinstance(asked, Asked)
        assert asked.step is Step.ENROL_TOTP
        done = self.login.enrol(email, asked.session, code(asked.secret, time.time()))
        assert isinstance(done, SignedIn)
        return done


@pytest.fixture
def pool(embedded_aws: EmbeddedAws) -> Iterator[Pool]:
    cognito, name = embedded_aws.client("cognito-idp"), f"console-{next(_numbers)}"
    pool_id = cognito.create_user_pool(
        PoolName=name,
        AliasAttributes=["email"],
        UsernameConfiguration={"CaseSensitive": False},
        MfaConfiguration="ON",
        AdminCreateUserConfig={
            "AllowAdminCreateUserOnly": True,
            "InviteMessageTemplate": {"EmailMessage": "{username}: your password {####}.", "EmailSubject": "Invited"},
        },
    )["UserPool"]["Id"]
    client_id = cognito.create_user_pool_client(
        UserPoolId=pool_id,
        ClientName="console",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]["ClientId"]
    for group in (*Role, "limited"):
        cognito.create_group(UserPoolId=pool_id, GroupName=group)
    keys = ("pk", "sk")
    embedded_aws.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=True)],
    )
    yield Pool(embedded_aws, pool_id, client_id, embedded_aws.table(name), Clock())
    cognito.delete_user_pool(UserPoolId=pool_id)


def test_who_is_invited_gets_a_first_password_and_is_known_by_the_address(pool: Pool) -> None:
    invited = pool.accounts.invite(" Ada@Example.com", Role.VIEWER)
    assert invited.user_id == user_id_of("ada@example.com") == user_id_of("ADA@EXAMPLE.COM ")
    assert (invited.email, invited.role, invited.state) == (ADA, Role.VIEWER, State.INVITED)
    assert not invited.has_second_factor
    pool.sign_in_first("aDa@example.com".lower())
    now = pool.accounts.get(invited.user_id)
    assert (now.state, now.has_second_factor) == (State.ACTIVE, True)


def test_an_address_in_capital_letters_signs_in_too(pool: Pool) -> None:
    pool.active(ADA, Role.VIEWER)
    assert isinstance(pool.login.sign_in("ADA@example.com", PASSWORD), Asked)


def test_everybody_is_listed_by_address_with_role_and_limit(pool: Pool) -> None:
    pool.accounts.invite(EVE, Role.OPERATOR, is_limited=True)
    pool.active(ADA, Role.ADMIN)
    assert [(each.email, each.role, each.is_limited, each.state) for each in pool.accounts.all()] == [
        (ADA, Role.ADMIN, False, State.ACTIVE),
        (EVE, Role.OPERATOR, True, State.INVITED),
    ]
    assert pool.accounts.all() == tuple(pool.accounts.get(user_id_of(email)) for email in (ADA, EVE))


def test_nobody_is_invited_twice(pool: Pool) -> None:
    pool.accounts.invite(ADA, Role.VIEWER)
    with pytest.raises(PersonConflict, match="already exists"):
        pool.accounts.invite(ADA.upper(), Role.ADMIN)
    assert pool.accounts.get(user_id_of(ADA)).role is Role.VIEWER


def test_an_invitation_is_sent_again_to_who_has_not_signed_in_yet(pool: Pool) -> None:
    ada = pool.accounts.invite(ADA, Role.VIEWER)
    before = len(pool.aws.e_mails())
    assert pool.accounts.invite_again(ada.user_id) == ada
    assert len(pool.aws.e_mails()) == before + 1
    pool.sign_in_first(ADA)
    with pytest.raises(PersonConflict, match="has set a password already"):
        pool.accounts.invite_again(ada.user_id)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("to", Role)
def test_a_role_takes_the_place_of_the_one_before(pool: Pool, role: Role, to: Role) -> None:
    pool.active(ADA, Role.ADMIN)
    eve = pool.accounts.invite(EVE, role)
    assert pool.accounts.change(eve.user_id, to).role is to
    assert pool.accounts.change(eve.user_id, to).role is to
    groups = pool.cognito.admin_list_groups_for_user(UserPoolId=pool.pool_id, Username=eve.user_id)["Groups"]
    assert [group["GroupName"] for group in groups] == [to]


@pytest.mark.parametrize(
    ("change", "signs_out"),
    [
        ({"role": Role.VIEWER}, True),
        ({"role": Role.ADMIN}, False),
        ({"is_limited": True}, True),
        ({"is_enabled": False}, True),
        ({"is_enabled": True}, False),
    ],
)
def test_who_loses_something_is_signed_out_everywhere(pool: Pool, change: dict[str, Any], *, signs_out: bool) -> None:
    eve = pool.accounts.invite(EVE, Role.OPERATOR)
    session = pool.sign_in_first(EVE).refresh_token
    pool.accounts.change(eve.user_id, **change)
    if signs_out:
        with pytest.raises(SessionEnded):
            pool.login.refresh(session)
    else:
        assert pool.login.refresh(session).access_token


def test_who_lost_a_grant_is_signed_out_too(pool: Pool) -> None:
    eve = pool.accounts.invite(EVE, Role.VIEWER, is_limited=True)
    session = pool.sign_in_first(EVE).refresh_token
    pool.accounts.sign_out(eve.user_id)
    with pytest.raises(SessionEnded):
        pool.login.refresh(session)


def test_who_is_disabled_cannot_sign_in_until_they_are_enabled_again(pool: Pool) -> None:
    eve = pool.active(EVE, Role.VIEWER)
    assert pool.accounts.change(eve.user_id, is_enabled=False).state is State.DISABLED
    with pytest.raises(CredentialsRefused):
        pool.login.sign_in(EVE, PASSWORD)
    assert pool.accounts.change(eve.user_id, is_enabled=True).state is State.ACTIVE
    assert isinstance(pool.login.sign_in(EVE, PASSWORD), Asked)


def test_a_reset_invites_the_person_anew_under_the_same_id(pool: Pool) -> None:
    eve = pool.active(EVE, Role.OPERATOR, is_limited=True)
    again = pool.accounts.reset(eve.user_id)
    assert (again.user_id, again.role, again.is_limited) == (eve.user_id, Role.OPERATOR, True)
    assert (again.state, again.has_second_factor) == (State.INVITED, False)
    with pytest.raises(CredentialsRefused):
        pool.login.sign_in(EVE, PASSWORD)
    assert pool.sign_in_first(EVE)


def test_a_reset_whose_invitation_fails_says_what_was_done(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    eve = pool.active(EVE, Role.OPERATOR)
    monkeypatch.setattr(pool.cognito, "admin_create_user", _refusing("CodeDeliveryFailureException"))
    with pytest.raises(PeopleUnavailable, match=r"eve@example\.com was removed: invite them again, as operator\."):
        pool.accounts.reset(eve.user_id)
    monkeypatch.undo()
    assert pool.accounts.invite(EVE, Role.OPERATOR).user_id == eve.user_id


TAKE_AWAY: list[Callable[[Accounts, str], Any]] = [
    lambda accounts, user_id: accounts.change(user_id, Role.OPERATOR),
    lambda accounts, user_id: accounts.change(user_id, is_enabled=False),
    lambda accounts, user_id: accounts.delete(user_id),
]


@pytest.mark.parametrize("take_away", TAKE_AWAY, ids=["role", "login", "account"])
def test_the_last_admin_who_can_sign_in_stays(pool: Pool, take_away: Callable[[Accounts, str], Any]) -> None:
    ada = pool.active(ADA, Role.ADMIN)
    pool.accounts.invite(EVE, Role.ADMIN)  # who never signs in
    with pytest.raises(PersonConflict, match=r"ada@example\.com is the last admin who can sign in"):
        take_away(pool.accounts, ada.user_id)
    pool.sign_in_first(EVE)
    take_away(pool.accounts, ada.user_id)


def test_an_admin_who_never_came_may_go(pool: Pool) -> None:
    pool.active(ADA, Role.ADMIN)
    pool.accounts.delete(pool.accounts.invite(EVE, Role.ADMIN).user_id)
    assert [account.email for account in pool.accounts.all()] == [ADA]


def test_people_are_changed_one_at_a_time(pool: Pool) -> None:
    ada = pool.accounts.invite(ADA, Role.VIEWER)
    with (
        locked(pool.table, pool.clock, "people"),
        pytest.raises(PersonConflict, match="Another request is changing users"),
    ):
        pool.accounts.change(ada.user_id, Role.ADMIN)
    assert pool.accounts.change(ada.user_id, Role.ADMIN).role is Role.ADMIN


def test_the_lock_of_a_function_that_died_is_over_after_a_minute(pool: Pool) -> None:
    ada = pool.accounts.invite(ADA, Role.VIEWER)
    left_behind = locked(pool.table, pool.clock, "people")
    left_behind.__enter__()
    pool.clock.pass_by(seconds=60)
    with locked(pool.table, pool.clock, "people"):
        left_behind.__exit__(None, None, None)  # it runs again: the lock belongs to another caller now
        with pytest.raises(PersonConflict):
            pool.accounts.change(ada.user_id, Role.ADMIN)


@pytest.mark.parametrize("call", ["get", "change", "invite_again", "reset", "delete", "sign_out"])
def test_nobody_is_not_there(pool: Pool, call: str) -> None:
    with pytest.raises(NoSuchPerson):
        getattr(pool.accounts, call)(user_id_of("who@example.com"))


@pytest.mark.parametrize("code", ["TooManyRequestsException", "LimitExceededException"])
def test_cognito_that_wants_a_pause_is_said_and_a_right_that_is_missing_is_not_hidden(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr(pool.cognito, "get_paginator", _refusing(code))
    with pytest.raises(PeopleUnavailable, match=code):
        pool.accounts.get("ada")
    monkeypatch.setattr(pool.cognito, "get_paginator", _refusing("AccessDeniedException"))
    with pytest.raises(ClientError):
        pool.accounts.get("ada")


def test_cognito_that_does_not_answer_is_one_sentence(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: str) -> None:
        raise EndpointConnectionError(endpoint_url="https://cognito-idp.example.com")

    monkeypatch.setattr(pool.cognito, "get_paginator", away)
    with pytest.raises(PeopleUnavailable, match="does not answer"):
        pool.accounts.get("ada")


def _refusing(error: str) -> Callable[..., Any]:
    def call(*_: Any, **__: Any) -> Any:
        raise ClientError({"Error": {"Code": error, "Message": ""}}, "Call")

    return call

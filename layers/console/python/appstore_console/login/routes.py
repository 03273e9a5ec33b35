"""POST /auth/…: the console's own login over Cognito.

The page keeps the access token in memory. The refresh token is in an HttpOnly cookie, which browsers send only to
/auth, and never from other sites.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from appstore_console.answering import Answer, empty_answer, json_answer, problem
from appstore_console.login.authenticator import otpauth, qr_modules
from appstore_console.login.cognito import Login
from appstore_console.login.requests import COOKIE, BadRequest, is_marked, read_body, refresh_token_of
from appstore_console.login.steps import (
    Asked,
    LoginRefused,
    LoginUnavailable,
    PasswordTooWeak,
    SessionEnded,
    SignedIn,
    Step,
    TooManyAttempts,
)

PREFIX = "/auth/"
SIGNED_IN = timedelta(days=7)
"""The lifetime of Cognito's refresh token (infra/console/identity.py)."""

_COOKIE = f"{COOKIE}={{}}; Max-Age={{}}; Path=/auth; HttpOnly; Secure; SameSite=Strict"
_NO_COOKIE = _COOKIE.format("", 0)

Route = Callable[[Login, Mapping[str, Any]], Answer]


def answer(login: Login, event: Mapping[str, Any]) -> Answer:
    """The response to one request below /auth/. Refusals never reveal whether an address has an account."""
    route = _ROUTES.get(str(event["rawPath"]).removeprefix(PREFIX))
    if route is None:
        return problem(HTTPStatus.NOT_FOUND, "There is no such sign-in step.")
    if not is_marked(event["headers"]):
        return problem(HTTPStatus.FORBIDDEN, "Only the console's own page can sign in.")
    try:
        return route(login, event)
    except BadRequest as error:
        return problem(HTTPStatus.BAD_REQUEST, str(error), error.field)
    except LoginRefused as error:
        return problem(_status(error), str(error), error.field)
    except LoginUnavailable:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, "Cognito does not answer: try again in a minute.")


def _sign_in(login: Login, event: Mapping[str, Any]) -> Answer:
    email, password = read_body(event, ("email", "password"))
    return _told(login.sign_in(email, password), email)


def _new_password(login: Login, event: Mapping[str, Any]) -> Answer:
    email, session, password = read_body(event, ("email", "session", "password"))
    return _told(login.set_new_password(email, session, password), email)


def _enrol_totp(login: Login, event: Mapping[str, Any]) -> Answer:
    email, session, code = read_body(event, ("email", "session", "code"))
    return _told(login.enrol(email, session, code), email)


def _totp(login: Login, event: Mapping[str, Any]) -> Answer:
    email, session, code = read_body(event, ("email", "session", "code"))
    return _told(login.answer_code(email, session, code), email)


def _refresh(login: Login, event: Mapping[str, Any]) -> Answer:
    token = refresh_token_of(event)
    with suppress(SessionEnded):
        if token:
            return _told(login.refresh(token), "")
    return problem(HTTPStatus.UNAUTHORIZED, "You are signed out: sign in.", cookies=[_NO_COOKIE])


def _sign_out(login: Login, event: Mapping[str, Any]) -> Answer:
    """The cookie is deleted in any case, even if Cognito no longer knows its token."""
    if token := refresh_token_of(event):
        with suppress(SessionEnded):
            login.sign_out(token)
    return empty_answer([_NO_COOKIE])


def _forgot(login: Login, event: Mapping[str, Any]) -> Answer:
    (email,) = read_body(event, ("email",))
    login.send_code(email)
    return empty_answer()


def _reset(login: Login, event: Mapping[str, Any]) -> Answer:
    email, code, password = read_body(event, ("email", "code", "password"))
    login.reset_password(email, code, password)
    return empty_answer()


_ROUTES: Mapping[str, Route] = {
    "login": _sign_in,
    "new-password": _new_password,
    "enrol-totp": _enrol_totp,
    "totp": _totp,
    "refresh": _refresh,
    "sign-out": _sign_out,
    "forgot": _forgot,
    "reset": _reset,
}


def _told(outcome: Asked | SignedIn, email: str) -> Answer:
    """The next step for the page; with the cookie once the person is signed in."""
    if isinstance(outcome, SignedIn):
        facts = {
            "step": Step.DONE,
            "access_token": outcome.access_token,
            "expires_in": outcome.expires_in,
            "email": outcome.email,
        }
        lives = int(SIGNED_IN.total_seconds())
        cookies = [_COOKIE.format(outcome.refresh_token, lives)] if outcome.refresh_token else []
        return json_answer(HTTPStatus.OK, facts, cookies)
    asked: dict[str, Any] = {"step": outcome.step, "session": outcome.session}
    if outcome.secret:
        address = otpauth(outcome.secret, email)
        asked |= {"secret": outcome.secret, "otpauth": address, "qr": qr_modules(address)}
    return json_answer(HTTPStatus.OK, asked)


def _status(error: LoginRefused) -> HTTPStatus:
    if isinstance(error, TooManyAttempts):
        return HTTPStatus.TOO_MANY_REQUESTS
    return HTTPStatus.BAD_REQUEST if isinstance(error, PasswordTooWeak) else HTTPStatus.UNAUTHORIZED

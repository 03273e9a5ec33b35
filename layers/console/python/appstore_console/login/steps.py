"""The answers of a sign-in step: done, the next challenge, or a refusal."""

from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """The current step of the sign-in."""

    DONE = "done"
    NEW_PASSWORD = "new_password"  # noqa: S105 (a word for a browser)
    ENROL_TOTP = "enrol_totp"
    TOTP = "totp"


@dataclass(frozen=True, slots=True)
class Asked:
    """The next challenge. `session` is sent back with its answer; `secret` is for an authenticator to be enrolled."""

    step: Step
    session: str
    secret: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The tokens of a signed-in person. The refresh token is empty if the previous one stays valid."""

    email: str
    access_token: str
    expires_in: int
    refresh_token: str = ""

    def __repr__(self) -> str:
        return f"SignedIn({self.email!r})"  # so that no token gets into a log or a traceback


class LoginRefused(Exception):
    """The sign-in is refused. The sentence is for a person, and `field` names the affected part of the request."""

    field = ""


class CredentialsRefused(LoginRefused):
    """A wrong password, an unknown or disabled person, a password that must be reset: one answer for all."""

    def __init__(self) -> None:
        super().__init__(
            "The e-mail address or the password is wrong, or this account cannot sign in. "
            "If a new password was asked for, set it first."
        )


class CodeRefused(LoginRefused):
    """The code of the authenticator, or from the e-mail, is wrong or has expired."""

    field = "code"

    def __init__(self) -> None:
        super().__init__("The code is wrong or has expired: wait for the next one, and try again.")


class SessionEnded(LoginRefused):
    """The sign-in session has expired or was used before, or there were too many attempts."""

    field = "session"

    def __init__(self) -> None:
        super().__init__("This attempt to sign in has ended: start again.")


class PasswordTooWeak(LoginRefused):
    """The new password does not follow the rule, or was the last one."""

    field = "password"


class TooManyAttempts(LoginRefused):
    """Cognito throttles sign-in requests."""

    def __init__(self) -> None:
        super().__init__("Too many attempts: wait some minutes, and try again.")


class LoginUnavailable(Exception):
    """Cognito does not answer."""

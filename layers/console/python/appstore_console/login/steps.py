"""What signing in answers: that it is done, or what is asked for next; and how it is refused."""

from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """Where signing in is."""

    DONE = "done"
    NEW_PASSWORD = "new_password"  # noqa: S105 (a word for a browser)
    ENROL_TOTP = "enrol_totp"
    TOTP = "totp"


@dataclass(frozen=True, slots=True)
class Asked:
    """The next question. `session` goes with its answer; `secret` is for an authenticator that is to be enrolled."""

    step: Step
    session: str
    secret: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The tokens of a person who is signed in. The refresh token is empty where the one that was sent stays valid."""

    email: str
    access_token: str
    expires_in: int
    refresh_token: str = ""

    def __repr__(self) -> str:
        return f"SignedIn({self.email!r})"  # so that no token gets into a log or a traceback


class LoginRefused(Exception):
    """Signing in goes no further. The sentence is for a person, and `field` says what in the request it is about."""

    field = ""


class CredentialsRefused(LoginRefused):
    """Wrong password, no such person, disabled, a password that must be reset first: all in the same words."""

    def __init__(self) -> None:
        super().__init__(
            "The e-mail address or the password is wrong, or this account cannot sign in. "
            "If a new password was asked for, set it first."
        )


class CodeRefused(LoginRefused):
    """The code of an authenticator, or the one in an e-mail, is not the one that is expected now."""

    field = "code"

    def __init__(self) -> None:
        super().__init__("The code is wrong or has expired: wait for the next one, and try again.")


class SessionEnded(LoginRefused):
    """The time between two steps of signing in is over, or there were too many attempts, or it was used before."""

    field = "session"

    def __init__(self) -> None:
        super().__init__("This attempt to sign in has ended: start again.")


class PasswordTooWeak(LoginRefused):
    """The new password does not follow the rule, or was the last one."""

    field = "password"


class TooManyAttempts(LoginRefused):
    """Cognito wants a pause from everybody, whoever asks about whom."""

    def __init__(self) -> None:
        super().__init__("Too many attempts: wait some minutes, and try again.")


class LoginUnavailable(Exception):
    """Cognito does not answer."""

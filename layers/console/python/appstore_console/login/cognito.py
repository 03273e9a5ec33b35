"""Cognito's calls for sign-in. They need the app client's id and no AWS permission."""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from appstore_console.login.passwords import RULE, is_strong
from appstore_console.login.steps import (
    Asked,
    CodeRefused,
    CredentialsRefused,
    LoginRefused,
    LoginUnavailable,
    PasswordTooWeak,
    SessionEnded,
    SignedIn,
    Step,
    TooManyAttempts,
)
from appstore_console.user_ids import user_id_of

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

_ASKED = {
    "NEW_PASSWORD_REQUIRED": Step.NEW_PASSWORD,
    "MFA_SETUP": Step.ENROL_TOTP,
    "SOFTWARE_TOKEN_MFA": Step.TOTP,
}
_WRONG_CODE = frozenset({"CodeMismatchException", "EnableSoftwareTokenMFAException", "ExpiredCodeException"})
_WEAK = frozenset({"InvalidPasswordException", "PasswordHistoryPolicyViolationException"})
_TOO_MANY = "TooManyRequestsException"
_REFUSED = frozenset(
    {
        "InvalidParameterException",
        "LimitExceededException",
        "NotAuthorizedException",
        "PasswordResetRequiredException",
        "TooManyFailedAttemptsException",
        "UserNotConfirmedException",
        "UserNotFoundException",
    }
)
"""Errors with which Cognito reveals who has an account. The console answers all of them alike."""


class Login:
    """Sign-in through one app client. Every method raises LoginRefused or LoginUnavailable."""

    def __init__(self, cognito: "CognitoIdentityProviderClient", client_id: str) -> None:
        self._cognito = cognito
        self._client_id = client_id

    def sign_in(self, email: str, password: str) -> Asked | SignedIn:
        """The first step. Its refusal does not reveal whether the address or the password is wrong."""
        with _refusals(CredentialsRefused):
            answer = self._cognito.initiate_auth(
                ClientId=self._client_id,
                AuthFlow="USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": user_id_of(email), "PASSWORD": password},
            )
        return self._next(answer)

    def set_new_password(self, email: str, session: str, password: str) -> Asked | SignedIn:
        """Replace the temporary password."""
        _refuse_weak(password)
        return self._respond(
            "NEW_PASSWORD_REQUIRED", session, {"USERNAME": user_id_of(email), "NEW_PASSWORD": password}
        )

    def enrol(self, email: str, session: str, code: str) -> Asked | SignedIn:
        """Enroll an authenticator by its first code."""
        with _refusals(SessionEnded):
            verified = self._cognito.verify_software_token(Session=session, UserCode=code)
        return self._respond("MFA_SETUP", verified["Session"], {"USERNAME": user_id_of(email)})

    def answer_code(self, email: str, session: str, code: str) -> Asked | SignedIn:
        """Check the code of an enrolled authenticator."""
        answers = {"USERNAME": user_id_of(email), "SOFTWARE_TOKEN_MFA_CODE": code}
        return self._respond("SOFTWARE_TOKEN_MFA", session, answers)

    def refresh(self, refresh_token: str) -> SignedIn:
        """Get a new access token; SessionEnded if the person was signed out or disabled, or the session has expired."""
        with _refusals(SessionEnded):
            answer = self._cognito.initiate_auth(
                ClientId=self._client_id,
                AuthFlow="REFRESH_TOKEN_AUTH",
                AuthParameters={"REFRESH_TOKEN": refresh_token},
            )
        return _signed_in(answer["AuthenticationResult"])

    def sign_out(self, refresh_token: str) -> None:
        """Revoke a refresh token and the tokens made from it. An invalid token changes nothing."""
        with _refusals(SessionEnded):
            self._cognito.revoke_token(ClientId=self._client_id, Token=refresh_token)

    def send_code(self, email: str) -> None:
        """Send a code for a new password by e-mail, if the person exists. The caller does not learn whether they do."""
        try:
            with _refusals(CredentialsRefused):
                self._cognito.forgot_password(ClientId=self._client_id, Username=user_id_of(email))
        except CredentialsRefused:
            return

    def reset_password(self, email: str, code: str, password: str) -> None:
        """Set a new password with the code from an e-mail. An unknown address is refused like a wrong code."""
        _refuse_weak(password)
        with _refusals(CodeRefused):
            self._cognito.confirm_forgot_password(
                ClientId=self._client_id, Username=user_id_of(email), ConfirmationCode=code, Password=password
            )

    def _respond(self, challenge: Any, session: str, answers: Mapping[str, str]) -> Asked | SignedIn:
        with _refusals(SessionEnded):
            answer = self._cognito.respond_to_auth_challenge(
                ClientId=self._client_id, ChallengeName=challenge, Session=session, ChallengeResponses=answers
            )
        return self._next(answer)

    def _next(self, answer: Mapping[str, Any]) -> Asked | SignedIn:
        """Tokens, or the next challenge. A person without an authenticator gets a secret for one at once."""
        if result := answer.get("AuthenticationResult"):
            return _signed_in(result)
        step = _ASKED.get(answer.get("ChallengeName", ""))
        if step is None:
            raise CredentialsRefused
        if step is not Step.ENROL_TOTP:
            return Asked(step, answer["Session"])
        with _refusals(SessionEnded):
            associated = self._cognito.associate_software_token(Session=answer["Session"])
        return Asked(step, associated["Session"], associated["SecretCode"])


@contextmanager
def _refusals(otherwise: type[LoginRefused]) -> Iterator[None]:
    """Turn Cognito's errors into refusals; those that reveal who has an account become `otherwise`."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _WRONG_CODE:
            raise CodeRefused from None
        if code in _WEAK:
            raise PasswordTooWeak(f"{RULE} It must not have been used before.") from None
        if code == _TOO_MANY:
            raise TooManyAttempts from None
        if code in _REFUSED:
            raise otherwise from None
        raise LoginUnavailable(code) from None
    except BotoCoreError as error:
        raise LoginUnavailable(type(error).__name__) from None


def _refuse_weak(password: str) -> None:
    """Checked before Cognito is called, so that the refusal does not depend on whether the person exists."""
    if not is_strong(password):
        raise PasswordTooWeak(RULE)


def _signed_in(result: Mapping[str, Any]) -> SignedIn:
    """The address is in the ID token, which comes from Cognito over TLS, so it needs no verification."""
    payload = result["IdToken"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return SignedIn(
        email=str(claims.get("email", "")),
        access_token=result["AccessToken"],
        expires_in=int(result["ExpiresIn"]),
        refresh_token=str(result.get("RefreshToken", "")),
    )

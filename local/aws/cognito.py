"""Cognito's sign-in rules: sessions bind each step to the next, every user has a second factor, no sign-up.

ministack implements the steps but does not connect them: it accepts the answer to a challenge with any session, does
not require a second factor of users without one, and takes any code for a new password.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace as changed
from typing import Any

from local.aws.ministack import module, original, replace

PATCH = "cognito"
_TOTP = "SOFTWARE_TOKEN_MFA"
_SETUP = "MFA_SETUP"
_NEW_PASSWORD = "NEW_PASSWORD_REQUIRED"  # noqa: S105 (a challenge)

Response = tuple[int, dict[str, str], bytes]
Call = Callable[[dict[str, Any]], Response]


@dataclass(frozen=True, slots=True)
class _Session:
    """A challenge: its user, client and expiry. `secret` is the authenticator's, once it is `proven`."""

    client_id: str
    pool_id: str
    username: str
    challenge: str
    expires_at: float
    secret: str = ""
    proven: bool = False


class _Sessions:
    """The challenges that wait for an answer, by session."""

    def __init__(self, service: Any) -> None:
        self._service = service
        self._waiting: dict[str, _Session] = {}

    # The calls

    def initiate(self, call: Call) -> Call:
        """Sign-in with a password or a refresh token. A challenge that follows is bound to the user."""

        def initiate_auth(data: dict[str, Any]) -> Response:
            answer = call(data)
            if data.get("AuthFlow") != "USER_PASSWORD_AUTH" or answer[0] != 200:
                return answer
            return self._next(answer, data["ClientId"], data["AuthParameters"]["USERNAME"])

        return initiate_auth

    def respond(self, call: Call) -> Call:
        """The answer to a challenge. It counts once, and only with the session of its challenge."""

        def respond_to_auth_challenge(data: dict[str, Any]) -> Response:
            session = self._asked(data)
            if session is None or (session.challenge == _SETUP and not session.proven):
                return self._refused("NotAuthorizedException", "Invalid session for the user.")
            weak = self._weak(session, data["ChallengeResponses"])
            if weak:
                return weak
            answer = call(data)
            if answer[0] != 200:
                return answer
            del self._waiting[data["Session"]]
            if session.challenge != _NEW_PASSWORD:
                return answer
            return self._next(answer, session.client_id, session.username)

        return respond_to_auth_challenge

    def associate(self, call: Call) -> Call:
        """A secret for an authenticator, for a user who was asked to set one up."""

        def associate_software_token(data: dict[str, Any]) -> Response:
            if "Session" not in data:
                return call(data)
            session = self._waiting.pop(data["Session"], None)
            if session is None or session.challenge != _SETUP:
                return self._refused("NotAuthorizedException", "Invalid session for the user.")
            answer = call(data)
            body = json.loads(answer[2])
            self._waiting[body["Session"]] = changed(session, secret=body["SecretCode"])
            return answer

        return associate_software_token

    def verify(self, call: Call) -> Call:
        """The first code proves that the authenticator has the secret; from then on it is the user's."""

        def verify_software_token(data: dict[str, Any]) -> Response:
            if "Session" not in data:
                return call(data)
            session = self._waiting.get(data["Session"])
            if session is None or not session.secret:
                return self._refused("NotAuthorizedException", "Invalid session for the user.")
            answer = call(data)
            if answer[0] == 200:
                del self._waiting[data["Session"]]
                self._waiting[json.loads(answer[2])["Session"]] = changed(session, proven=True)
                self._enrol(session)
            return answer

        return verify_software_token

    # Shared by the calls

    def _next(self, answer: Response, client_id: str, username: str) -> Response:
        """The tokens, or a challenge instead of tokens if the second factor is missing."""
        body = json.loads(answer[2])
        pool, pool_id = self._service._pool_for_client(client_id)
        user = self._service._resolve_user(pool, username)[0]
        if "AuthenticationResult" in body and pool.get("MfaConfiguration") == "ON":
            if _TOTP in user.get("_mfa_enabled", ()):
                body = self._service._mfa_challenge_for_user(pool, user, pool_id, username)
            else:
                token = self._service._create_challenge_session(pool_id, client_id, username)[0]
                body = {"ChallengeName": _SETUP, "Session": token, "ChallengeParameters": {"USER_ID_FOR_SRP": username}}
        if "ChallengeName" in body:
            minutes = pool["_clients"][client_id].get("AuthSessionValidity", 3)
            self._waiting[body["Session"]] = _Session(
                client_id, pool_id, user["Username"], body["ChallengeName"], time.time() + 60 * minutes
            )
        return 200, answer[1], json.dumps(body).encode()

    def _asked(self, data: dict[str, Any]) -> _Session | None:
        """The challenge that is answered, if it was for this user and is not too old."""
        session = self._waiting.get(data.get("Session", ""))
        if session is None or session.expires_at < time.time():
            return None
        pool = self._service._user_pools[session.pool_id]
        user = self._service._resolve_user(pool, data["ChallengeResponses"].get("USERNAME"))[0] or {}
        known = (session.client_id, session.challenge, session.username)
        return session if known == (data["ClientId"], data["ChallengeName"], user.get("Username")) else None

    def _weak(self, session: _Session, answers: dict[str, str]) -> Response | None:
        if session.challenge != _NEW_PASSWORD:
            return None
        pool = self._service._user_pools[session.pool_id]
        weak: Response | None = self._service._validate_password(pool, answers.get("NEW_PASSWORD", ""))
        return weak

    def _enrol(self, session: _Session) -> None:
        user = self._service._user_pools[session.pool_id]["_users"][session.username]
        user.update(_totp_secret=session.secret, _mfa_enabled=[_TOTP], _preferred_mfa=_TOTP)

    def _refused(self, code: str, message: str) -> Response:
        refused: Response = self._service.error_response_json(code, message, 400)
        return refused


def patch() -> None:
    """Bind the steps of sign-in to each other, and apply the pool's rules to sign-up and new passwords."""
    service = module("services.cognito")
    sessions = _Sessions(service)
    replace(service, "_initiate_auth", sessions.initiate, patch=PATCH)
    replace(service, "_respond_to_auth_challenge", sessions.respond, patch=PATCH)
    replace(service, "_associate_software_token", sessions.associate, patch=PATCH)
    replace(service, "_verify_software_token", sessions.verify, patch=PATCH)
    replace(service, "_sign_up", lambda call: _by_admins_only(call, service), patch=PATCH)
    replace(service, "_confirm_forgot_password", lambda call: _with_its_code(call, service), patch=PATCH)
    replace(service, "_refresh_auth_user", lambda call: _not_signed_out(call, service), patch=PATCH)


def _by_admins_only(call: Call, service: Any) -> Call:
    def sign_up(data: dict[str, Any]) -> Response:
        pool = service._pool_for_client(data.get("ClientId"))[0] or {}
        if (pool.get("AdminCreateUserConfig") or {}).get("AllowAdminCreateUserOnly"):
            refused: Response = service.error_response_json(
                "NotAuthorizedException", "SignUp is not permitted for this user pool", 400
            )
            return refused
        return call(data)

    return sign_up


def _with_its_code(call: Call, service: Any) -> Call:
    """ministack compares codes only if IAM is enforced."""
    code_error = original(service, "_confirmation_code_error", patch=PATCH)

    def confirm_forgot_password(data: dict[str, Any]) -> Response:
        return code_error("ConfirmForgotPassword", data) or call(data)

    return confirm_forgot_password


def _not_signed_out(call: Callable[..., Any], service: Any) -> Callable[..., Any]:
    """ministack compares sign-outs with tokens by the second, and checks for disabled users only if IAM is enforced."""

    def refresh_auth_user(
        pool: dict[str, Any], pool_id: str, client_id: str, token: str
    ) -> tuple[Any, Response | None]:
        user, error = call(pool, pool_id, client_id, token)
        if error is None and not user.get("Enabled", True):
            return None, service.error_response_json("NotAuthorizedException", "User is disabled.", 400)
        if error is None and service._token_claims(token).get("origin_jti") in service._revoked_tokens:
            return None, service.error_response_json("NotAuthorizedException", "Refresh Token has been revoked", 400)
        return user, error

    return refresh_auth_user

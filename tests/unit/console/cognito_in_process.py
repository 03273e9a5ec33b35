"""Cognito's sign-in calls as far as the login uses them: challenges and refusals."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

EMAIL, PASSWORD, CODE = "ada@example.com", "Harbor-7291-lamp", "123456"
SECRET = "JBSWY3DPEHPK3PXP"


def refusal(code: str, operation: str = "InitiateAuth") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "said by Cognito"}}, operation)


def tokens(email: str = EMAIL) -> dict[str, Any]:
    claims = base64.urlsafe_b64encode(json.dumps({"email": email}).encode()).decode().rstrip("=")
    result = {"AccessToken": "access.of.ada", "IdToken": f"x.{claims}.y", "RefreshToken": "refresh-of-ada"}
    return {"AuthenticationResult": {**result, "ExpiresIn": 600, "TokenType": "Bearer"}}


def challenge(name: str, session: str = "session-1") -> dict[str, Any]:
    return {"ChallengeName": name, "Session": session, "ChallengeParameters": {}}


@dataclass
class CognitoInProcess:
    """Gives each call the answer that a test has prepared, and records the requests."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            self.asked.append((name, arguments))
            answer = self.answers.get(name, {})
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

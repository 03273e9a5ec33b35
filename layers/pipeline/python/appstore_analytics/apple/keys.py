"""API keys and the short-lived tokens made of them.

Source: Apple, "Generating Tokens for API Requests": ES256, `aud` is `appstoreconnect-v1`, at most 20 minutes; a team
key names its issuer in `iss`, an individual key has `sub: user` instead. No `scope`: it would allow GET only.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Self

import jwt
from botocore.exceptions import ClientError
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from appstore_analytics.contract.errors import ConfigurationRefused

_AUDIENCE = "appstoreconnect-v1"
_LIFETIME = timedelta(minutes=7)
_RENEWED_BEFORE_END = timedelta(minutes=2)
_NO_SECRET = ("ResourceNotFoundException", "InvalidRequestException")
"""It is not there, or it is about to be deleted."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One API key of App Store Connect. Without `issuer_id` it is an individual key."""

    key_id: str
    issuer_id: str | None
    private_key: EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def from_secret(cls, text: str, secret_name: str) -> Self:
        """The key in a secret: JSON with `key_id`, `private_key` (the .p8 file's text) and, for team keys, `issuer_id`.

        ConfigurationRefused names the secret and the field; it never repeats what the secret holds.
        """
        try:
            secret = json.loads(text)
        except ValueError:
            raise ConfigurationRefused(
                f"The secret {secret_name} is not JSON: put key_id, issuer_id, private_key."
            ) from None
        if not isinstance(secret, dict) or not isinstance(secret.get("key_id"), str) or not secret["key_id"]:
            raise ConfigurationRefused(f"The secret {secret_name} holds no API key yet: key_id is missing.")
        issuer_id = secret.get("issuer_id") or None
        if not isinstance(issuer_id, str | None):
            raise ConfigurationRefused(
                f"issuer_id in the secret {secret_name} must be text; leave it out for individual keys."
            )
        try:
            private_key = load_pem_private_key(str(secret.get("private_key")).encode(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            private_key = None
        if not isinstance(private_key, EllipticCurvePrivateKey) or not isinstance(private_key.curve, SECP256R1):
            raise ConfigurationRefused(f"private_key in the secret {secret_name} must be the text of Apple's .p8 file.")
        return cls(secret["key_id"], issuer_id, private_key)


class Tokens:
    """Bearer tokens of one API key, each used for five minutes.

    `read_key` is asked for the key whenever a token is made: so a rotated key is picked up without a deployment, within
    five minutes, and at once where Apple refuses the old one.
    """

    def __init__(self, read_key: Callable[[], ApiKey], clock: Callable[[], datetime]) -> None:
        self._read_key = read_key
        self._clock = clock
        self._token = ""
        self._ends_at: datetime | None = None

    def bearer(self) -> str:
        """A token that is valid for at least two more minutes; ConfigurationRefused when the secret holds no key."""
        now = self._clock()
        if self._ends_at is None or now >= self._ends_at - _RENEWED_BEFORE_END:
            self._token = _signed(self._read_key(), now, now + _LIFETIME)
            self._ends_at = now + _LIFETIME
        return self._token

    def forget(self) -> None:
        """Make the next token anew, because Apple did not accept this one."""
        self._ends_at = None


def _signed(key: ApiKey, issued_at: datetime, ends_at: datetime) -> str:
    subject = {"iss": key.issuer_id} if key.issuer_id else {"sub": "user"}
    claims = {**subject, "iat": int(issued_at.timestamp()), "exp": int(ends_at.timestamp()), "aud": _AUDIENCE}
    return jwt.encode(claims, key.private_key, algorithm="ES256", headers={"kid": key.key_id})


class KeyRing:
    """The tokens of every API key, whose secrets are named `<prefix><key name>` in Secrets Manager."""

    def __init__(self, secrets_manager: Any, prefix: str, clock: Callable[[], datetime]) -> None:
        self._secrets_manager = secrets_manager
        self._prefix = prefix
        self._clock = clock
        self._tokens: dict[str, Tokens] = {}

    def tokens(self, key_name: str) -> Tokens:
        """The tokens of one key; its secret is read when the first is made."""
        if key_name not in self._tokens:
            self._tokens[key_name] = Tokens(partial(self._read, f"{self._prefix}{key_name}"), self._clock)
        return self._tokens[key_name]

    def _read(self, secret_name: str) -> ApiKey:
        try:
            answer = self._secrets_manager.get_secret_value(SecretId=secret_name)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _NO_SECRET:
                raise
            raise ConfigurationRefused(f"There is no secret {secret_name}: deploy, and put the API key in.") from None
        return ApiKey.from_secret(answer.get("SecretString", ""), secret_name)

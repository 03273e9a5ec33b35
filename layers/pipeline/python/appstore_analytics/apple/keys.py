"""API keys and the short-lived tokens made from them.

Source: Apple, "Generating Tokens for API Requests": ES256, `aud` is `appstoreconnect-v1`, at most 20 minutes; a team
key names its issuer in `iss`, an individual key has `sub: user` instead. No `scope`: it would allow GET only.
"""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import jwt
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from appstore_analytics.apple.bounded_json import read_json
from appstore_analytics.apple.private_key import PrivateKeyRefusedError, read_private_key, trimmed
from appstore_analytics.contract.errors import ConfigurationRefused
from appstore_analytics.model.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_secretsmanager.type_defs import GetSecretValueResponseTypeDef

_AUDIENCE = "appstoreconnect-v1"
_LIFETIME = timedelta(minutes=7)
_RENEWED_BEFORE_END = timedelta(minutes=2)
_KEY_ID = re.compile(r"[A-Za-z0-9]{1,64}")
_ISSUER_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_FIELDS_SPELLED = re.compile(r"key|issuer", re.IGNORECASE)
_PUT = "put an object with key_id, issuer_id and private_key"
_NO_SECRET = ("ResourceNotFoundException", "InvalidRequestException")
"""Errors of a secret that does not exist, or is being deleted."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One API key of App Store Connect. Without `issuer_id` it is an individual key."""

    key_id: str
    issuer_id: str | None
    private_key: EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def from_secret(cls, text: str, secret_name: str) -> Self:
        """The key in a secret: JSON with `key_id`, `private_key` (the .p8 file's text) and, for team keys, `issuer_id`.

        Blanks, line ends and byte order marks around a value are ignored. ConfigurationRefused names the secret, the
        field and the problem; it never repeats the secret's content.
        """
        secret = _fields(text, secret_name)
        key_id = _identifier(secret, "key_id", _KEY_ID, secret_name)
        if key_id is None and "key_id" not in secret and _FIELDS_SPELLED.search(" ".join(secret)):
            raise ConfigurationRefused(f"The secret {secret_name} has fields with other names: {_PUT}.")
        if key_id is None:
            raise ConfigurationRefused(
                f"The secret {secret_name} holds no API key yet (key_id is missing): ./manage.py put-key stores one."
            )
        issuer_id = _identifier(secret, "issuer_id", _ISSUER_ID, secret_name)
        try:
            private_key = read_private_key(secret.get("private_key"))
        except PrivateKeyRefusedError as refused:
            raise ConfigurationRefused(
                f"private_key in the secret {secret_name} {refused}: put the text of Apple's .p8 file there."
            ) from None
        return cls(key_id, issuer_id, private_key)


def _fields(text: str, secret_name: str) -> dict[str, Any]:
    """The secret's JSON object; line ends inside its strings are accepted."""
    text = trimmed(text)
    if text.startswith("-----BEGIN "):
        raise ConfigurationRefused(
            f"The secret {secret_name} holds only the text of a .p8 file: put JSON with key_id, issuer_id, private_key."
        )
    try:
        secret = read_json(text, strict=False)
    except ValueError:
        raise ConfigurationRefused(f"The secret {secret_name} is not JSON: {_PUT}.") from None
    if secret and not isinstance(secret, dict):
        raise ConfigurationRefused(f"The secret {secret_name} is not a JSON object: {_PUT}.")
    return secret or {}


def _identifier(secret: dict[str, Any], name: str, form: re.Pattern[str], secret_name: str) -> str | None:
    """One id of the secret, without surrounding blanks; None if it is missing or empty."""
    value = secret.get(name)
    value = trimmed(value) if isinstance(value, str) else value
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not form.fullmatch(value):
        hint = "; leave it out for individual keys" if name == "issuer_id" else ""
        raise ConfigurationRefused(
            f"{name} in the secret {secret_name} must be text exactly as App Store Connect shows it, "
            f"without blanks, quotes or a file's name{hint}."
        )
    return value


class Tokens:
    """Bearer tokens of one API key, each used for five minutes.

    `read_key` reads the key for each new token, so a rotated key is picked up without a deployment: within five
    minutes, and at once if Apple refuses the old one.
    """

    def __init__(self, read_key: Callable[[], ApiKey], clock: Clock) -> None:
        self._read_key = read_key
        self._clock = clock
        self._token = ""
        self._ends_at: datetime | None = None

    def bearer(self) -> str:
        """A token that is valid for at least two more minutes; ConfigurationRefused if the secret holds no key."""
        now = self._clock()
        if self._ends_at is None or now >= self._ends_at - _RENEWED_BEFORE_END:
            self._token = _signed(self._read_key(), now, now + _LIFETIME)
            self._ends_at = now + _LIFETIME
        return self._token

    def forget(self) -> None:
        """Discard the token, because Apple did not accept it."""
        self._ends_at = None


def _signed(key: ApiKey, issued_at: datetime, ends_at: datetime) -> str:
    subject = {"iss": key.issuer_id} if key.issuer_id else {"sub": "user"}
    claims = {**subject, "iat": int(issued_at.timestamp()), "exp": int(ends_at.timestamp()), "aud": _AUDIENCE}
    return jwt.encode(claims, key.private_key, algorithm="ES256", headers={"kid": key.key_id})


class KeyRing:
    """The tokens of every API key, whose secrets are named `<prefix><key name>` in Secrets Manager."""

    def __init__(self, secrets_manager: "SecretsManagerClient", prefix: str, clock: Clock) -> None:
        self._secrets_manager = secrets_manager
        self._prefix = prefix
        self._clock = clock
        self._tokens: dict[str, Tokens] = {}

    def tokens(self, key_name: str) -> Tokens:
        """The tokens of one key; its secret is read for the first token."""
        if key_name not in self._tokens:
            self._tokens[key_name] = Tokens(partial(self._read, f"{self._prefix}{key_name}"), self._clock)
        return self._tokens[key_name]

    def _read(self, secret_name: str) -> ApiKey:
        try:
            answer = self._secrets_manager.get_secret_value(SecretId=secret_name)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _NO_SECRET:
                raise
            raise ConfigurationRefused(f"There is no secret {secret_name}: deploy, then store the API key.") from None
        return ApiKey.from_secret(_text(answer), secret_name)


def _text(answer: "GetSecretValueResponseTypeDef") -> str:
    """The secret's text, even if it was stored as binary."""
    if "SecretString" in answer:
        return str(answer["SecretString"])
    content: bytes = answer.get("SecretBinary", b"")
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"
    return content.decode(encoding, errors="replace")

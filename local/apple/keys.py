"""API keys, their tokens and their hourly calls: what Apple checks before it answers."""

import secrets
import threading
import uuid
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

AUDIENCE = "appstoreconnect-v1"
LONGEST_LIFE_SECONDS = 20 * 60
CLOCK_SKEW_SECONDS = 60
HOUR_SECONDS = 3600
REST_SECONDS = 60


class ApiRole(StrEnum):
    """The roles of an API key that matter here."""

    ADMIN = "ADMIN"
    SALES_AND_REPORTS = "SALES_AND_REPORTS"
    FINANCE = "FINANCE"
    DEVELOPER = "DEVELOPER"


MAY_WRITE = frozenset({ApiRole.ADMIN})
MAY_READ = frozenset({ApiRole.ADMIN, ApiRole.SALES_AND_REPORTS, ApiRole.FINANCE})


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as a client needs it. An individual key has no `issuer_id`: its tokens say `sub: user` instead."""

    key_id: str
    role: ApiRole
    issuer_id: str | None
    private_key_pem: str = field(repr=False)


class NotAuthorizedError(Exception):
    """The token is missing, unreadable, expired or signed by another key (401)."""


class ScopeError(Exception):
    """A token with a scope was used to write (405)."""


def fresh_key(role: ApiRole, issuer_id: str | None) -> ApiKey:
    """A new ES256 key pair. `issuer_id` None makes an individual key."""
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return ApiKey(secrets.token_hex(5).upper(), role, issuer_id, pem)


@dataclass
class KeyRing:
    """All keys of the account. Thread safe; a token is verified once and its times are compared at every call."""

    issuer_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    _keys: dict[str, ApiKey] = field(default_factory=dict)
    _verified: dict[str, tuple[ApiKey, dict[str, Any]]] = field(default_factory=dict)
    _expired: set[str] = field(default_factory=set)

    def register(self, role: ApiRole, *, individual: bool = False) -> ApiKey:
        """A new key with this role."""
        key = fresh_key(role, None if individual else self.issuer_id)
        self._keys[key.key_id] = key
        return key

    def revoke(self, key_id: str) -> None:
        """Tokens of this key are refused from now on."""
        del self._keys[key_id]
        self._verified.clear()

    def expire(self, authorization: str) -> None:
        """Expire the token of this Authorization header early."""
        self._expired.add(authorization)

    def authenticate(self, authorization: str, method: str, now_seconds: float) -> ApiKey:
        """The key of an Authorization header. Raises NotAuthorizedError (never with the token in it) or ScopeError."""
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer" or not token:
            raise NotAuthorizedError("the Authorization header is not 'Bearer <token>'")
        if authorization in self._expired:
            raise NotAuthorizedError("the token is expired or not valid yet")
        if token not in self._verified:
            self._verified[token] = self._verify(token)
        key, claims = self._verified[token]
        _check_times(claims, now_seconds)
        if "scope" in claims and method != "GET":
            raise ScopeError("the token's scope allows GET only")
        return key

    def _verify(self, token: str) -> tuple[ApiKey, dict[str, Any]]:
        """Signature, key and parties; the times change and are checked at every call."""
        try:
            key = self._keys[str(jwt.get_unverified_header(token).get("kid"))]
            claims: dict[str, Any] = jwt.decode(
                token,
                load_pem_private_key(key.private_key_pem.encode(), None).public_key(),  # type: ignore[arg-type]
                algorithms=["ES256"],
                audience=AUDIENCE,
                options={"require": ["exp", "iat", "aud"], "verify_exp": False, "verify_iat": False},
            )
        except KeyError:
            raise NotAuthorizedError("the token's kid is not a key of this account") from None
        except jwt.PyJWTError as error:
            raise NotAuthorizedError(f"the token is refused ({type(error).__name__})") from None
        _check_parties(key, claims)
        return key, claims


def _check_parties(key: ApiKey, claims: dict[str, Any]) -> None:
    if key.issuer_id is None and (claims.get("sub") != "user" or "iss" in claims):
        raise NotAuthorizedError("an individual key's token carries sub 'user' and no iss")
    if key.issuer_id is not None and claims.get("iss") != key.issuer_id:
        raise NotAuthorizedError("the token's iss is not the issuer id of its key")


def _check_times(claims: dict[str, Any], now_seconds: float) -> None:
    issued, expires = float(claims["iat"]), float(claims["exp"])
    if expires - issued > LONGEST_LIFE_SECONDS:
        raise NotAuthorizedError("the token lives longer than 20 minutes")
    if not issued - CLOCK_SKEW_SECONDS <= now_seconds < expires:
        raise NotAuthorizedError("the token is expired or not valid yet")


@dataclass
class HourlyCalls:
    """The calls of each key in the last hour. Thread safe."""

    limit: int
    _calls: dict[str, deque[float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, key_id: str, now_seconds: float) -> int | None:
        """The remaining calls after this one; None if there were none, and then the call does not count."""
        with self._lock:
            calls = self._calls.setdefault(key_id, deque())
            while calls and calls[0] <= now_seconds - HOUR_SECONDS:
                calls.popleft()
            if len(calls) >= self.limit:
                return None
            calls.append(now_seconds)
            return self.limit - len(calls)


@dataclass
class RestingCalls:
    """Keys that are throttled for a minute after a number of calls: the first call beyond it begins the minute.

    `limit` None never throttles. Thread safe.
    """

    limit: int | None
    _calls: dict[str, int] = field(default_factory=dict)
    _rest_until: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, key_id: str, now_seconds: float) -> bool:
        """Whether this call is answered; a throttled call does not count and does not prolong the pause."""
        with self._lock:
            if self.limit is None:
                return True
            if now_seconds < self._rest_until.get(key_id, 0.0):
                return False
            if self._calls.get(key_id, 0) == self.limit:
                self._calls[key_id] = 0
                self._rest_until[key_id] = now_seconds + REST_SECONDS
                return False
            self._calls[key_id] = self._calls.get(key_id, 0) + 1
            return True

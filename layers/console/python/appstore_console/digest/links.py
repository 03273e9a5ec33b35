"""The links of a digest. The unsubscribe link needs no login: it is signed, and valid only for its subscription."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

PATH = "/unsubscribe"
TOKEN = "token"  # noqa: S105 (the name of a parameter)
_PURPOSE = "unsubscribe from the weekly digest: "
"""A prefix of the signed text, so that other texts signed with this secret cannot unsubscribe anyone."""


@dataclass(frozen=True, slots=True)
class Links:
    """`secret` reads the signing key; it is called when a link is made or checked."""

    console_url: str
    secret: Callable[[], str]

    def unsubscribe(self, subscription_id: str) -> str:
        """The unsubscribe URL of this subscription."""
        return f"{self.console_url}{PATH}?{TOKEN}={quote(self.token(subscription_id))}"

    def token(self, subscription_id: str) -> str:
        """The subscription with its signature."""
        signed = hmac.digest(self.secret().encode(), f"{_PURPOSE}{subscription_id}".encode(), hashlib.sha256)
        return f"{subscription_id}.{base64.urlsafe_b64encode(signed).decode().rstrip('=')}"

    def subscription_of(self, token: str) -> str | None:
        """The subscription of an unsubscribe token; None if the signature is invalid."""
        subscription_id, _, _ = token.partition(".")
        is_ours = hmac.compare_digest(self.token(subscription_id).encode(), token.encode())
        return subscription_id if is_ours else None

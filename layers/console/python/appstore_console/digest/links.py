"""The links of a digest. The one that ends it needs no login: it is signed, and good for this subscription alone."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

PATH = "/unsubscribe"
TOKEN = "token"  # noqa: S105 (the name of a parameter)
_PURPOSE = "unsubscribe from the weekly digest: "
"""Signed as well, so that nothing else that this secret may ever sign ends a subscription."""


@dataclass(frozen=True, slots=True)
class Links:
    """`secret` reads what signs; it is asked when a link is made or checked."""

    console_url: str
    secret: Callable[[], str]

    def unsubscribe(self, subscription_id: str) -> str:
        """The address that ends this subscription."""
        return f"{self.console_url}{PATH}?{TOKEN}={quote(self.token(subscription_id))}"

    def token(self, subscription_id: str) -> str:
        """The subscription with its signature."""
        signed = hmac.digest(self.secret().encode(), f"{_PURPOSE}{subscription_id}".encode(), hashlib.sha256)
        return f"{subscription_id}.{base64.urlsafe_b64encode(signed).decode().rstrip('=')}"

    def subscription_of(self, token: str) -> str | None:
        """The subscription that a token ends; None where its signature is not ours."""
        subscription_id, _, _ = token.partition(".")
        is_ours = hmac.compare_digest(self.token(subscription_id).encode(), token.encode())
        return subscription_id if is_ours else None

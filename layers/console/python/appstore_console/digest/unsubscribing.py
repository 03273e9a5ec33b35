"""`/unsubscribe`: ends a digest by its link, without a login; passes every other request on.

GET only shows a button, because mail programs follow links on their own. POST unsubscribes, including the one-click
POST of mail programs (RFC 8058).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from appstore_console.answering import GUARDS, NO_STORE, Answer
from appstore_console.database.audit import DONE, REFUSED, Deed, StoredAudit
from appstore_console.database.connection import DatabaseAway
from appstore_console.database.subscriptions import StoredSubscriptions
from appstore_console.digest.links import PATH, TOKEN, Links

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Weekly digest</title></head>
<body><h1>Weekly digest</h1><p>{said}</p>{more}</body>
</html>
"""
_BUTTON = '<form method="post"><button>Unsubscribe</button></form>'
_POLICY = "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
_GONE = "This link is incomplete, or you have unsubscribed already."
_LINK = "the link in a digest"


@dataclass(frozen=True)
class Unsubscribing:
    """`api` answers all requests for other pages. Without `links` no digests are sent, and no link is valid."""

    api: Callable[[Mapping[str, Any], Any], Answer]
    subscriptions: StoredSubscriptions
    audit: StoredAudit
    links: Links | None

    def __call__(self, event: Mapping[str, Any], context: Any) -> Answer:
        """The page, or the API's response."""
        if event["rawPath"] != PATH:
            return self.api(event, context)
        subscription_id = self._subscription(event)
        if subscription_id is None:
            return _page(HTTPStatus.NOT_FOUND, _GONE)
        if event["requestContext"]["http"]["method"] != "POST":
            return _page(HTTPStatus.OK, "You get a digest each week.", _BUTTON)
        try:
            return self._end(subscription_id)
        except DatabaseAway:
            return _page(HTTPStatus.SERVICE_UNAVAILABLE, "This is not possible right now: try again.", _BUTTON)

    def _subscription(self, event: Mapping[str, Any]) -> str | None:
        token = (event.get("queryStringParameters") or {}).get(TOKEN, "")
        return self.links.subscription_of(token) if token and self.links else None

    def _end(self, subscription_id: str) -> Answer:
        deed = Deed("", _LINK, "unsubscribe", subscription_id)
        attempt = self.audit.attempt(deed)
        was_there = self.subscriptions.remove(subscription_id, None)
        said = "You no longer get the weekly digest." if was_there else _GONE
        self.audit.end(attempt, deed, DONE if was_there else REFUSED, said)
        return _page(HTTPStatus.OK, said)


def _page(status: HTTPStatus, said: str, more: str = "") -> Answer:
    headers = {
        **GUARDS,
        **NO_STORE,
        "Content-Security-Policy": _POLICY,
        "Content-Type": "text/html; charset=utf-8",
    }
    return {"statusCode": status.value, "headers": headers, "body": _PAGE.format(said=said, more=more)}

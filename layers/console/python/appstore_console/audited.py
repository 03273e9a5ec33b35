"""Every action and every refusal adds a row to the audit log. An action that cannot be logged is not done.

    may ─► attempted (503 without PostgreSQL) ─► validation and action ─► done, refused or failed
    may not ─► refused

The second row is written after the action. If that fails, the action is still done: its first row stays `attempted`,
and the function's own log has the outcome.
"""

import base64
import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from appstore_analytics.wiring.telemetry import logger
from appstore_console.database.audit import DONE, FAILED, REFUSED, Deed, StoredAudit
from appstore_console.database.connection import DatabaseAway
from appstore_console.http.asked import Asked
from appstore_console.http.endpoints import Endpoint
from appstore_console.http.incoming import Incoming
from appstore_console.http.problems import unavailable
from appstore_console.rights import Person

_CANNOT = "PostgreSQL is unavailable, so the action could not be audited and was not done: try again in a moment."
_DIED = "The function ended without an answer."


class Audit:
    """The audit log, as the gate and the actions use it."""

    def __init__(self, stored: StoredAudit) -> None:
        self._stored = stored

    def refused(self, person: Person, incoming: Incoming, endpoint: Endpoint, detail: str) -> None:
        """Log a refusal. Without PostgreSQL only the function's own log has it; nothing was done."""
        deed = deed_of(person, incoming, endpoint)
        try:
            self._stored.refuse(deed, detail)
        except DatabaseAway:
            logger.error("A refusal is not in the audit log", extra=_logged(deed, REFUSED))

    def around(self, asked: Asked, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The result of `act`, an event for the gateway. Problem, and nothing is done, if it cannot be audited."""
        deed = deed_of(asked.person, asked.incoming, asked.endpoint)
        try:
            attempt = self._stored.attempt(deed)
        except DatabaseAway:
            raise unavailable(_CANNOT) from None
        outcome, said = FAILED, _DIED
        try:
            answer = act()
            outcome, said = _outcome(answer)
        finally:
            try:
                self._stored.end(attempt, deed, outcome, said)
            except DatabaseAway:
                logger.error("The outcome of an action is not in the audit log", extra=_logged(deed, outcome))
        return answer


def deed_of(person: Person, incoming: Incoming, endpoint: Endpoint) -> Deed:
    """The request as text for the log. Bodies of actions contain no secrets."""
    deed = Deed(person.user_id, person.email or person.user_id, endpoint.name, incoming.path)
    if incoming.body is None:
        return deed
    return replace(deed, detail=json.dumps(incoming.body, separators=(",", ":")))


def _outcome(answer: Mapping[str, Any]) -> tuple[str, str]:
    """The outcome of an action, and the sentence of its response."""
    status = int(answer["statusCode"])
    said = _sentence(answer)
    if status < HTTPStatus.BAD_REQUEST:
        return DONE, said
    return (REFUSED if status < HTTPStatus.INTERNAL_SERVER_ERROR else FAILED), said


def _sentence(answer: Mapping[str, Any]) -> str:
    """The `sentence` of an answer or the `detail` of a problem; empty without a body."""
    body = answer.get("body")
    if not body:
        return ""
    facts = json.loads(gzip.decompress(base64.b64decode(body)) if answer.get("isBase64Encoded") else body)
    return str(facts.get("sentence") or facts.get("detail") or "")


def _logged(deed: Deed, outcome: str) -> dict[str, str]:
    return {"user_id": deed.user_id, "action": deed.action, "target": deed.target, "outcome": outcome}

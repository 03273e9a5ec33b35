"""Every action and every refusal leaves a row in the audit log; what cannot be written down is not done.

    may ─► attempted (503 without PostgreSQL) ─► validation and action ─► done, refused or failed
    may not ─► refused

The second row is written after the action. Where it cannot be, the action stands, its first row says `attempted`, and
the function's own log says how it ended.
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

_CANNOT = "Actions wait until PostgreSQL answers, because this one could not be audited: try again in a moment."
_DIED = "The function ended without an answer."


class Audit:
    """The audit log, as the gate and the actions use it."""

    def __init__(self, stored: StoredAudit) -> None:
        self._stored = stored

    def refused(self, person: Person, incoming: Incoming, endpoint: Endpoint, detail: str) -> None:
        """Write a refusal down. Without PostgreSQL the function's own log has it: nothing was done."""
        deed = deed_of(person, incoming, endpoint)
        try:
            self._stored.refuse(deed, detail)
        except DatabaseAway:
            logger.error("A refusal is not in the audit log", extra=_logged(deed, REFUSED))

    def around(self, asked: Asked, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What `act` answers, an event for the gateway; Problem, and nothing is done, where it cannot be audited."""
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
                logger.error("How an action ended is not in the audit log", extra=_logged(deed, outcome))
        return answer


def deed_of(person: Person, incoming: Incoming, endpoint: Endpoint) -> Deed:
    """What is asked, in the words of the request. No body of an action holds a secret."""
    deed = Deed(person.user_id, person.email or person.user_id, endpoint.name, incoming.path)
    if incoming.body is None:
        return deed
    return replace(deed, detail=json.dumps(incoming.body, separators=(",", ":")))


def _outcome(answer: Mapping[str, Any]) -> tuple[str, str]:
    """How an action ended, and the sentence of its answer."""
    status = int(answer["statusCode"])
    said = _sentence(answer)
    if status < HTTPStatus.BAD_REQUEST:
        return DONE, said
    return (REFUSED if status < HTTPStatus.INTERNAL_SERVER_ERROR else FAILED), said


def _sentence(answer: Mapping[str, Any]) -> str:
    """`sentence` of an answer, `detail` of a problem; empty where there is no body."""
    body = answer.get("body")
    if not body:
        return ""
    facts = json.loads(gzip.decompress(base64.b64decode(body)) if answer.get("isBase64Encoded") else body)
    return str(facts.get("sentence") or facts.get("detail") or "")


def _logged(deed: Deed, outcome: str) -> dict[str, str]:
    return {"user_id": deed.user_id, "action": deed.action, "target": deed.target, "outcome": outcome}

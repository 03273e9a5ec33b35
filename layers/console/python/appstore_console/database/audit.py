"""The audit log of actions and refusals. Rows are only added: no function can change or delete one.

An action has two rows: `attempted` before it is done, and one with its outcome, which names the first by `attempt_id`.
The log shows only the second of the two. A first row without a second is an action whose outcome could not be written:
the function died, or PostgreSQL became unavailable meanwhile.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from appstore_console.database.connection import Database
from appstore_console.database.statements import statement
from appstore_console.facts import AuditEntry, AuditLog

ATTEMPTED, DONE, REFUSED, FAILED = "attempted", "done", "refused", "failed"

_MOST_CHARACTERS = 2_000
_ADD = """
    INSERT INTO console.audit (entry_id, user_id, who, action, target, outcome, detail, attempt_id)
    VALUES (:entry_id, :user_id, :who, :action, :target, :outcome, :detail, :attempt_id)
"""
_PAGE = """
    SELECT a.entry_id, a.at, a.user_id, a.who, a.action, a.target, a.outcome, a.detail
    FROM console.audit a
    WHERE a.user_id = COALESCE(CAST(:user_id AS text), a.user_id)
        AND a.outcome = COALESCE(CAST(:outcome AS text), a.outcome)
        AND (CAST(:at AS timestamptz) IS NULL
            OR (a.at, a.entry_id) < (CAST(:at AS timestamptz), CAST(:entry_id AS uuid)))
        AND (a.outcome <> 'attempted' OR NOT EXISTS
            (SELECT 1 FROM console.audit e WHERE e.attempt_id = a.entry_id))
    ORDER BY a.at DESC, a.entry_id DESC
    LIMIT :most
"""
_LAST = """
    SELECT user_id, max(at) FROM console.audit
    WHERE user_id = COALESCE(CAST(:user_id AS text), user_id)
    GROUP BY user_id
"""


@dataclass(frozen=True, slots=True)
class Deed:
    """An action and its person: the action's name, its target, and the details of the request."""

    user_id: str
    who: str
    action: str
    target: str
    detail: str = ""


class StoredAudit:
    """The table `console.audit`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def attempt(self, deed: Deed) -> UUID:
        """Write an `attempted` row. Returns the entry's id, which `end` takes."""
        return self._add(deed, ATTEMPTED, deed.detail, None)

    def end(self, attempt: UUID, deed: Deed, outcome: str, said: str) -> None:
        """Write the outcome of an attempt, with the sentence of its response."""
        self._add(deed, outcome, "\n".join(filter(None, (said, deed.detail))), attempt)

    def refuse(self, deed: Deed, said: str) -> None:
        """Record that a person was refused."""
        self._add(deed, REFUSED, said, None)

    def page(self, user_id: str, outcome: str, most: int, cursor: str) -> AuditLog:
        """Entries, newest first; of one person, or with one outcome, if these are not empty.

        ValueError for a cursor that no earlier page gave.
        """
        at, entry_id = _place(cursor) if cursor else (None, None)
        wanted = {"user_id": user_id or None, "outcome": outcome or None, "at": at, "entry_id": entry_id}
        rows = self._database.run(statement(_PAGE, most=most + 1, **wanted))
        entries = tuple(AuditEntry(str(row[0]), *row[1:]) for row in rows)
        return AuditLog(entries[:most], _cursor(entries[most - 1]) if len(entries) > most else "")

    def last_actions(self, user_id: str = "") -> dict[str, datetime]:
        """The time of the newest entry of each person, or of this one only."""
        rows = self._database.run(statement(_LAST, user_id=user_id or None))
        return {row[0]: row[1] for row in rows}

    def _add(self, deed: Deed, outcome: str, detail: str, attempt: UUID | None) -> UUID:
        entry_id = uuid4()  # generated here, so that a repeated transaction writes the same
        words = {"user_id": deed.user_id, "who": deed.who, "action": deed.action, "target": deed.target}
        texts = {name: _text(value) for name, value in {**words, "outcome": outcome, "detail": detail}.items()}
        self._database.run(statement(_ADD, entry_id=entry_id, attempt_id=attempt, **texts))
        return entry_id


def _text(value: str) -> str:
    """Text that PostgreSQL accepts: without NUL, and of limited length."""
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}")[:_MOST_CHARACTERS]


def _cursor(entry: AuditEntry) -> str:
    return base64.urlsafe_b64encode(f"{entry.at.isoformat()} {entry.entry_id}".encode()).decode().rstrip("=")


def _place(cursor: str) -> tuple[datetime, UUID]:
    """The position after the previous page."""
    try:
        at, _, entry_id = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").partition(" ")
        return datetime.fromisoformat(at), UUID(entry_id)
    except (binascii.Error, UnicodeError, ValueError):
        raise ValueError("cursor") from None

"""Notes about a day, shown beside the numbers: of one app, or of all."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from appstore_console.database.connection import Database
from appstore_console.database.statements import id_of, statement
from appstore_console.facts import Annotation

_BETWEEN = """
    SELECT annotation_id, app_id, day, kind, text, written_by, created_at, changed_at
    FROM console.annotations
    WHERE day >= COALESCE(CAST(:start AS date), day) AND day <= COALESCE(CAST(:end AS date), day)
    ORDER BY day, created_at, annotation_id
"""
_ONE = """
    SELECT annotation_id, app_id, day, kind, text, written_by, created_at, changed_at
    FROM console.annotations
    WHERE annotation_id = :annotation_id
"""
_ADD = """
    INSERT INTO console.annotations (app_id, day, kind, text, written_by)
    VALUES (:app_id, :day, :kind, :text, :written_by)
    RETURNING annotation_id, app_id, day, kind, text, written_by, created_at, changed_at
"""
_CHANGE = """
    UPDATE console.annotations
    SET day = COALESCE(CAST(:day AS date), day), kind = COALESCE(CAST(:kind AS text), kind),
        text = COALESCE(CAST(:text AS text), text), changed_at = now()
    WHERE annotation_id = :annotation_id
    RETURNING annotation_id, app_id, day, kind, text, written_by, created_at, changed_at
"""
_REMOVE = "DELETE FROM console.annotations WHERE annotation_id = :annotation_id"


@dataclass(frozen=True, slots=True)
class Words:
    """The fields of an annotation; in a change, None leaves a field as it is."""

    day: date | None
    kind: str | None
    text: str | None

    def values(self) -> dict[str, date | str | None]:
        """The values by column name."""
        return {"day": self.day, "kind": self.kind, "text": self.text}


class StoredAnnotations:
    """The table `console.annotations`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def between(self, start: date | None, end: date | None, app_ids: Collection[str] | None) -> tuple[Annotation, ...]:
        """Annotations of these days about these apps (None: about any) and about all apps, oldest day first."""
        found = map(_annotation, self._database.run(statement(_BETWEEN, start=start, end=end)))
        return tuple(one for one in found if app_ids is None or one.app_id is None or one.app_id in app_ids)

    def one(self, annotation_id: str) -> Annotation | None:
        """One annotation; None for an unknown id."""
        wanted = id_of(annotation_id)
        if wanted is None:
            return None
        return next(map(_annotation, self._database.run(statement(_ONE, annotation_id=wanted))), None)

    def add(self, app_id: str | None, words: Words, written_by: str) -> Annotation:
        """Create an annotation."""
        adding = statement(_ADD, app_id=app_id, written_by=written_by, **words.values())
        return _annotation(self._database.run(adding)[0])

    def change(self, annotation_id: str, words: Words) -> Annotation | None:
        """Change an annotation; None if it was deleted meanwhile."""
        wanted = id_of(annotation_id)
        if wanted is None:
            return None
        changing = statement(_CHANGE, annotation_id=wanted, **words.values())
        return next(map(_annotation, self._database.run(changing)), None)

    def remove(self, annotation_id: str) -> None:
        """Delete an annotation; nothing happens if it was deleted already."""
        wanted = id_of(annotation_id)
        self._database.run(statement(_REMOVE, annotation_id=wanted))


def _annotation(row: list[Any]) -> Annotation:
    annotation_id, app_id, day, kind, text, written_by, created_at, changed_at = row
    return Annotation(str(annotation_id), app_id, day, kind, text, written_by, created_at, changed_at)

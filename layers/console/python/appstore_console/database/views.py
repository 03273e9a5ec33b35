"""Pages that people save under a name. A view belongs to its owner: every statement filters by owner."""

from typing import Any

from pg8000.native import Connection

from appstore_console.database.connection import Database
from appstore_console.database.statements import Full, Rows, id_of, statement, taken
from appstore_console.facts import View

MOST_VIEWS = 200
_TAKEN = "You already have a view with this name: choose another name, or change that view."
_OF = """
    SELECT view_id, name, page, state, created_at, changed_at FROM console.views WHERE user_id = :user_id ORDER BY name
"""
_ADD = """
    INSERT INTO console.views (user_id, name, page, state) VALUES (:user_id, :name, :page, :state)
    RETURNING view_id, name, page, state, created_at, changed_at
"""
_CHANGE = """
    UPDATE console.views
    SET name = COALESCE(CAST(:name AS text), name), state = COALESCE(CAST(:state AS text), state), changed_at = now()
    WHERE view_id = :view_id AND user_id = :user_id
    RETURNING view_id, name, page, state, created_at, changed_at
"""
_REMOVE = "DELETE FROM console.views WHERE view_id = :view_id AND user_id = :user_id RETURNING view_id"


class StoredViews:
    """The table `console.views`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, user_id: str) -> tuple[View, ...]:
        """One person's views, by name."""
        return tuple(map(_view, self._database.run(statement(_OF, user_id=user_id))))

    def add(self, user_id: str, name: str, page: str, state: str) -> View:
        """Create a view. Taken if the person has one with this name, Full if they have the maximum number of views."""

        def write(connection: Connection) -> Rows:
            ((kept,),) = connection.run("SELECT count(*) FROM console.views WHERE user_id = :user_id", user_id=user_id)
            if kept >= MOST_VIEWS:
                raise Full(f"You have {MOST_VIEWS} views, the maximum: delete one first.")
            return statement(_ADD, user_id=user_id, name=name, page=page, state=state)(connection)

        with taken(_TAKEN):
            return _view(self._database.run(write)[0])

    def change(self, user_id: str, view_id: str, name: str | None, state: str | None) -> View | None:
        """Change a view of this person; None for an unknown id. Taken if another view has the name."""
        wanted = id_of(view_id)
        if wanted is None:
            return None
        changing = statement(_CHANGE, view_id=wanted, user_id=user_id, name=name, state=state)
        with taken(_TAKEN):
            return next(map(_view, self._database.run(changing)), None)

    def remove(self, user_id: str, view_id: str) -> bool:
        """Delete a view of this person. Returns whether there was one."""
        wanted = id_of(view_id)
        if wanted is None:
            return False
        return bool(self._database.run(statement(_REMOVE, view_id=wanted, user_id=user_id)))

    def forget(self, user_id: str) -> None:
        """Delete all views of one person."""
        self._database.run(statement("DELETE FROM console.views WHERE user_id = :user_id", user_id=user_id))


def _view(row: list[Any]) -> View:
    view_id, name, page, state, created_at, changed_at = row
    return View(str(view_id), name, page, state, created_at, changed_at)

"""Single statements as the work of a transaction, the errors that they raise, and PostgreSQL's ids."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from pg8000.exceptions import DatabaseError
from pg8000.native import Connection

from appstore_console.database.connection import sqlstate

Rows = list[list[Any]]

_UNIQUE = "23505"


class Taken(Exception):
    """The name is in use already; the text is one sentence."""


class Full(Exception):
    """The limit is reached; the text is one sentence."""


def statement(sql: str, **values: Any) -> Callable[[Connection], Rows]:
    """Work of one statement. Values are bound as parameters, so they are never read as SQL."""

    def work(connection: Connection) -> Rows:
        return connection.run(sql, **values) or []

    return work


@contextmanager
def taken(sentence: str) -> Iterator[None]:
    """Taken with this sentence if a row violates a unique constraint."""
    try:
        yield
    except DatabaseError as error:
        if sqlstate(error) != _UNIQUE:
            raise
        raise Taken(sentence) from None


def id_of(text: str) -> UUID | None:
    """A text as an id; None if it is not an id, and so matches nothing."""
    try:
        return UUID(text)
    except ValueError:
        return None

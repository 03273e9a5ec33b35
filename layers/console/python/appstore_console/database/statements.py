"""One statement as the work of a transaction, what PostgreSQL refuses about it, and ids as it knows them."""

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
    """Something with this name is there already; the text is one sentence."""


class Full(Exception):
    """Nobody keeps more of it; the text is one sentence."""


def statement(sql: str, **values: Any) -> Callable[[Connection], Rows]:
    """Work of one statement. Values travel apart from it, so none of them is ever read as SQL."""

    def work(connection: Connection) -> Rows:
        return connection.run(sql, **values) or []

    return work


@contextmanager
def taken(sentence: str) -> Iterator[None]:
    """Taken with this sentence where a row breaks a rule of uniqueness."""
    try:
        yield
    except DatabaseError as error:
        if sqlstate(error) != _UNIQUE:
            raise
        raise Taken(sentence) from None


def id_of(text: str) -> UUID | None:
    """The id that a text is; None where it is none, which is an id of nothing."""
    try:
        return UUID(text)
    except ValueError:
        return None

"""A function's connection to PostgreSQL: one, kept while the function is warm, and replaced when it breaks.

Aurora DSQL detects conflicts at the end of a transaction and answers 40001: the whole transaction is then repeated.
Nothing else is repeated: whether a commit arrived before a connection broke is unknown.
"""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection

from appstore_console.database.login import Clients, Login, login_of
from appstore_console.settings import DatabaseSettings

T = TypeVar("T")

_APPLICATION = "appstore-console"
_SECONDS = 8
"""Time-out of connections and statements: users wait, and the gateway waits 30 seconds at most."""

_BEGIN = "START TRANSACTION"
CONFLICT = "40001"
_ENDED = ("08", "57P")
"""Prefixes of the error codes with which PostgreSQL ends a connection."""

_TRIES = 5
_FIRST_PAUSE_SECONDS = 0.02


class DatabaseAway(Exception):
    """PostgreSQL is unreachable, or the connection broke; the work may or may not have been done."""


class Database:
    """Work on PostgreSQL as one role. Not thread-safe."""

    def __init__(
        self, settings: DatabaseSettings, clients: Clients, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._settings = settings
        self._clients = clients
        self._sleep = sleep
        self._connection: Connection | None = None

    def run(self, work: Callable[[Connection], T]) -> T:
        """The result of `work` in one transaction, which is repeated if it conflicts with another one.

        DatabaseAway if PostgreSQL is unreachable. PostgreSQL's errors about the work itself, such as a duplicate name,
        are pg8000's DatabaseError.
        """
        for attempt in range(_TRIES):
            try:
                return self._transaction(work)
            except DatabaseError as error:
                if sqlstate(error) != CONFLICT or attempt == _TRIES - 1:
                    raise
                pause = _FIRST_PAUSE_SECONDS * 2**attempt
                self._sleep(random.uniform(0, pause))  # noqa: S311 (spreads retries, guards nothing)
        raise AssertionError("the last try answers or raises")

    def close(self) -> None:
        """Drop the connection; the next work opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            _close(connection)

    def _transaction(self, work: Callable[[Connection], T]) -> T:
        connection = self._begun()
        is_done = False
        try:
            answer = work(connection)
            connection.run("COMMIT")
            is_done = True
        except (DatabaseError, InterfaceError, OSError) as error:
            if not _broke(error):
                raise
            self.close()
            raise DatabaseAway(f"The connection to PostgreSQL broke: {_words(error)}.") from error
        finally:
            if not is_done:
                self._undo()
        return answer

    def _undo(self) -> None:
        if self._connection is None:
            return
        try:
            self._connection.run("ROLLBACK")
        except (DatabaseError, InterfaceError, OSError):
            self.close()  # which also rolls back

    def _begun(self) -> Connection:
        """A transaction, on the kept connection or, if that broke meanwhile, on a new one."""
        if self._connection is not None:
            try:
                self._connection.run(_BEGIN)
            except (DatabaseError, InterfaceError, OSError):
                self.close()
            else:
                return self._connection
        self._connection = connect(login_of(self._settings, self._clients))
        self._connection.run(_BEGIN)
        return self._connection


def connect(login: Login) -> Connection:
    """A connection; DatabaseAway with PostgreSQL's own message, which contains no password."""
    try:
        return Connection(
            login.user,
            host=login.host,
            port=login.port,
            database=login.database,
            password=login.password,
            ssl_context=login.tls if login.tls is not None else False,
            timeout=_SECONDS,
            application_name=_APPLICATION,
        )
    except (DatabaseError, InterfaceError, OSError) as error:
        raise DatabaseAway(f"PostgreSQL at {login.host} cannot be reached: {_words(error)}") from None


def sqlstate(error: DatabaseError) -> str:
    """The five-character code of a PostgreSQL error; empty if there is none."""
    said = error.args[0] if error.args else None
    return str(said.get("C", "")) if isinstance(said, dict) else ""


def _broke(error: Exception) -> bool:
    return not isinstance(error, DatabaseError) or sqlstate(error).startswith(_ENDED)


def _words(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return str(said.get("M", "") if isinstance(said, dict) else type(error).__name__)


def _close(connection: Connection) -> None:
    try:
        connection.close()
    except (DatabaseError, InterfaceError, OSError):
        return  # it was closed already

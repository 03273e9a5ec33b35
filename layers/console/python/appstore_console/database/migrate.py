"""Migrates the database to the code's schema: numbered SQL files, the roles, and their permissions.

A second run does nothing. Of two concurrent runs one waits for the other's lock.
"""

import json
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from pg8000.exceptions import DatabaseError
from pg8000.native import Connection, identifier, literal

from appstore_analytics.contract.errors import AwsUnavailable
from appstore_console.database.connection import DatabaseAway, connect, sqlstate
from appstore_console.database.login import Clients, login_of, read_secret
from appstore_console.database.scram import verifier
from appstore_console.settings import DatabaseRoleSettings, DatabaseSettings

RIGHTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "grants": {
        "console_read": ("SELECT",),
        "console_act": ("SELECT", "INSERT", "DELETE"),
        "send_digest": ("SELECT",),
    },
    "views": {"console_read": ("SELECT",), "console_act": ("SELECT", "INSERT", "UPDATE", "DELETE")},
    "annotations": {
        "console_read": ("SELECT",),
        "console_act": ("SELECT", "INSERT", "UPDATE", "DELETE"),
        "send_digest": ("SELECT",),
    },
    # A history: no function changes or deletes rows.
    "audit": {"console_act": ("SELECT", "INSERT")},
    "subscriptions": {
        "console_read": ("SELECT",),
        "console_act": ("SELECT", "INSERT", "UPDATE", "DELETE"),
        "send_digest": ("SELECT",),
    },
    "digests_sent": {
        "console_read": ("SELECT",),
        "console_act": ("SELECT",),
        "send_digest": ("SELECT", "INSERT", "DELETE"),
    },
}
"""The permissions of each role by table. The tables `migrations` and `lock` belong to the administrator alone."""

_FOUNDATION = (
    "CREATE SCHEMA IF NOT EXISTS console",
    "CREATE TABLE IF NOT EXISTS console.migrations (name text PRIMARY KEY, ran_at timestamptz NOT NULL DEFAULT now())",
    "CREATE TABLE IF NOT EXISTS console.lock (name text PRIMARY KEY, holder text NOT NULL, until timestamptz NOT NULL)",
)
_TAKE_LOCK = """
    INSERT INTO console.lock (name, holder, until) VALUES ('migrate', :holder, now() + interval '10 minutes')
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until WHERE console.lock.until < now()
"""
_CONFLICTS = frozenset({"40001", "23505", "42P07", "42P06", "42710"})
"""The transaction conflicted with another one, or both created the same object: IF NOT EXISTS looks before it creates.

42710: a table's row type exists already.
"""

_PATIENCE_SECONDS = 120.0
"""IAM propagates a role's new policy with a delay, and a new cluster is not reachable at once."""

_PAUSE_SECONDS = 2.0
_STATEMENT_END = re.compile(r";\s*$", re.MULTILINE)
_COMMENT = re.compile(r"^--.*$", re.MULTILINE)
_ASYNC = re.compile(r"^CREATE INDEX ASYNC", re.IGNORECASE)


@dataclass(frozen=True)
class Waiting:
    """The clock and the pause of the waiting loops."""

    stopwatch: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def until(self, attempt: Callable[[], bool], sentence: str) -> None:
        """Retry until it succeeds; AwsUnavailable with this sentence after the time-out."""
        deadline = self.stopwatch() + _PATIENCE_SECONDS
        while not attempt():
            if self.stopwatch() > deadline:
                raise AwsUnavailable(sentence)
            self.sleep(_PAUSE_SECONDS)


def migrate(
    database: DatabaseSettings, roles: DatabaseRoleSettings, clients: Clients, waiting: Waiting | None = None
) -> tuple[str, ...]:
    """The names of the files that ran. AwsUnavailable if PostgreSQL is unreachable for two minutes."""
    waiting = waiting or Waiting()
    connection = _connected(database, clients, waiting)
    try:
        for statement in _FOUNDATION:
            _run(connection, statement)
        with _locked(connection, waiting):
            ran = tuple(_run_files(connection, is_dsql=not database.database_secret))
            names = _make_roles(connection, database, roles, clients)
            _grant_rights(connection, names)
    finally:
        connection.close()
    return ran


def sql_files() -> dict[str, list[str]]:
    """The statements of each numbered file, in order."""
    folder = files("appstore_console.database") / "sql"
    texts = {entry.name: entry.read_text(encoding="utf-8") for entry in folder.iterdir() if entry.name.endswith(".sql")}
    return {name: _statements(texts[name]) for name in sorted(texts)}


def _statements(text: str) -> list[str]:
    parts = (part.strip() for part in _STATEMENT_END.split(_COMMENT.sub("", text)))
    return [part for part in parts if part]


def _connected(database: DatabaseSettings, clients: Clients, waiting: Waiting) -> Connection:
    found: list[Connection] = []
    said = [""]

    def attempt() -> bool:
        try:
            found.append(connect(login_of(database, clients)))
        except DatabaseAway as error:
            said[0] = str(error)
        return bool(found)

    waiting.until(attempt, "PostgreSQL cannot be reached: look at the cluster, its policy, or the secret's address.")
    return found[0]


@contextmanager
def _locked(connection: Connection, waiting: Waiting) -> Iterator[None]:
    """Hold the lock, for ten minutes at most: longer than the function can run."""
    holder = secrets.token_hex(8)

    def attempt() -> bool:
        _run(connection, _TAKE_LOCK, holder=holder)
        return bool(connection.row_count == 1)

    waiting.until(attempt, "Another migration has been running for two minutes: deploy again after it has ended.")
    try:
        yield
    finally:
        _run(connection, "DELETE FROM console.lock WHERE name = 'migrate' AND holder = :holder", holder=holder)


def _run_files(connection: Connection, *, is_dsql: bool) -> Iterator[str]:
    """Run each file that has not completed. Its statements can be run twice."""
    known = {name for (name,) in connection.run("SELECT name FROM console.migrations")}
    for name, statements in sql_files().items():
        if name in known:
            continue
        for statement in statements:
            _run(connection, statement if is_dsql else _ASYNC.sub("CREATE INDEX", statement))
        _run(connection, "INSERT INTO console.migrations (name) VALUES (:name)", name=name)
        yield name


def _make_roles(
    connection: Connection, database: DatabaseSettings, roles: DatabaseRoleSettings, clients: Clients
) -> dict[str, str]:
    """The name of each database role in this database, by the name that our code uses."""
    known = {name for (name,) in connection.run("SELECT rolname FROM pg_roles")}
    if not database.database_secret:
        for role, arn in roles.database_roles.items():
            if role not in known:
                _run(connection, f"CREATE ROLE {identifier(role)} WITH LOGIN")
            _let_in(connection, role, arn)
        return {role: role for role in roles.database_roles}
    admin = read_secret(database.database_secret, clients.secrets_manager)
    names = {role: f"{admin['dbname']}_{role}"[:63] for role in roles.database_role_secrets}
    for role, secret in roles.database_role_secrets.items():
        _set_login(connection, names[role], admin, secret, clients, is_new=names[role] not in known)
    return names


def _let_in(connection: Connection, role: str, arn: str) -> None:
    """Let an IAM role connect as a database role, and revoke this from its predecessors."""
    rows = connection.run("SELECT arn, pg_role_name FROM sys.iam_pg_role_mappings")
    known = {known_arn for known_arn, name in rows if name == role}
    for old in known - {arn}:
        _run(connection, f"AWS IAM REVOKE {identifier(role)} FROM {literal(old)}")
    if arn not in known:
        _run(connection, f"AWS IAM GRANT {identifier(role)} TO {literal(arn)}")


def _set_login(
    connection: Connection, name: str, admin: Mapping[str, Any], secret: str, clients: Clients, *, is_new: bool
) -> None:
    """Set a new password. PostgreSQL gets only a verifier, so no statement log contains the password."""
    password = secrets.token_urlsafe(32)
    verb = "CREATE" if is_new else "ALTER"
    _run(connection, f"{verb} ROLE {identifier(name)} WITH LOGIN PASSWORD {literal(verifier(password))}")
    login = {**admin, "username": name, "password": password}
    clients.secrets_manager.put_secret_value(SecretId=secret, SecretString=json.dumps(login))


def _grant_rights(connection: Connection, names: Mapping[str, str]) -> None:
    for name in names.values():
        _run(connection, f"GRANT USAGE ON SCHEMA console TO {identifier(name)}")
    for table, rights in RIGHTS.items():
        for role, verbs in rights.items():
            if role in names:
                _run(connection, f"GRANT {', '.join(verbs)} ON console.{table} TO {identifier(names[role])}")


def _run(connection: Connection, statement: str, **values: Any) -> None:
    """Run one statement in its own transaction; repeat it if it conflicts with another one."""
    for attempt in range(5):
        try:
            connection.run(statement, **values)
        except DatabaseError as error:
            if sqlstate(error) not in _CONFLICTS or attempt == 4:
                raise
        else:
            return

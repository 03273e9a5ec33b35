"""A function's connection: what is repeated, what is not, and when a new one is opened."""

import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from migrated import Migrated
from pg8000.exceptions import DatabaseError
from pg8000.native import Connection

from appstore_console.database.connection import Database, DatabaseAway, connect, sqlstate
from appstore_console.database.login import login_of
from appstore_console.settings import DatabaseSettings

GRANT = "INSERT INTO console.grants (user_id, app_id, granted_by) VALUES ('ada', '1001', :by)"


@pytest.fixture
def database(cluster: Migrated) -> Iterator[Database]:
    with closing(cluster.database("console_act", sleep=lambda _: None)) as database:
        yield database
        database.run(lambda connection: connection.run("DELETE FROM console.grants WHERE user_id = 'ada'"))


def _cut(connection: Connection) -> None:
    """Drops the connection like a router that forgets an idle one."""
    connection._usock.shutdown(socket.SHUT_RDWR)


def _grants(database: Database) -> Any:
    return database.run(lambda connection: connection.run("SELECT app_id, granted_by FROM console.grants"))


def test_work_that_fails_leaves_nothing_behind(database: Database) -> None:
    def half_done(connection: Connection) -> None:
        connection.run(GRANT, by="once")
        raise LookupError("no such person")

    with pytest.raises(LookupError):
        database.run(half_done)
    assert _grants(database) == []


def test_a_transaction_that_met_another_is_done_again_from_its_start(cluster: Migrated, database: Database) -> None:
    subscribe = "INSERT INTO console.subscriptions (user_id, channel) VALUES ('ada', 'email')"
    change = "UPDATE console.subscriptions SET app_ids = coalesce(app_ids, '') || :word WHERE user_id = 'ada'"
    database.run(lambda connection: connection.run(subscribe))
    tries = []

    def meets_another(connection: Connection) -> Any:
        connection.run("SELECT app_ids FROM console.subscriptions")
        if not tries:
            with closing(cluster.database("console_act")) as other:
                other.run(lambda theirs: theirs.run(change, word="other"))
        tries.append(1)
        connection.run(change, word=" and me")
        return connection.run("DELETE FROM console.subscriptions WHERE user_id = 'ada' RETURNING app_ids")

    assert database.run(meets_another) == [["other and me"]]
    assert len(tries) == 2


def test_five_conflicts_are_enough(database: Database) -> None:
    tries = []

    def always_late(_: Connection) -> None:
        tries.append(1)
        raise DatabaseError({"S": "ERROR", "C": "40001", "M": "change conflicts with another transaction"})

    with pytest.raises(DatabaseError):
        database.run(always_late)
    assert len(tries) == 5


def test_any_other_error_of_postgresql_is_said_at_once_and_the_connection_goes_on(database: Database) -> None:
    database.run(lambda connection: connection.run(GRANT, by="once"))
    with pytest.raises(DatabaseError) as taken:
        database.run(lambda connection: connection.run(GRANT, by="twice"))
    assert sqlstate(taken.value) == "23505"
    assert _grants(database) == [["1001", "once"]]


def test_work_on_a_connection_that_broke_is_not_done_twice_and_the_next_work_has_a_new_one(database: Database) -> None:
    tries = []

    def broken(connection: Connection) -> None:
        tries.append(1)
        _cut(connection)
        connection.run(GRANT, by="never")

    with pytest.raises(DatabaseAway, match="broke"):
        database.run(broken)
    assert len(tries) == 1
    assert _grants(database) == []


def test_a_connection_that_went_while_the_function_was_frozen_is_replaced(database: Database) -> None:
    kept: list[Connection] = []
    database.run(kept.append)
    _cut(kept[0])
    assert _grants(database) == []


def test_a_server_that_ends_the_connection_is_away_and_no_error_of_the_work(database: Database) -> None:
    def ended(_: Connection) -> None:
        raise DatabaseError({"S": "FATAL", "C": "57P01", "M": "terminating connection due to administrator command"})

    with pytest.raises(DatabaseAway, match="terminating connection"):
        database.run(ended)
    assert _grants(database) == []


def test_postgresql_that_is_away_is_one_sentence_without_a_password(cluster: Migrated) -> None:
    settings = DatabaseSettings("console_read", "127.0.0.1:1", "", database_without_tls=True)
    with pytest.raises(DatabaseAway, match=r"^PostgreSQL at 127\.0\.0\.1 cannot be reached") as away:
        Database(settings, cluster.clients).run(lambda connection: connection.run("SELECT 1"))
    assert "X-Amz" not in str(away.value)


def test_the_token_of_a_function_is_none_of_the_administrator(cluster: Migrated) -> None:
    login = login_of(cluster.settings("console_act"), cluster.clients)
    with pytest.raises(DatabaseAway):
        connect(replace(login, user="admin"))


def test_tls_is_verified_wherever_the_server_is_not_on_this_machine(cluster: Migrated) -> None:
    elsewhere = DatabaseSettings("console_read", "db.example.com", "", database_without_tls=True)
    tls = login_of(elsewhere, cluster.clients).tls
    assert tls is not None
    assert tls.check_hostname
    assert tls.verify_mode.name == "CERT_REQUIRED"
    asked_for = DatabaseSettings("console_read", cluster.address, "", database_without_tls=False)
    with pytest.raises(DatabaseAway):
        connect(login_of(asked_for, cluster.clients))

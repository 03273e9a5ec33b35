"""Migrations on a real PostgreSQL behind the proxy that refuses what Aurora DSQL refuses."""

import itertools
import json
from collections.abc import Callable
from contextlib import closing
from typing import Any
from unittest.mock import patch

import pytest
from migrated import IAM_ROLES, ROLES, Migrated, new_cluster
from pg8000.exceptions import DatabaseError
from pg8000.native import Connection

from appstore_analytics.contract.errors import AwsUnavailable, ConfigurationRefused
from appstore_console.database.connection import Database, connect, sqlstate
from appstore_console.database.login import login_of, read_secret
from appstore_console.database.migrate import RIGHTS, Waiting, migrate, sql_files
from appstore_console.database.scram import verifier
from appstore_console.settings import DatabaseRoleSettings, DatabaseSettings
from local.aws.postgres import Postgres
from local.aws.server import EmbeddedAws
from tests.aws_in_process import in_threads

DENIED = "42501"
VERBS = {
    "SELECT": "SELECT * FROM console.{}",
    "INSERT": "INSERT INTO console.{} SELECT * FROM console.{} WHERE false",
    "UPDATE": "UPDATE console.{} SET {} = {} WHERE false",
    "DELETE": "DELETE FROM console.{} WHERE false",
}
COLUMN = {
    "grants": "app_id",
    "views": "name",
    "annotations": "kind",
    "audit": "who",
    "subscriptions": "channel",
    "digests_sent": "week",
}


def test_a_second_run_finds_everything_done(embedded_aws: EmbeddedAws) -> None:
    cluster = new_cluster(embedded_aws, "twice")
    assert cluster.migrate() == tuple(sql_files())
    assert cluster.migrate() == ()


def test_two_at_once_do_not_meet_and_both_end_well(embedded_aws: EmbeddedAws) -> None:
    cluster = new_cluster(embedded_aws, "at-once")
    ran = in_threads(lambda _: cluster.migrate(), 2)
    assert sorted(itertools.chain.from_iterable(ran)) == sorted(sql_files())


@pytest.mark.parametrize("code", ["40001", "23505", "42P07", "42P06", "42710"])
def test_a_statement_that_met_another_migration_is_run_again(embedded_aws: EmbeddedAws, code: str) -> None:
    cluster, run, met = new_cluster(embedded_aws, f"met-{code.lower()}"), Connection.run, set[str]()

    def meeting(connection: Connection, sql: str, **values: Any) -> Any:
        if "IF NOT EXISTS" in sql and sql not in met:
            met.add(sql)
            raise DatabaseError({"C": code, "M": "already exists"})
        return run(connection, sql, **values)

    with patch.object(Connection, "run", meeting):
        assert cluster.migrate() == tuple(sql_files())
    assert len(met) > 1


def test_a_file_that_broke_off_in_the_middle_runs_to_its_end_the_next_time(embedded_aws: EmbeddedAws) -> None:
    cluster = new_cluster(embedded_aws, "broken-off")
    cluster.migrate()
    with closing(connect(login_of(cluster.settings("admin"), cluster.clients))) as admin:
        admin.run("DROP TABLE console.digests_sent")
        admin.run("DELETE FROM console.migrations")
        assert cluster.migrate() == tuple(sql_files())
        assert admin.run("SELECT count(*) FROM console.digests_sent") == [[0]]


@pytest.mark.parametrize(("role", "table"), list(itertools.product(ROLES, RIGHTS)))
def test_a_role_may_do_exactly_this_with_a_table(cluster: Migrated, role: str, table: str) -> None:
    with closing(cluster.database(role)) as database:
        allowed = {verb for verb in VERBS if _is_allowed(database, verb, table)}
    # INSERT … SELECT also needs the right to select, and so does UPDATE … = itself.
    assert allowed == set(RIGHTS[table].get(role, ()))


def _is_allowed(database: Database, verb: str, table: str) -> bool:
    places = (table, COLUMN[table], COLUMN[table]) if verb == "UPDATE" else (table, table)
    try:
        database.run(_statement(VERBS[verb].format(*places)))
    except DatabaseError as error:
        assert sqlstate(error) == DENIED
        return False
    return True


def _statement(sql: str) -> Callable[[Connection], object]:
    return lambda connection: connection.run(sql)


def test_no_function_changes_or_deletes_what_was_audited() -> None:
    assert set(itertools.chain.from_iterable(RIGHTS["audit"].values())) == {"SELECT", "INSERT"}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE console.more (id uuid PRIMARY KEY)",
        "DROP TABLE console.audit",
        "SELECT * FROM console.migrations",
        "DELETE FROM console.lock",
        "CREATE ROLE more",
    ],
)
def test_no_function_changes_the_schema_or_its_own_rights(cluster: Migrated, role: str, sql: str) -> None:
    with closing(cluster.database(role)) as database, pytest.raises(DatabaseError) as error:
        database.run(_statement(sql))
    assert sqlstate(error.value) == DENIED


def test_an_iam_role_that_was_replaced_may_not_connect_any_more(embedded_aws: EmbeddedAws) -> None:
    cluster = new_cluster(embedded_aws, "replaced-role")
    cluster.migrate()
    renewed = DatabaseRoleSettings(
        {**IAM_ROLES.database_roles, "console_read": "arn:aws:iam::000000000000:role/new"}, {}
    )
    migrate(cluster.settings("admin"), renewed, cluster.clients)
    with closing(connect(login_of(cluster.settings("admin"), cluster.clients))) as admin:
        rows = admin.run("SELECT arn, pg_role_name FROM sys.iam_pg_role_mappings")
    assert [arn for arn, role in rows if role == "console_read"] == ["arn:aws:iam::000000000000:role/new"]


def test_a_cluster_that_cannot_be_reached_ends_with_one_sentence_after_two_minutes(cluster: Migrated) -> None:
    now = itertools.count(step=30)
    waiting = Waiting(stopwatch=lambda: float(next(now)), sleep=lambda _: None)
    away = DatabaseSettings("admin", "127.0.0.1:1", "", database_without_tls=True)
    with pytest.raises(AwsUnavailable, match="PostgreSQL cannot be reached"):
        migrate(away, IAM_ROLES, cluster.clients, waiting)


# Any other PostgreSQL


class SecretsManager:
    """Secrets by name, and their writers."""

    class meta:  # noqa: N801 (as boto3 has it)
        region_name = "us-east-1"

    def __init__(self, **secrets: Any) -> None:
        self.secrets = {name: json.dumps(fields) for name, fields in secrets.items()}

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803
        return {"SecretString": self.secrets[SecretId]}

    def put_secret_value(self, SecretId: str, SecretString: str) -> None:  # noqa: N803
        self.secrets[SecretId] = SecretString


def test_with_a_postgresql_of_ones_own_each_function_gets_a_login_that_only_its_secret_knows() -> None:
    server = Postgres(password_required=True)
    server.start()
    try:
        server.run(
            "CREATE ROLE console_admin LOGIN CREATEROLE PASSWORD 'first'", "CREATE DATABASE apps OWNER console_admin"
        )
        admin = {
            "host": "127.0.0.1",
            "port": server.port,
            "dbname": "apps",
            "username": "console_admin",
            "password": "first",
        }
        secrets_manager = SecretsManager(admin=admin, read={}, act={})
        clients = type("Clients", (), {"dsql": None, "secrets_manager": secrets_manager})()
        settings = DatabaseSettings("", "", "admin", database_without_tls=True)
        roles = DatabaseRoleSettings({}, {"console_read": "read", "console_act": "act"})
        assert migrate(settings, roles, clients) == tuple(sql_files())

        first = json.loads(secrets_manager.secrets["read"])
        assert (first["username"], first["dbname"]) == ("apps_console_read", "apps")
        reading = connect(login_of(DatabaseSettings("", "", "read", database_without_tls=True), clients))
        assert reading.run("SELECT count(*) FROM console.grants") == [[0]]
        with pytest.raises(DatabaseError):
            reading.run("INSERT INTO console.grants (user_id, app_id, granted_by) VALUES ('a', 'b', 'c')")
        reading.close()

        migrate(settings, roles, clients)  # the next version of the code
        assert json.loads(secrets_manager.secrets["read"])["password"] != first["password"]
        connect(login_of(DatabaseSettings("", "", "read", database_without_tls=True), clients)).close()
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("hunter2", "not a JSON object"),
        ('["hunter2"]', "has no host"),
        ('{"host": "db", "dbname": "apps", "username": "ada"}', "has no password"),
        ('{"host": "", "dbname": "apps", "username": "ada", "password": "hunter2"}', "has no host"),
    ],
)
def test_a_secret_that_is_none_of_a_postgresql_is_refused_without_its_words(secret: str, said: str) -> None:
    secrets_manager: Any = SecretsManager()
    secrets_manager.secrets["apps/postgres"] = secret
    with pytest.raises(ConfigurationRefused, match=said) as refused:
        read_secret("apps/postgres", secrets_manager)
    assert "hunter2" not in str(refused.value)
    assert "apps/postgres" in str(refused.value)


@pytest.mark.parametrize(
    ("field", "said"), [({"ca": "x"}, "not a PEM certificate"), ({"port": "ssl"}, "port .* is not a number")]
)
def test_a_secret_with_a_wrong_authority_or_port_is_refused(field: dict[str, str], said: str) -> None:
    login = {"host": "db", "dbname": "apps", "username": "ada", "password": "hunter2", **field}
    clients = type("Clients", (), {"dsql": None, "secrets_manager": SecretsManager(apps=login)})()
    with pytest.raises(ConfigurationRefused, match=said):
        login_of(DatabaseSettings("", "", "apps", database_without_tls=False), clients)


def test_a_verifier_is_the_one_of_the_standard() -> None:
    """RFC 5803's example has another password. The test above checks that PostgreSQL accepts ours; here the form."""
    first, again = verifier("pencil", b"0123456789abcdef"), verifier("pencil", b"0123456789abcdef")
    assert first == again
    assert first.startswith("SCRAM-SHA-256$4096:MDEyMzQ1Njc4OWFiY2RlZg==$")
    assert verifier("pencil") != verifier("pencil")


def test_statements_are_told_apart_and_comments_left_out() -> None:
    (statements, *_) = sql_files().values()
    assert len(statements) == 9
    assert not [statement for statement in statements if "--" in statement or statement.endswith(";")]

"""A copy of the application data on a real PostgreSQL below the proxy that refuses what Aurora DSQL refuses."""

from contextlib import closing
from typing import Any

import pytest
from migrated import IAM_ROLES, Migrated
from pg8000.native import Connection

from appstore_analytics.contract.errors import ConfigurationRefused
from appstore_console.database import copying
from appstore_console.database.administering import administer
from appstore_console.database.connection import connect
from appstore_console.database.copying import KEYS
from appstore_console.database.login import login_of
from appstore_console.database.migrate import RIGHTS

ROWS = {
    "grants": "(user_id, app_id, granted_by) VALUES (:text, '1000000001', 'ada')",
    "views": "(user_id, name, page, state) VALUES (:text, 'mine', 'apps', '{}')",
    "annotations": "(day, kind, text, written_by) VALUES ('2026-11-02', 'release', :text, 'ada')",
    "audit": "(user_id, who, action, target, outcome) VALUES ('u', :text, 'invite', '', 'done')",
    "subscriptions": "(channel, user_id) VALUES ('e-mail', :text)",
    "digests_sent": "(week, subscription_id) VALUES ('2026-11-02', :text)",
}


def copied(cluster: Migrated, table: str) -> list[dict[str, Any]]:
    """All pages."""
    rows: list[dict[str, Any]] = []
    after = ""
    while True:
        event = {"copy": {"table": table, "after": after}}
        page = administer(event, cluster.settings("admin"), IAM_ROLES, cluster.clients)
        rows += page["rows"]
        after = page["next"]
        if not after:
            return rows


def _count(connection: Connection, table: str) -> int:
    return int(connection.run(f"SELECT count(*) FROM console.{table}")[0][0])


@pytest.mark.parametrize("table", KEYS)
def test_the_pages_have_every_row_once(cluster: Migrated, table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "_ROWS_OF_A_PAGE", 2)
    with closing(connect(login_of(cluster.settings("admin"), cluster.clients))) as admin:
        for number in range(5):
            unique = f"0000000{number}-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
            admin.run(f"INSERT INTO console.{table} {ROWS[table]}", text=unique)
        rows = copied(cluster, table)
        assert len(rows) == len({str(row) for row in rows}) == _count(admin, table) >= 5


def test_every_table_with_data_is_in_a_copy() -> None:
    assert set(KEYS) == set(RIGHTS)


def test_a_table_that_is_not_ours_is_refused(cluster: Migrated) -> None:
    with pytest.raises(ConfigurationRefused, match="There is no table"):
        copied(cluster, "lock")

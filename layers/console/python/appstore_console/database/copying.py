"""A copy of the application data, a page at a time, for backups and for a move to another database."""

from collections.abc import Mapping
from contextlib import closing
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pg8000.native import identifier

from appstore_analytics.contract.errors import ConfigurationRefused
from appstore_console.database.connection import connect
from appstore_console.database.login import Clients, login_of
from appstore_console.settings import DatabaseSettings

KEYS: Mapping[str, str] = {
    "grants": "grant_id::text",
    "views": "view_id::text",
    "annotations": "annotation_id::text",
    "audit": "entry_id::text",
    "subscriptions": "subscription_id::text",
    "digests_sent": "week::text || ' ' || subscription_id::text",
}
"""The tables in the order of a copy, and the unique column of each."""

_ROWS_OF_A_PAGE = 500
"""Rows have at most about 8 KB each, and a Lambda response at most 6 MB."""


def copy_page(table: str, after: str, database: DatabaseSettings, clients: Clients) -> dict[str, Any]:
    """Rows of a table behind the key `after`, and the key of the last: `next` is empty behind the table's last row.

    Each page is a separate transaction: rows that are written meanwhile may or may not be in the copy.
    """
    if table not in KEYS:
        raise ConfigurationRefused(f"There is no table {table[:40]}: there is {', '.join(KEYS)}.")
    statement = (
        f"SELECT {KEYS[table]} AS key, each.* FROM console.{identifier(table)} AS each "  # noqa: S608 (our own names)
        f"WHERE {KEYS[table]} > :after ORDER BY 1 LIMIT {_ROWS_OF_A_PAGE}"
    )
    with closing(connect(login_of(database, clients))) as connection:
        found = connection.run(statement, after=after)
        names = [column["name"] for column in connection.columns]
    rows = [dict(zip(names, map(_plain, row), strict=True)) for row in found]
    keys = [row.pop("key") for row in rows]
    return {"rows": rows, "next": keys[-1] if len(keys) == _ROWS_OF_A_PAGE else ""}


def _plain(value: Any) -> Any:
    """The value as JSON."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value

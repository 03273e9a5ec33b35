"""The query for releases: the first Date with sessions of each version of an app.

It reads three narrow columns of `sessions`, two of which compress to almost nothing. It runs only for versions that no
run saw going on sale.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date

from appstore_analytics.contract.tables import PARTITION_COLUMN
from appstore_analytics.rules.releases import FirstDates

SESSIONS = "sessions"
"""The table: among the reports with a version, it is the one that counts use instead of downloads."""

_MOST_APPS_NAMED = 1_000
"""An id has up to 18 digits, and Athena accepts 262,144 bytes of SQL; with more apps than this, the query covers all
apps."""


def first_sessions_query(app_ids: Collection[str], since: date) -> str:
    """The first Date of each version and device of these apps, from `since` on."""
    apps = ", ".join(sorted(app_ids)) if len(app_ids) <= _MOST_APPS_NAMED else ""
    # ids are digits (contract/layout.py:is_app_id) and the day is a date: no text from a file becomes SQL
    return (
        f'SELECT app_id, app_version, lower(device), MIN({PARTITION_COLUMN}) FROM "{SESSIONS}" '  # noqa: S608
        f"WHERE {PARTITION_COLUMN} >= DATE '{since.isoformat()}'{f' AND app_id IN ({apps})' if apps else ''} "
        "GROUP BY app_id, app_version, lower(device)"
    )


def first_sessions(rows: Iterable[tuple[str | None, ...]]) -> dict[str, FirstDates]:
    """The answer of `first_sessions_query`, by app."""
    found: dict[str, dict[tuple[str | None, str | None], date]] = defaultdict(dict)
    for app_id, version, device, day in rows:
        found[str(app_id)][version, device] = date.fromisoformat(str(day))
    return dict(found)

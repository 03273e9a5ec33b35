"""check_freshness: is the data that is due there, per table and app; asked of Athena every hour."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from appstore_analytics.athena.arrivals import (
    KnownRequests,
    Row,
    arrivals_query,
    known_arrivals,
    known_requests,
    presence_queries,
    present_dates,
    requests_query,
)
from appstore_analytics.athena.query import Athena
from appstore_analytics.contract.errors import QueryInterrupted
from appstore_analytics.contract.metrics import Metric
from appstore_analytics.contract.names import Database
from appstore_analytics.contract.tables import CuratedTable, curated_tables
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.run_notes import read_plan, write_records
from appstore_analytics.rules.due import latest_processing_date
from appstore_analytics.rules.freshness import (
    Arrivals,
    Freshness,
    Judgement,
    Siblings,
    due_dates,
    judge,
    look_back_days,
)

_LAST_CHECK = "last-check"
_REQUESTS_LOOK_BACK = timedelta(days=14)  # after two weeks without a run there are other alarms
_COMPLETE = (Freshness.FRESH, Freshness.ZERO)

Emit = Callable[[Metric, float], None]


@dataclass(frozen=True, slots=True)
class _Feed:
    """One table of one app."""

    app_id: int
    table: CuratedTable
    arrivals: Arrivals
    judgement: Judgement


def check_freshness(at: datetime, tolerance: timedelta, lake: Bucket, athena: Athena, emit: Emit) -> dict[str, int]:
    """Judge every table of every app that the newest daily run was about; how many have which verdict.

    A Date is missing when it was due `tolerance` before `at` and the newest instance that speaks for it does not stand.
    The verdicts stand in `appstore.freshness`, one object per day that each check replaces, so a second check of the
    same moment writes the same. Before a run has ended there is nothing to judge.
    """
    since = at.date() - _REQUESTS_LOOK_BACK
    known = known_requests(_ask(athena, requests_query(since), Database.APPSTORE))
    feeds = list(_feeds(known, at, tolerance, lake, athena)) if known else []
    write_records(lake, "freshness", at.date(), _LAST_CHECK, (_row(feed, at) for feed in feeds))
    verdicts = Counter(feed.judgement.verdict for feed in feeds)
    emit(Metric.FEEDS_FRESH, sum(verdicts[verdict] for verdict in _COMPLETE))
    emit(Metric.FEEDS_STALE, sum(count for verdict, count in verdicts.items() if verdict.is_stale))
    return {str(verdict): count for verdict, count in sorted(verdicts.items())}


def _feeds(known: KnownRequests, at: datetime, tolerance: timedelta, lake: Bucket, athena: Athena) -> Iterator[_Feed]:
    plan = read_plan(lake, known.run_id)
    tables = curated_tables(plan.reports, plan.granularities)
    since = at.date() - timedelta(days=look_back_days(tables))
    until = latest_processing_date(at.date(), at.date())
    arrivals = known_arrivals(_ask(athena, arrivals_query(since, until), Database.APPSTORE))
    due = {table: due_dates(table, at, tolerance) for table in tables}
    present = present_dates(row for sql in presence_queries(due) for row in _ask(athena, sql, Database.CURATED))
    for request in known.requests:
        of_app = {table: arrivals.get((request.app_id, table.name), Arrivals()) for table in tables}
        for table, own in of_app.items():
            siblings = Siblings.of([each for other, each in of_app.items() if other.granularity is table.granularity])
            stands = present.get((request.app_id, table.name), {})
            judgement = judge(table, request, own, siblings, stands, at, tolerance)
            yield _Feed(request.app_id, table, own, judgement)


def _ask(athena: Athena, sql: str, database: Database) -> list[Row]:
    """The rows of an answer; a query that met an object while a run replaced it is asked once more."""
    try:
        return list(athena.rows(sql, database))
    except QueryInterrupted:
        return list(athena.rows(sql, database))


def _row(feed: _Feed, at: datetime) -> dict[str, Any]:
    return {
        "checked_at": at.isoformat(timespec="seconds"),
        "app_id": feed.app_id,
        "table_name": feed.table.name,
        "verdict": feed.judgement.verdict,
        "reason": feed.judgement.reason,
        "newest_due_date": max(feed.judgement.due, default=None),
        "missing_dates": sorted(feed.judgement.missing),
        "newest_processing_date": max(feed.arrivals.converted, default=None),
        "arrived_at": feed.arrivals.arrived_at.isoformat(timespec="seconds") if feed.arrivals.arrived_at else None,
    }

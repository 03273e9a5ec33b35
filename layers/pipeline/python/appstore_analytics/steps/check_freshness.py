"""check_freshness: asks Athena every hour whether the data that is due has arrived, per table and app."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from operator import itemgetter
from typing import Any

from appstore_analytics.athena.arrivals import (
    AppByApp,
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
from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.errors import QueryInterrupted
from appstore_analytics.contract.metrics import Metric
from appstore_analytics.contract.names import Database
from appstore_analytics.contract.tables import CuratedTable, curated_tables
from appstore_analytics.lake.check_rows import open_check
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.run_notes import read_plan
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

_REQUESTS_LOOK_BACK = timedelta(days=14)  # after two weeks without a run, other alarms report it
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
    """Check every table of every app of the newest daily run. Returns the number of tables per verdict.

    A Date is missing if it was due `tolerance` before `at` and the newest instance that covers it is not in the tables.
    The verdicts are written to `appstore.freshness`, one object per day that each check replaces, so a second check of
    the same moment writes the same. One app is held in memory at a time. Before the first run has ended there is
    nothing to check.
    """
    since = at.date() - _REQUESTS_LOOK_BACK
    known = known_requests(_ask(athena, requests_query(since), Database.APPSTORE))
    verdicts: Counter[Freshness] = Counter()
    with open_check(lake, at.date()) as append:
        for feed in _feeds(known, at, tolerance, lake, athena) if known else ():
            append(_row(feed, at))
            verdicts[feed.judgement.verdict] += 1
    emit(Metric.FEEDS_FRESH, sum(verdicts[verdict] for verdict in _COMPLETE))
    emit(Metric.FEEDS_STALE, sum(count for verdict, count in verdicts.items() if verdict.is_stale))
    return {str(verdict): count for verdict, count in sorted(verdicts.items())}


def _feeds(known: KnownRequests, at: datetime, tolerance: timedelta, lake: Bucket, athena: Athena) -> Iterator[_Feed]:
    plan = read_plan(lake, known.run_id)
    tables = curated_tables(plan.reports, plan.granularities)
    since = at.date() - timedelta(days=look_back_days(tables))
    until = latest_processing_date(at.date(), at.date())
    due = {table: due_dates(table, at, tolerance) for table in tables}
    arrivals = AppByApp(known_arrivals(_ask(athena, arrivals_query(since, until), Database.APPSTORE)))
    answers = [present_dates(_ask(athena, sql, Database.CURATED)) for sql in presence_queries(due)]
    present = AppByApp(merge(*answers, key=itemgetter(0)))
    for request in known.requests:
        arrived, stands = arrivals.of(request.app_id), present.of(request.app_id)
        of_app = {table: arrived.get(table.name, Arrivals()) for table in tables}
        siblings = _siblings(of_app)
        for table, own in of_app.items():
            there = stands.get(table.name, {})
            judgement = judge(table, request, own, siblings[table.granularity], there, at, tolerance)
            yield _Feed(request.app_id, table, own, judgement)


def _siblings(of_app: Mapping[CuratedTable, Arrivals]) -> dict[Granularity, Siblings]:
    """The combined state of one app's tables of each granularity."""
    granularities = {table.granularity for table in of_app}
    return {
        wanted: Siblings.of([arrivals for table, arrivals in of_app.items() if table.granularity is wanted])
        for wanted in granularities
    }


def _ask(athena: Athena, sql: str, database: Database) -> Iterator[Row]:
    """The rows of an answer; a query that reads an object while a run replaces it is repeated once, before any row."""
    try:
        yield from athena.rows(sql, database)
    except QueryInterrupted:
        yield from athena.rows(sql, database)


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

"""The queries for freshness: the runs' records, and the Dates that are in the tables.

Each query scans less than Athena's minimum of 10 MB (docs/decisions/0011-freshness-through-athena.md): the records of a
few days, and one narrow column of a few Dates of each table. The results come sorted by app and are read app by app,
because 10,000 apps with 26 tables each would not fit into the function's memory.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Generic, TypeVar

from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.tables import PARTITION_COLUMN, CuratedTable
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.rules.freshness import Arrivals, Request
from appstore_analytics.rules.times import instant_of_run

_TABLES_PER_QUERY = 50  # each table is a separate stage, and the number of stages is limited
_BETWEEN_NAMES = "|"
_BETWEEN_DATES = "="
_CONVERTED = f"WHERE verdict = '{Verdict.CONVERTED}' AND (rolled_back_in IS NULL OR rolled_back_in < run_id)"
_NOT_CONVERTED = f"WHERE verdict <> '{Verdict.CONVERTED}'"

Row = tuple[str | None, ...]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KnownRequests:
    """The report requests of the newest daily run's apps."""

    run_id: str
    requests: tuple[Request, ...]


def requests_query(since: date) -> str:
    """Per app, the newest record of its ONGOING request in runs since this day, and the number of its requests."""
    return (
        "SELECT app_id, MAX(run_id), MAX_BY(verdict, run_id), MAX_BY(reason, run_id), "  # noqa: S608 (no text from outside)
        "MAX_BY(requested_on, run_id) FILTER (WHERE request_id IS NOT NULL), COUNT(DISTINCT request_id), "
        f"ARRAY_JOIN(MAX_BY(missing_reports, run_id), '{_BETWEEN_NAMES}'), "
        f"ARRAY_JOIN(MAX_BY(unknown_reports, run_id), '{_BETWEEN_NAMES}') "
        f"FROM report_requests WHERE access_type = '{AccessType.ONGOING}' "
        f"AND {PARTITION_COLUMN} >= DATE '{since.isoformat()}' GROUP BY app_id"
    )


def known_requests(rows: Iterable[Row]) -> KnownRequests | None:
    """The result of `requests_query`; None before the first run has ended. Apps that left the account are left out."""
    answer = list(rows)
    if not answer:
        return None
    newest = max(str(row[1]) for row in answer)
    requests = (_request(row) for row in answer if row[1] == newest)
    return KnownRequests(newest, tuple(sorted(requests, key=lambda request: request.app_id)))


def _request(row: Row) -> Request:
    app_id, _, verdict, reason, requested_on, requests, missing, unknown = row
    asked_on = _date(requested_on)
    replaced = int(requests or 0) > 1
    return Request(
        app_id=int(app_id or 0),
        verdict=Verdict(verdict or Verdict.FAILED),
        reason=reason or "",
        known_since=None if replaced else asked_on,
        replaced_on=asked_on if replaced else None,
        missing_reports=_names(missing),
        unknown_reports=_names(unknown),
    )


def _names(joined: str | None) -> frozenset[str]:
    return frozenset(name for name in (joined or "").split(_BETWEEN_NAMES) if name)


def arrivals_query(since: date, until: date) -> str:
    """Per app and table, the ONGOING instances up to a processing date that runs since this day have handled.

    One that was rolled back after its conversion does not count as converted, so that its Dates are missing.
    """
    instances = (
        "SELECT *, MAX(CASE WHEN is_rolled_back THEN run_id END) OVER (PARTITION BY app_id, instance_id) "  # noqa: S608
        f"AS rolled_back_in FROM instances WHERE access_type = '{AccessType.ONGOING}' AND table_name IS NOT NULL "
        f"AND {PARTITION_COLUMN} >= DATE '{since.isoformat()}' AND processing_date <= DATE '{until.isoformat()}'"
    )
    return (
        "SELECT app_id, table_name, "  # noqa: S608 (no text from outside)
        "ARRAY_JOIN(ARRAY_AGG(DISTINCT CAST(processing_date AS varchar)), ' '), "
        f"ARRAY_JOIN(ARRAY_AGG(DISTINCT CAST(processing_date AS varchar)) FILTER ({_CONVERTED}), ' '), "
        f"MAX(run_id) FILTER ({_CONVERTED}), "
        f"MAX(processing_date) FILTER ({_ended(Verdict.QUARANTINED)}), "
        f"MAX(processing_date) FILTER ({_ended(Verdict.NOT_READY)}), "
        f"MAX(processing_date) FILTER ({_NOT_CONVERTED}), MAX_BY(reason, processing_date) FILTER ({_NOT_CONVERTED}) "
        f"FROM ({instances}) AS handled GROUP BY app_id, table_name ORDER BY app_id"
    )


def known_arrivals(rows: Iterable[Row]) -> Iterator[tuple[int, str, Arrivals]]:
    """The result of `arrivals_query`: app, table and the newest processing date."""
    for app_id, table, known, converted, arrived_in, quarantined, not_ready, not_converted, reason in rows:
        arrivals = Arrivals(
            known=_dates(known),
            converted=_dates(converted),
            arrived_at=instant_of_run(arrived_in) if arrived_in else None,
            quarantined=_date(quarantined),
            not_ready=_date(not_ready),
            not_converted=_date(not_converted),
            reason=reason or "",
        )
        yield int(app_id or 0), str(table), arrivals


def presence_queries(due: Mapping[CuratedTable, Sequence[date]]) -> Iterator[str]:
    """The due Dates with rows per app, and their processing dates: for all tables in one query, or in a few.

    Only two columns are read; they are sorted and therefore compressed to almost nothing. All due Dates of a table of
    an app are one row, because Athena returns a thousand rows at a time.
    """
    tables = list(due)
    for start in range(0, len(tables), _TABLES_PER_QUERY):
        scans = " UNION ALL ".join(_scan(table, due[table]) for table in tables[start : start + _TABLES_PER_QUERY])
        yield (
            "SELECT app_id, table_name, ARRAY_JOIN(ARRAY_AGG("  # noqa: S608
            f"CAST({PARTITION_COLUMN} AS varchar) || '{_BETWEEN_DATES}' || CAST(newest AS varchar)), ' ') "
            f"FROM (SELECT app_id, table_name, {PARTITION_COLUMN}, MAX(processing_date) AS newest "
            f"FROM ({scans}) AS scans GROUP BY app_id, table_name, {PARTITION_COLUMN}) AS present "
            "GROUP BY app_id, table_name ORDER BY app_id"
        )


def present_dates(rows: Iterable[Row]) -> Iterator[tuple[int, str, dict[date, date]]]:
    """The result of one of the `presence_queries`: app, table and the newest processing date by Date."""
    for app_id, table, joined in rows:
        pairs = (pair.split(_BETWEEN_DATES) for pair in (joined or "").split())
        yield int(app_id or 0), str(table), {date.fromisoformat(day): date.fromisoformat(built) for day, built in pairs}


class AppByApp(Generic[T]):
    """Facts sorted by app, as (app, table, fact), for a caller that asks for one app after the other."""

    def __init__(self, facts: Iterable[tuple[int, str, T]]) -> None:
        self._groups = groupby(facts, key=itemgetter(0))
        self._ahead = next(self._groups, None)

    def of(self, app_id: int) -> dict[str, T]:
        """The facts of an app by table. Facts of earlier apps are skipped and cannot be asked for again."""
        while self._ahead is not None and self._ahead[0] < app_id:
            self._ahead = next(self._groups, None)
        if self._ahead is None or self._ahead[0] > app_id:
            return {}
        return {table: fact for _, table, fact in self._ahead[1]}


def _scan(table: CuratedTable, days: Sequence[date]) -> str:
    dates = ", ".join(f"DATE '{day.isoformat()}'" for day in sorted(days))
    return (
        f"SELECT '{table.name}' AS table_name, app_id, {PARTITION_COLUMN}, processing_date "  # noqa: S608
        f'FROM "{table.name}" WHERE {PARTITION_COLUMN} IN ({dates})'
    )


def _ended(verdict: Verdict) -> str:
    return f"WHERE verdict = '{verdict}'"


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _dates(joined: str | None) -> frozenset[date]:
    return frozenset(date.fromisoformat(day) for day in (joined or "").split())

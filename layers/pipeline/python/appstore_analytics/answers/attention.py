"""Problems, one line per app, table and cause: who does what about it, and until when that helps."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from appstore_analytics.answers.judged_dates import JudgedDates, JudgedTable
from appstore_analytics.answers.repair_runs import RepairRun
from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.model.instances import InstanceStatus
from appstore_analytics.rules.calendar import published_on
from appstore_analytics.rules.date_verdicts import DateVerdict
from appstore_analytics.rules.gaps import MissingDate
from appstore_analytics.rules.ledger_tables import LedgerTable
from appstore_analytics.rules.repairs import Repair, command

_OPERATOR = "the operator of the pipeline"
_ADMIN = "an Admin of App Store Connect"
_NEXT_RUN = "the next daily run"

_WHOLE_APP: Mapping[DateVerdict, tuple[str, str]] = {
    DateVerdict.FORBIDDEN: (_ADMIN, "accept the agreement, or give the key's role; ./manage.py put-key stores a key"),
    DateVerdict.KEY_REJECTED: (_ADMIN, "make a new API key; ./manage.py put-key stores it"),
    DateVerdict.STOPPED: (_NEXT_RUN, "it has made a new request, and data comes 24 to 48 hours later"),
}
"""Causes that affect a whole app, with the person and the action that resolve each."""
_DOCS = "docs/operations.md#"
_CHAPTERS: Mapping[DateVerdict, str] = {
    DateVerdict.QUARANTINED: "quarantined",
    DateVerdict.MISMATCH: "mismatch",
    DateVerdict.NOT_OFFERED: "a-report-that-apple-does-not-offer",
    DateVerdict.LATE: "is-yesterday-complete",
    DateVerdict.EXPIRED: "is-yesterday-complete",
}


@dataclass(frozen=True, slots=True)
class Attention:
    """One problem. Without a `table_name` it concerns the whole app.

    `first` and `last` are the first and last missing Dates, `dates` their number. The problem exists since `since`, and
    Apple keeps the data that repairs it until `kept_until`. `ruled_out` are causes that were checked and do not apply.
    `repair` is None if no run can repair it, or if the next daily run does; `docs` is a place in the documentation.
    """

    verdict: DateVerdict
    account: str
    app_id: str
    app_name: str
    table_name: str
    reason: str
    ruled_out: tuple[str, ...]
    who: str
    do: str
    since: date | None
    first: date | None
    last: date | None
    dates: int
    kept_until: date | None
    repair: RepairRun | None
    run_id: str
    docs: str


def needing_attention(
    judged: JudgedDates,
    tables: Iterable[JudgedTable],
    accounts: Iterable[Account],
    names: Mapping[str, str],
    as_of: date,
) -> tuple[Attention, ...]:
    """A line for each app that is affected as a whole, and for each cause in a table of an app; the oldest first."""
    account_of = {app_id: account.name for account in accounts for app_id in account.app_ids}
    found: list[Attention] = []
    for table in tables:
        for app_id in sorted(table.behind):
            open_dates = {
                day: verdict
                for day, verdict in judged.verdicts(app_id, table.table, list(table.counts))
                if verdict.needs_action
            }
            found += _of_table(judged, app_id, table.table, open_dates, as_of)
    told = (
        replace(
            one,
            account=account_of[one.app_id],
            app_name=names.get(one.app_id, ""),
            since=one.since and min(one.since, as_of),  # what came today is a problem today
        )
        for one in _joined(found)
    )
    return tuple(sorted(told, key=lambda one: (one.since or date.max, one.app_id, one.table_name)))


def _of_table(
    judged: JudgedDates, app_id: str, table: CuratedTable, open_dates: Mapping[date, DateVerdict], as_of: date
) -> Iterator[Attention]:
    known = judged.ledger.table(app_id, table)
    alike: dict[tuple[DateVerdict, str, Repair], list[MissingDate]] = defaultdict(list)
    without: dict[DateVerdict, list[date]] = defaultdict(list)
    for day, verdict in open_dates.items():
        if known is None or verdict in _WHOLE_APP or verdict is DateVerdict.NOT_OFFERED:
            without[verdict].append(day)
        else:
            missing = known.known.missing(day, as_of)
            alike[verdict, missing.cause, missing.repair].append(missing)
    feed = judged.checks.feeds.get((app_id, table.name))
    for verdict, days in without.items():
        yield _by_check(verdict, app_id, table, days, feed.reason if feed else "")
    for (verdict, cause, repair), dates in alike.items():
        yield _by_ledger(verdict, cause, repair, app_id, table, dates, known, as_of)  # type: ignore[arg-type]


def _by_check(verdict: DateVerdict, app_id: str, table: CuratedTable, days: Sequence[date], reason: str) -> Attention:
    """Findings of the freshness check: apps that are affected as a whole, and reports that never arrived."""
    who, do = _WHOLE_APP.get(verdict, (_OPERATOR, "./manage.py freshness lists the Dates"))
    table_name = "" if verdict in _WHOLE_APP else table.name
    return _line(verdict, app_id, table_name, table, reason or str(verdict), who, do, sorted(days))


def _by_ledger(
    verdict: DateVerdict,
    cause: str,
    repair: Repair,
    app_id: str,
    table: CuratedTable,
    dates: Sequence[MissingDate],
    known: LedgerTable,
    as_of: date,
) -> Attention:
    days = sorted(one.day for one in dates)
    reason = next((text for text in (known.known.reason(day) for day in days) if text), cause)
    who, do = _OPERATOR, command(repair, app_id, table, [one.processing_date or one.day for one in dates])
    if repair is Repair.NEXT_RUN:
        who, do = _NEXT_RUN, f"from {min(one.repair_from for one in dates)} on"
    line = _line(verdict, app_id, table.name, table, f"{reason[:1].upper()}{reason[1:].rstrip('.')}.", who, do, days)
    left = min(one.days_left for one in dates)
    return replace(
        line,
        ruled_out=tuple(_ruled_out(known)),
        kept_until=as_of + timedelta(days=left) if left else None,
        repair=_repair(repair, app_id, table, dates),
    )


def _line(
    verdict: DateVerdict,
    app_id: str,
    table_name: str,
    table: CuratedTable,
    reason: str,
    who: str,
    do: str,
    days: Sequence[date],
) -> Attention:
    return Attention(
        verdict=verdict,
        account="",
        app_id=app_id,
        app_name="",
        table_name=table_name,
        reason=reason,
        ruled_out=(),
        who=who,
        do=do,
        since=published_on(days[0], table) + timedelta(days=1),
        first=days[0],
        last=days[-1],
        dates=len(days),
        kept_until=None,
        repair=None,
        run_id="",
        docs=f"{_DOCS}{_CHAPTERS.get(verdict, 'verdicts')}",
    )


def _ruled_out(known: LedgerTable) -> Iterator[str]:
    """Causes that were checked and do not apply."""
    table = known.known
    statuses = {instance.status for instance in table.daily}
    if InstanceStatus.QUARANTINED not in statuses:
        yield "No file of it is in quarantine."
    if InstanceStatus.EXPIRED not in statuses:
        yield "No file of it was deleted before it was fetched."
    if table.ongoing.request_id and table.ongoing.newest_instance:
        yield f"Its report request is live: Apple's newest file for the app is of {table.ongoing.newest_instance}."


def _repair(repair: Repair, app_id: str, table: CuratedTable, dates: Sequence[MissingDate]) -> RepairRun | None:
    """The run that an operator can plan: Dates for a backfill, processing dates for the other operations."""
    if repair is Repair.NEXT_RUN:
        return None
    days = sorted(one.day if repair is Repair.BACKFILL else one.processing_date or one.day for one in dates)
    start, end = (
        ("start_date", "end_date")
        if repair is Repair.BACKFILL
        else (
            "start_processing_date",
            "end_processing_date",
        )
    )
    of_app: dict[str, Any] = {"app_ids": [app_id], "reports": [table.report.table]}
    return RepairRun(repair.name.lower(), {**of_app, start: days[0].isoformat(), end: days[-1].isoformat()})


def _joined(lines: Iterable[Attention]) -> Iterator[Attention]:
    """A cause that affects a whole app is one line, however many tables report it."""
    by_app: dict[tuple[str, DateVerdict], list[Attention]] = defaultdict(list)
    for line in lines:
        if line.table_name:
            yield line
        else:
            by_app[line.app_id, line.verdict].append(line)
    for of_app in by_app.values():
        earliest = min(of_app, key=lambda line: line.since or date.max)
        last = max(line.last for line in of_app if line.last)
        yield replace(earliest, last=last, dates=max(line.dates for line in of_app))

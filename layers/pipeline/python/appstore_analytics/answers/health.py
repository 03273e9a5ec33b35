"""`health`: runs, report requests, gaps and freshness in one look: is all well, and if not, what needs whom."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from appstore_analytics.answers.executions import RUNNING, Pipeline
from appstore_analytics.answers.facts import counted
from appstore_analytics.answers.freshness import checked_rows
from appstore_analytics.answers.gaps import Gap, Gaps, find_gaps
from appstore_analytics.answers.runs import SUCCEEDED, RunLine, list_runs, newest_reports
from appstore_analytics.answers.status import RequestLine, RequestStatus, RequestVerdict, request_status
from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.tables import CuratedTable, tables_by_name
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.model.plan import named
from appstore_analytics.rules.freshness import Freshness
from appstore_analytics.rules.repairs import Repair

OPERATOR = "the operator of the pipeline"
ADMIN = "an Admin of App Store Connect"
NEXT_RUN = "only the next daily run"

_RUNS_LOOKED_AT = 20
_NAMED = 5
_RUN_WITHIN = timedelta(hours=30)
"""The schedule starts a run a day, is repeated for two hours, and a run of thousands of apps takes a few."""
_CHECK_WITHIN = timedelta(hours=3)
"""The check is hourly; one that failed is made up for by the next."""


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that is not well: who has to do what about it, and how many apps it is about (none: all of them)."""

    what: str
    who: str
    do: str
    apps: int | None = None
    which: str = ""


@dataclass(frozen=True, slots=True)
class AppState:
    """One app that was asked about: how the newest daily run ended for it."""

    account: str
    app_id: str
    app_name: str
    last_verdict: str


@dataclass(frozen=True, slots=True)
class TableState:
    """One table of an app that was asked about: the verdict of the last check of freshness."""

    app_id: str
    table_name: str
    verdict: str
    newest_due_date: date | None
    reason: str


@dataclass(frozen=True, slots=True)
class Health:
    """One look. `complete_until` is the newest Date that every daily table has complete for every app.

    `apps` and `tables` are there for apps that were asked about by name, not for all.
    """

    as_of: date
    last_run: RunLine | None
    checked_at: str
    complete_until: date | None
    requests: Mapping[str, int]
    needs: tuple[Need, ...]
    apps: tuple[AppState, ...] = ()
    tables: tuple[TableState, ...] = ()

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.needs

    @property
    def sentence(self) -> str:
        """Whether all is well, or what is wrong first."""
        if self.needs:
            first = self.needs[0]
            more = f" And {counted(len(self.needs) - 1, 'more thing')} need attention." if len(self.needs) > 1 else ""
            return f"Not well: {first.what}. It needs {first.who}: {first.do}.{more}"
        run = f"the run {self.last_run.run_id} {self.last_run.status}" if self.last_run else "no run has ended"
        until = f", and daily tables are complete until {self.complete_until}" if self.complete_until else ""
        return f"All is well: {run}{until}."


def look(
    pipeline: Pipeline,
    accounts: tuple[Account, ...],
    tables: Sequence[CuratedTable],
    names: Mapping[str, str],
    as_of: date,
    now: datetime,
    *,
    detailed: bool = False,
) -> Health:
    """Judge runs, requests, gaps and freshness of these accounts together. Apple is not asked, nothing changes.

    `as_of` is the day to judge Dates and requests by, `now` the moment to judge the ages of the last run and the last
    check by. `detailed` is for chosen apps: their own verdicts count instead of the whole run's, and are shown.
    """
    lake, registry = pipeline.lake, pipeline.registry
    app_ids = {app_id for account in accounts for app_id in account.app_ids}
    runs = list_runs(pipeline, _RUNS_LOOKED_AT).runs
    status = request_status(accounts, registry, lake, as_of)
    gaps = find_gaps(accounts, tables, registry, lake, as_of)
    every = list(checked_rows(lake))
    checked_at = max((row["checked_at"] for row in every), default="")
    checked = [row for row in every if str(row["app_id"]) in app_ids]
    verdicts = _last_verdicts(pipeline, app_ids)
    needs = (
        *(_of_verdicts(verdicts, names) if detailed else _of_last_run(runs)),
        *_of_age(runs, checked_at, now),
        *_of_requests(status),
        *_of_gaps(gaps),
        *_of_freshness(checked, gaps, names),
    )
    return Health(
        as_of=as_of,
        last_run=_last_ended(runs),
        checked_at=checked_at,
        complete_until=_complete_until(gaps),
        requests=dict(sorted(Counter(str(one.verdict) for one in status.requests).items())),
        needs=tuple(needs),
        apps=tuple(_apps(accounts, names, verdicts)) if detailed else (),
        tables=tuple(map(_table, checked)) if detailed else (),
    )


def not_fetched(wanted: str, as_of: date) -> Health:
    """The answer about an app that no account has."""
    need = Need(
        f"no account has the app {wanted}",
        ADMIN,
        "give the API key access to the app in App Store Connect, or put its id under accounts in cdk.json and deploy",
    )
    return Health(as_of, None, "", None, {}, (need,))


def _last_ended(runs: Iterable[RunLine]) -> RunLine | None:
    return next((run for run in runs if run.status != RUNNING), None)


def _of_last_run(runs: Sequence[RunLine]) -> Iterator[Need]:
    last = _last_ended(runs)
    if last is not None and last.status != SUCCEEDED:
        cause = last.cause.rstrip(".") or last.status
        yield Need(f"the run {last.run_id} {last.status}: {cause}", OPERATOR, f"./manage.py run {last.run_id}")


def _of_age(runs: Sequence[RunLine], checked_at: str, now: datetime) -> Iterator[Need]:
    """Nothing started, or nothing checked, for longer than the schedules allow."""
    daily = [run for run in runs if run.operation in (Operation.DAILY, "")]
    if not daily:
        yield Need("no daily run has started yet", OPERATOR, "./manage.py daily")
        return
    if now - daily[0].started_at > _RUN_WITHIN:
        since = f"{daily[0].started_at:%Y-%m-%d %H:%M} UTC"
        yield Need(f"no daily run has started since {since}", OPERATOR, "./manage.py doctor, then ./manage.py daily")
    if checked_at and now - datetime.fromisoformat(checked_at) > _CHECK_WITHIN:
        yield Need(f"freshness was checked last at {checked_at}", OPERATOR, "./manage.py freshness --now")
    if not checked_at and now - daily[-1].started_at > _CHECK_WITHIN:
        yield Need("freshness has never been checked", OPERATOR, "./manage.py freshness --now")


_REQUESTS: Mapping[RequestVerdict, tuple[str, str]] = {
    RequestVerdict.STOPPED: (NEXT_RUN, "it has made a new one, and data comes 24 to 48 hours later"),
    RequestVerdict.SILENT: (NEXT_RUN, "it looks whether Apple still lists the request"),
    RequestVerdict.FORBIDDEN: (ADMIN, "accept the agreement or give the key's role; ./manage.py put-key stores a key"),
    RequestVerdict.KEY_REJECTED: (ADMIN, "make a new API key; ./manage.py put-key stores it"),
    RequestVerdict.CONFLICT: (OPERATOR, "./manage.py run newest, and docs/operations.md under conflict"),
    RequestVerdict.FAILED: (OPERATOR, "./manage.py run newest"),
}


def _of_requests(status: RequestStatus) -> Iterator[Need]:
    by_verdict: dict[RequestVerdict, list[RequestLine]] = defaultdict(list)
    for line in status.requests:
        if line.verdict.is_failure:
            by_verdict[line.verdict].append(line)
    for verdict, lines in by_verdict.items():
        who, do = _REQUESTS[verdict]
        apps = [named(line.app_id, line.app_name) for line in lines]
        yield Need(f"report requests are {verdict}: {lines[0].reason}", who, do, len(set(apps)), _listed(apps))


def _of_gaps(gaps: Gaps) -> Iterator[Need]:
    alike: dict[tuple[Repair, str], list[Gap]] = defaultdict(list)
    for gap in gaps.gaps:
        alike[gap.repair, gap.cause].append(gap)
    for (repair, cause), found in alike.items():
        dates = counted(sum(gap.dates for gap in found), "Date")
        apps = sorted({named(gap.app_id, gap.app_name) for gap in found})
        who = NEXT_RUN if repair is Repair.NEXT_RUN else OPERATOR
        yield Need(f"{dates} not complete: {cause}", who, _repair(repair, found), len(apps), _listed(apps))


def _repair(repair: Repair, found: Sequence[Gap]) -> str:
    """What completes these Dates: nothing, or the command of the repair's name."""
    if repair is Repair.NEXT_RUN:
        return f"from {min(gap.repair_from for gap in found)} on"
    app_ids = " ".join(sorted({gap.app_id for gap in found})[:_NAMED])
    dates = f" --from {min(gap.first for gap in found)} --to {max(gap.last for gap in found)}"
    return f"./manage.py {repair} --apps {app_ids}{dates if repair is Repair.BACKFILL else ''}"


_FRESHNESS: Mapping[Freshness, tuple[str, str]] = {
    Freshness.LATE: (OPERATOR, "./manage.py freshness says which Dates"),
    Freshness.NOT_OFFERED: (OPERATOR, "take the report out of cdk.json, or wait until Apple offers it"),
    Freshness.STOPPED: _REQUESTS[RequestVerdict.STOPPED],
    Freshness.FORBIDDEN: _REQUESTS[RequestVerdict.FORBIDDEN],
    Freshness.KEY_EXPIRED: _REQUESTS[RequestVerdict.KEY_REJECTED],
    Freshness.QUARANTINED: (OPERATOR, "./manage.py schema-verify, then ./manage.py reprocess"),
}


def _of_freshness(checked: Iterable[Mapping[str, Any]], gaps: Gaps, names: Mapping[str, str]) -> Iterator[Need]:
    """Stale tables of apps that are no gap: a gap says more about them."""
    known = {(gap.app_id, gap.table_name) for gap in gaps.gaps}
    by_verdict: dict[Freshness, list[Mapping[str, Any]]] = defaultdict(list)
    for row in checked:
        verdict = Freshness(row["verdict"])
        if verdict.is_stale and (str(row["app_id"]), row["table_name"]) not in known:
            by_verdict[verdict].append(row)
    for verdict, rows in by_verdict.items():
        who, do = _FRESHNESS[verdict]
        apps = sorted({named(str(row["app_id"]), names.get(str(row["app_id"]), "")) for row in rows})
        tables = counted(len(rows), "table")
        yield Need(f"{tables} of apps {verdict}: {rows[0]['reason']}", who, do, len(apps), _listed(apps))


def _last_verdicts(pipeline: Pipeline, app_ids: Collection[str]) -> dict[str, str]:
    """How the newest daily run ended for each app."""
    report = next((report for _, report in newest_reports(pipeline.lake, 1, Operation.DAILY)), {})
    by_verdict: Mapping[str, list[str]] = report.get("apps_by_verdict", {})
    return {app: verdict for verdict, apps in by_verdict.items() for app in apps if app in app_ids}


def _of_verdicts(verdicts: Mapping[str, str], names: Mapping[str, str]) -> Iterator[Need]:
    for app_id, verdict in verdicts.items():
        if Verdict(verdict).is_failure:
            app = named(app_id, names.get(app_id, ""))
            yield Need(f"the last daily run ended {verdict} for {app}", OPERATOR, "./manage.py run newest", 1, app)


def _complete_until(gaps: Gaps) -> date | None:
    known = tables_by_name()
    daily = [table.complete_until for table in gaps.tables if known[table.table_name].granularity is Granularity.DAILY]
    return min((until for until in daily if until), default=None) if all(daily) else None


def _apps(accounts: Iterable[Account], names: Mapping[str, str], verdicts: Mapping[str, str]) -> Iterator[AppState]:
    for account in accounts:
        for app_id in account.app_ids:
            yield AppState(account.name, app_id, names.get(app_id, ""), verdicts.get(app_id, "in no daily run yet"))


def _table(row: Mapping[str, Any]) -> TableState:
    due = row["newest_due_date"]
    newest = date.fromisoformat(due) if due else None
    return TableState(str(row["app_id"]), row["table_name"], row["verdict"], newest, row["reason"])


def _listed(apps: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(apps))
    more = f" and {len(distinct) - _NAMED:,} more" if len(distinct) > _NAMED else ""
    return ", ".join(distinct[:_NAMED]) + more

"""`health`: runs, report requests, gaps and freshness together: is all complete, and if not, who has to do what."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from appstore_analytics.answers import needs
from appstore_analytics.answers.attention import Attention, needing_attention
from appstore_analytics.answers.checks import LOOKED_BACK, read_checks
from appstore_analytics.answers.executions import RUNNING, Pipeline
from appstore_analytics.answers.facts import counted
from appstore_analytics.answers.gaps import find_gaps
from appstore_analytics.answers.judged_dates import DATES_JUDGED, JudgedDates, JudgedTable
from appstore_analytics.answers.needs import Need
from appstore_analytics.answers.run_facts import RunLine
from appstore_analytics.answers.runs import list_runs, newest_reports
from appstore_analytics.answers.status import RequestStatus, RequestVerdict, request_status
from appstore_analytics.answers.table_dates import MAIN_TABLES, main_first, newest_dates
from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.checks import CheckedFeed
from appstore_analytics.model.remembered import Remembered
from appstore_analytics.rules.calendar import complete_on

_RUNS_LOOKED_AT = 20
_ATTENTION_SHOWN = 100


@dataclass(frozen=True, slots=True)
class AppState:
    """One app that was named in the question: its verdict in the newest daily run."""

    account: str
    app_id: str
    app_name: str
    last_verdict: str


@dataclass(frozen=True, slots=True)
class TableState:
    """One table of an app that was named in the question: the verdict of the last freshness check."""

    app_id: str
    table_name: str
    verdict: str
    newest_due_date: date | None
    reason: str


@dataclass(frozen=True, slots=True)
class TableUntil:
    """One daily table: every app is complete up to `complete_until`, `apps_complete` of `apps` up to `most_until`."""

    table_name: str
    is_main: bool
    complete_until: date | None
    most_until: date | None
    apps: int
    apps_complete: int


@dataclass(frozen=True, slots=True)
class FinalOn:
    """The day on which Apple has completed a Date in these tables; only main tables are named."""

    day: date
    tables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Yesterday:
    """Whether yesterday is complete in every daily table of every app, and when Apple completes the rest."""

    day: date
    is_complete: bool
    final_on: tuple[FinalOn, ...]


@dataclass(frozen=True, slots=True)
class FirstDays:
    """There is no data yet, and no problem: `requests` were made, and Apple builds the first reports."""

    registered_at: datetime | None
    requests: int
    first_numbers_from: date | None
    first_numbers_until: date | None


@dataclass(frozen=True, slots=True)
class Health:
    """The state of the installation on the day `judged_on`.

    `complete_until` is the newest Date that every daily table has complete for every app, `most_until` the same for
    `apps_complete` of `apps_known`; `until` lists it by table. `needs` are the problems, similar ones together;
    `attention` has a line for each app and table, the oldest first. `next_run_at` is the schedule's next start,
    `running` a run that is under way, and `first_days` is set until the first numbers exist. `apps` and `tables` are
    only there for apps that were named in the question.
    """

    judged_on: date
    last_run: RunLine | None
    checked_at: str
    complete_until: date | None
    requests: Mapping[str, int]
    needs: tuple[Need, ...]
    apps: tuple[AppState, ...] = ()
    tables: tuple[TableState, ...] = ()
    most_until: date | None = None
    apps_known: int = 0
    apps_complete: int = 0
    until: tuple[TableUntil, ...] = ()
    yesterday: Yesterday | None = None
    attention: tuple[Attention, ...] = ()
    next_run_at: datetime | None = None
    first_days: FirstDays | None = None
    running: RunLine | None = None

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


@dataclass(frozen=True)
class Looked:
    """The subject of a question: the apps of these accounts, and whether these are all apps (`is_whole`)."""

    accounts: tuple[Account, ...]
    tables: tuple[CuratedTable, ...]
    names: Mapping[str, str]
    is_whole: bool = True
    next_run_at: datetime | None = None

    @property
    def app_ids(self) -> tuple[str, ...]:
        """The ids of the apps."""
        return tuple(app_id for account in self.accounts for app_id in account.app_ids)


def look(
    pipeline: Pipeline,
    at: Looked,
    as_of: date,
    now: datetime,
    remembered: Remembered,
    *,
    detailed: bool = False,
) -> Health:
    """Judge runs, requests, gaps and freshness of these accounts together. Reads only; makes no call to Apple.

    Dates and requests are judged as of the day `as_of`, the ages of the last run and the last check as of the time
    `now`. `detailed` is for named apps: their own verdicts count instead of the whole run's, and are shown. Apps
    without a problem in the freshness checks are not looked up one by one.
    """
    lake, registry = pipeline.lake, pipeline.registry
    runs = list_runs(pipeline, _RUNS_LOOKED_AT, None if at.is_whole else frozenset(at.app_ids)).runs
    judged = JudgedDates(
        at.app_ids, read_checks(lake, at.app_ids, as_of, remembered), registry, lake, as_of, remembered
    )
    tables = [judged.judge(table, newest_dates(as_of, DATES_JUDGED)) for table in main_first(at.tables)]
    odd = _odd(at.accounts, judged, tables)
    status = request_status(odd, registry, lake, as_of)
    gaps = find_gaps(odd, at.tables, registry, lake, as_of, as_of - LOOKED_BACK if judged.checks.newest else None)
    verdicts = _last_verdicts(pipeline, frozenset(at.app_ids))
    found = (
        *(needs.of_verdicts(verdicts, at.names) if detailed or not at.is_whole else needs.of_last_run(runs)),
        *needs.of_age(runs, judged.checks.checked_at, now),
        *needs.of_requests(status),
        *needs.of_gaps(gaps),
        *needs.of_freshness(_stale(judged, at.tables), gaps, at.names),
    )
    return Health(
        judged_on=as_of,
        last_run=needs.last_ended(runs),
        checked_at=judged.checks.checked_at,
        complete_until=_earliest(table.complete_until for table in tables),
        requests=_requests(status, len(at.app_ids) - sum(len(one.app_ids) for one in odd)),
        needs=found,
        apps=tuple(_apps(at.accounts, at.names, verdicts)) if detailed else (),
        tables=tuple(map(_table, judged.checks.feeds.values())) if detailed else (),
        most_until=_earliest(table.most_until for table in tables),
        apps_known=len(at.app_ids),
        apps_complete=len(at.app_ids) - len(frozenset().union(*(table.behind for table in tables))),
        until=tuple(map(_until, tables)),
        yesterday=_yesterday(tables, as_of),
        attention=needing_attention(judged, tables, at.accounts, at.names, as_of)[:_ATTENTION_SHOWN],
        next_run_at=at.next_run_at,
        first_days=_first_days(status, tables, runs),
        running=next((run for run in runs if run.status == RUNNING), None),
    )


def not_fetched(wanted: str, as_of: date) -> Health:
    """The answer about an app that no account has."""
    need = Need(
        f"no account has the app {wanted}",
        needs.ADMIN,
        "give the API key access to the app in App Store Connect, or put its id under accounts in cdk.json and deploy",
    )
    return Health(as_of, None, "", None, {}, (need,))


def _odd(accounts: Iterable[Account], judged: JudgedDates, tables: Iterable[JudgedTable]) -> tuple[Account, ...]:
    """The apps with a problem in any table, and the apps that the checks do not cover."""
    odd = frozenset().union(*(table.odd for table in tables)) if judged.checks.newest else frozenset(judged.app_ids)
    apart = (
        replace(account, app_ids=tuple(app_id for app_id in account.app_ids if app_id in odd)) for account in accounts
    )
    return tuple(account for account in apart if account.app_ids)


def _stale(judged: JudgedDates, tables: Iterable[CuratedTable]) -> Iterator[CheckedFeed]:
    """The stale tables that the last check found, without those that a run has completed since."""
    by_name = {table.name: table for table in tables}
    for feed in judged.checks.feeds.values():
        if feed.verdict.is_stale and judged.is_still_so(feed, by_name):
            yield feed


def _requests(status: RequestStatus, plain: int) -> dict[str, int]:
    """The number of requests per verdict; an app whose data comes every day has a ready request."""
    counts = Counter(str(one.verdict) for one in status.requests)
    return dict(sorted((counts + Counter({str(RequestVerdict.READY): plain})).items()))


def _earliest(days: Iterable[date | None]) -> date | None:
    """The earliest of the Dates; None if one of them is unknown, or there is none."""
    found = list(days)
    return min((day for day in found if day), default=None) if all(found) else None


def _until(judged: JudgedTable) -> TableUntil:
    name = judged.table.name
    apps_complete = judged.apps - len(judged.behind)
    return TableUntil(name, name in MAIN_TABLES, judged.complete_until, judged.most_until, judged.apps, apps_complete)


def _yesterday(tables: Sequence[JudgedTable], as_of: date) -> Yesterday:
    day = as_of - timedelta(days=1)
    names: dict[date, list[str]] = defaultdict(list)
    for judged in tables:
        if judged.table.name in MAIN_TABLES:
            names[complete_on(day, judged.table)].append(judged.table.name)
    is_complete = bool(tables) and all(table.complete_until == day for table in tables)
    return Yesterday(day, is_complete, tuple(FinalOn(on, tuple(of)) for on, of in sorted(names.items())))


def _first_days(status: RequestStatus, tables: Sequence[JudgedTable], runs: Sequence[RunLine]) -> FirstDays | None:
    """Set from the first request until the first object of any table is published."""
    asked = [line.requested_on for line in status.requests if line.requested_on]
    if not asked or any(table.has_objects for table in tables):
        return None
    first = min(asked)
    started = min((run.started_at for run in runs), default=None)
    return FirstDays(started, len(asked), first + timedelta(days=1), first + timedelta(days=2))


def _last_verdicts(pipeline: Pipeline, app_ids: Collection[str]) -> dict[str, str]:
    """The verdict of each app in the newest daily run."""
    report = next((report for _, report in newest_reports(pipeline.lake, 1, Operation.DAILY)), {})
    by_verdict: Mapping[str, list[str]] = report.get("apps_by_verdict", {})
    return {app: verdict for verdict, apps in by_verdict.items() for app in apps if app in app_ids}


def _apps(accounts: Iterable[Account], names: Mapping[str, str], verdicts: Mapping[str, str]) -> Iterator[AppState]:
    for account in accounts:
        for app_id in account.app_ids:
            yield AppState(account.name, app_id, names.get(app_id, ""), verdicts.get(app_id, "in no daily run yet"))


def _table(feed: CheckedFeed) -> TableState:
    return TableState(feed.app_id, feed.table_name, feed.verdict, feed.newest_due, feed.reason)

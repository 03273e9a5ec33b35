"""The results of the hourly freshness checks of the last weeks: enough to know which Dates are complete.

Each check covers the newest due Dates of a table, so one check in three covers a month:

    Dates     … 17 18 19 │ 20 21 22 │ 23 24 25      due when they were checked, complete unless a check says so
    checks           ▲          ▲          ▲ now

A Date that was missing when it was last due may have been repaired since, so the ledger is read for it. A complete Date
stays complete unless a run is rolled back: for the Dates of such a run, the ledger of its apps is read as well.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from appstore_analytics.answers.runs import newest_reports
from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.lake.checks import Check, CheckedFeed, read_check, stored_checks
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.run_notes import find_plan
from appstore_analytics.model.remembered import Remembered
from appstore_analytics.rules.calendar import preceding
from appstore_analytics.rules.date_verdicts import DateVerdict, of_freshness
from appstore_analytics.rules.freshness import DATES_LOOKED_AT
from appstore_analytics.rules.times import instant_of_run

LOOKED_BACK = timedelta(days=75)
"""Checks are used to judge Dates this far back: two months, and the windows after them."""

_ROLLBACKS_LOOKED_AT = 20
_SPOKEN_FOR_DAYS = 8
"""A daily instance covers the Dates of its window, which has at most five days, and the Dates before it."""


@dataclass(frozen=True, slots=True)
class Rollback:
    """The apps for which a rollback restored older data, and the day of the rolled-back run."""

    app_ids: frozenset[str]
    day: date

    @property
    def days(self) -> Iterator[date]:
        """The Dates that it may have made incomplete."""
        return (self.day - timedelta(days=number) for number in range(_SPOKEN_FOR_DAYS + 1))


@dataclass(frozen=True)
class Checks:
    """The newest check, and the results of older ones for the Dates before it. Without any check nothing is known."""

    newest: Check | None
    older: tuple[Check, ...]
    rollbacks: tuple[Rollback, ...] = ()

    @property
    def checked_at(self) -> str:
        """The time of the newest check; empty without one."""
        return self.newest.checked_at if self.newest else ""

    @cached_property
    def feeds(self) -> Mapping[tuple[str, str], CheckedFeed]:
        """The newest check, by app and table."""
        return {(feed.app_id, feed.table_name): feed for feed in self.newest.feeds} if self.newest else {}

    @cached_property
    def lacking(self) -> Mapping[tuple[str, str], Mapping[date, DateVerdict]]:
        """By app and table the Dates that were missing when they were last due, with the reasons."""
        found: dict[tuple[str, str], dict[date, DateVerdict]] = defaultdict(dict)
        for feed in self._from_old_to_new():
            lacked = found[feed.app_id, feed.table_name]
            lacked |= dict.fromkeys(feed.missing, of_freshness(feed.verdict))
        return found

    def doubted(self, app_id: str) -> frozenset[date]:
        """The Dates that a rollback may have made incomplete since they were checked."""
        return frozenset(day for rollback in self.rollbacks if app_id in rollback.app_ids for day in rollback.days)

    def _from_old_to_new(self) -> Iterator[CheckedFeed]:
        for check in (*self.older, *((self.newest,) if self.newest else ())):
            yield from check.feeds

    def newest_due(self, table: CuratedTable) -> date | None:
        """The newest Date of the table that was due at the newest check; None if none was."""
        return self.newest.newest_due.get(table.name) if self.newest else None

    def covers_from(self, app_id: str, table: CuratedTable) -> date | None:
        """The oldest Date since which the checks cover every Date of the app; None if they cover none.

        In the first check only the newest Date counts: the earlier ones may be older than the app's request.
        """
        run = self._unbroken(table)
        if app_id in run.everywhere:
            return run.checks[-1][1]
        first: date | None = None
        for check, due in run.checks:
            if app_id not in check.app_ids or (app_id, table.name) in check.not_due:
                break
            first = due
        return first

    def _unbroken(self, table: CuratedTable) -> "_Unbroken":
        """The newest checks of a table, until the first Date that none of them covers. A thousand apps ask for it."""
        if table.name not in self._runs:
            checks: list[tuple[Check, date]] = []
            for check in reversed((*self.older, *((self.newest,) if self.newest else ()))):
                due = check.newest_due.get(table.name)
                if due is None or (checks and due < _back(checks[-1][1], table.granularity, DATES_LOOKED_AT)):
                    break
                checks.append((check, due))
            self._runs[table.name] = _Unbroken(tuple(checks), _in_all(table.name, [check for check, _ in checks]))
        return self._runs[table.name]

    def settled(self, table: CuratedTable, day: date) -> frozenset[str]:
        """The apps for which every check covers the table, and whose Date no rollback has put in doubt."""
        doubted = (rollback.app_ids for rollback in self.rollbacks if day in rollback.days)
        return self._unbroken(table).everywhere.difference(*doubted)

    @cached_property
    def _runs(self) -> dict[str, "_Unbroken"]:
        return {}


@dataclass(frozen=True, slots=True)
class _Unbroken:
    """Checks of one table with their newest due Dates, newest first, and the apps that all of them cover."""

    checks: tuple[tuple[Check, date], ...]
    everywhere: frozenset[str]


def _in_all(table_name: str, checks: Sequence[Check]) -> frozenset[str]:
    if not checks:
        return frozenset()
    early = {app_id for check in checks for app_id, name in check.not_due if name == table_name}
    return frozenset.intersection(*(check.app_ids for check in checks)) - early


def _back(day: date, granularity: Granularity, dates: int) -> date:
    for _ in range(dates):
        day = preceding(day, granularity)
    return day


NO_CHECKS = Checks(None, ())


ChecksSince = Callable[[date], Checks]
"""Returns the results of the checks for the Dates from this one on."""


def read_checks(lake: Bucket, app_ids: Collection[str], as_of: date, remembered: Remembered) -> Checks:
    """The newest check and one in three before it, for these apps."""
    return _read_checks(lake, app_ids, as_of - LOOKED_BACK, as_of, remembered, whole=True)


def read_results(lake: Bucket, app_ids: Collection[str], as_of: date, remembered: Remembered, since: date) -> Checks:
    """The same for the Dates from `since` on, with the feeds that lack a Date only: all that KPIs ask for."""
    first = max(as_of - LOOKED_BACK, since - timedelta(days=DATES_LOOKED_AT))  # checks are later than their Dates
    return _read_checks(lake, app_ids, first, as_of, remembered, whole=False)


def _read_checks(
    lake: Bucket, app_ids: Collection[str], first: date, as_of: date, remembered: Remembered, *, whole: bool
) -> Checks:
    stored = {day: each for day, each in stored_checks(lake, first).items() if day <= as_of}
    if not stored:
        return NO_CHECKS
    newest, *before = _chosen(sorted(stored, reverse=True))
    wanted = frozenset(app_ids)
    check = _of_apps(read_check(lake, stored[newest], remembered, whole=whole), wanted)
    older = tuple(_of_apps(read_check(lake, stored[day], remembered, whole=False), wanted) for day in reversed(before))
    return Checks(check, older, tuple(_rollbacks(lake, min(stored))))


def _chosen(days: Sequence[date]) -> Iterator[date]:
    """The newest day, and from each the earliest that is at most three days before it."""
    chosen = days[0]
    yield chosen
    while earlier := [day for day in days if day < chosen]:
        near = [day for day in earlier if chosen - day <= timedelta(days=DATES_LOOKED_AT)]
        chosen = min(near) if near else max(earlier)
        yield chosen


def _of_apps(check: Check, app_ids: frozenset[str]) -> Check:
    feeds = tuple(feed for feed in check.feeds if feed.app_id in app_ids)
    return Check(check.checked_at, check.app_ids & app_ids, check.newest_due, check.not_due, feeds)


def _rollbacks(lake: Bucket, since: date) -> Iterator[Rollback]:
    """The rollbacks since the oldest check; the checks already reflect earlier ones."""
    for _, report in newest_reports(lake, _ROLLBACKS_LOOKED_AT, Operation.ROLLBACK):
        if instant_of_run(report["run_id"]).date() < since:
            return
        plan = find_plan(lake, report["run_id"])
        if plan is not None and plan.of_run is not None:
            touched = (apps for verdict, apps in report["apps_by_verdict"].items() if verdict != Verdict.UNCHANGED)
            apps = frozenset(app_id for some in touched for app_id in some)
            yield Rollback(apps, instant_of_run(plan.of_run).date())

"""The counted verdicts of all apps on each Date of a table: from the checks if they cover the Date, otherwise from the
ledger.

older than the checks        the ledger of every app
due when checked             complete, unless a check says otherwise: then the ledger of these apps decides
newer                        what the published object is made of: final, still growing, or not there yet; never late

Every answer about Dates that need action takes them from here, and looks at the newest DATES_JUDGED of them.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from appstore_analytics.answers.checks import LOOKED_BACK, Checks
from appstore_analytics.answers.ledger_dates import LedgerDates
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.checks import CheckedFeed
from appstore_analytics.lake.objects import Bucket, StoredObject
from appstore_analytics.lake.published import published_objects, read_publication
from appstore_analytics.model.parts import Batch
from appstore_analytics.model.remembered import Remembered
from appstore_analytics.registry import Registry
from appstore_analytics.rules.calendar import complete_on, preceding, published_on
from appstore_analytics.rules.date_verdicts import DateVerdict, of_freshness
from appstore_analytics.rules.freshness import Freshness

DATES_JUDGED = 35
"""Apple keeps the instances that could still complete a Date for this many days."""

_UNFINISHED = frozenset({DateVerdict.PRELIMINARY, DateVerdict.NOT_READY})
_OF_THE_APP = frozenset({DateVerdict.FORBIDDEN, DateVerdict.KEY_REJECTED, DateVerdict.STOPPED})
"""Verdicts that block every Date of an app, including those that were not due when it was checked."""


@dataclass(frozen=True)
class JudgedTable:
    """One table: the number of apps per verdict on each Date, oldest first; `behind` are the apps that lack a due Date.

    `odd` are apps that had to be looked up one by one. `has_objects` is whether any Date of the table is published.
    """

    table: CuratedTable
    apps: int
    odd: frozenset[str]
    behind: frozenset[str]
    has_objects: bool
    counts: Mapping[date, Counter[DateVerdict]]
    unfinished: Mapping[date, int]

    @cached_property
    def complete_until(self) -> date | None:
        """The newest Date up to which every Date is complete for every app."""
        return self._until(lambda day: self.counts[day])

    @cached_property
    def most_until(self) -> date | None:
        """The newest Date up to which every Date is complete for every app that is not behind."""
        return self._until(lambda day: Counter({DateVerdict.NOT_READY: self.unfinished[day]}))

    def _until(self, counts: Callable[[date], Counter[DateVerdict]]) -> date | None:
        for day in self.counts:
            if any(count and is_open(verdict) for verdict, count in counts(day).items()):
                return preceding(day, self.table.granularity)
        return max(self.counts, default=None)


def is_open(verdict: DateVerdict) -> bool:
    """Whether a Date with this verdict still lacks data that can come; data that Apple withholds never comes."""
    return verdict.needs_action or verdict in _UNFINISHED


@dataclass
class _Tally:
    """The counted verdicts on one Date."""

    counts: Counter[DateVerdict] = field(default_factory=Counter)
    _unfinished: set[str] = field(default_factory=set)
    _unfinished_of_plain: int = 0

    def add(self, verdict: DateVerdict, app_id: str) -> None:
        """Count the verdict of one app."""
        self.counts[verdict] += 1
        if verdict in _UNFINISHED:
            self._unfinished.add(app_id)

    def add_all(self, verdicts: Counter[DateVerdict]) -> None:
        """Count the verdicts of apps that are not behind."""
        self.counts += verdicts
        self._unfinished_of_plain += sum(verdicts[verdict] for verdict in _UNFINISHED)

    def unfinished_but_for(self, behind: set[str]) -> int:
        """The number of apps that are not behind and do not have the Date complete yet."""
        return len(self._unfinished - behind) + self._unfinished_of_plain


class JudgedDates:
    """The tables of an installation, judged for these apps on these Dates; each is read on first use.

    `is_exact` is for few apps: it reads every Date from the ledger, the only source that distinguishes zero from fresh
    for each app.
    """

    def __init__(
        self,
        app_ids: Sequence[str],
        checks: Checks,
        registry: Registry,
        lake: Bucket,
        as_of: date,
        remembered: Remembered,
        *,
        is_exact: bool = False,
    ) -> None:
        self._is_exact = is_exact
        self.app_ids = tuple(app_ids)
        self.checks = checks
        self.ledger = LedgerDates(registry, lambda table: frozenset(self.objects(table)), as_of)
        self._lake = lake
        self._as_of = as_of
        self._remembered = remembered
        self._objects: dict[str, dict[date, StoredObject]] = {}

    def objects(self, table: CuratedTable) -> Mapping[date, StoredObject]:
        """The published objects of a table."""
        if table.name not in self._objects:
            self._objects[table.name] = published_objects(self._lake, table, self._as_of - LOOKED_BACK)
        return self._objects[table.name]

    def judge(self, table: CuratedTable, days: Sequence[date]) -> JudgedTable:
        """The verdicts of all apps on these Dates, in the same order."""
        tallies = {day: _Tally() for day in days}
        plain = {app_id for app_id in self.app_ids if self._is_plain(app_id, table, days)}
        behind: set[str] = set()
        for app_id in self.app_ids:
            for day, verdict in self.verdicts(app_id, table, days) if app_id not in plain else ():
                tallies[day].add(verdict, app_id)
                if verdict.needs_action:
                    behind.add(app_id)
        for day in days if plain else ():
            tallies[day].add_all(self._of_plain(plain, table, day))
        return JudgedTable(
            table,
            len(self.app_ids),
            frozenset(self.app_ids) - plain,
            frozenset(behind),
            bool(self.objects(table)),
            {day: tally.counts for day, tally in tallies.items()},
            {day: tally.unfinished_but_for(behind) for day, tally in tallies.items()},
        )

    def verdicts(self, app_id: str, table: CuratedTable, days: Sequence[date]) -> Iterator[tuple[date, DateVerdict]]:
        """The verdict of one app on each of these Dates."""
        lacking = self.checks.lacking.get((app_id, table.name), {})
        told_from, told_until = self._told(app_id, table)
        newest_due = self.checks.newest_due(table)
        doubted = self.checks.doubted(app_id)
        for day in days:
            lacked = lacking.get(day) or (DateVerdict.LATE if day in doubted else None)
            if newest_due is not None and day > newest_due:
                yield day, self._not_due(app_id, table, day, is_told=told_until == newest_due)
            elif day < told_from:
                yield day, self._by_ledger(app_id, table, day, lacked)
            else:
                yield day, self._by_checks(app_id, table, day, lacked)

    def is_still_so(self, feed: CheckedFeed, tables: Mapping[str, CuratedTable]) -> bool:
        """Whether the finding of the last check still holds: a run may have brought the missing Dates since."""
        if feed.table_name not in tables:
            return False
        found = self.verdicts(feed.app_id, tables[feed.table_name], feed.missing)
        return not feed.missing or any(verdict.needs_action for _, verdict in found)

    def _told(self, app_id: str, table: CuratedTable) -> tuple[date, date]:
        """The first Date that the checks cover; the largest date if they cover none."""
        if self._is_exact:
            return date.max, date.max
        newest_due, covered_from = self.checks.newest_due(table), self.checks.covers_from(app_id, table)
        return (date.max, date.max) if newest_due is None or covered_from is None else (covered_from, newest_due)

    def _is_plain(self, app_id: str, table: CuratedTable, days: Sequence[date]) -> bool:
        """Whether the app has no problem: every due Date is complete, and nothing blocks newer ones."""
        told_from, _ = self._told(app_id, table)
        feed = self.checks.feeds.get((app_id, table.name))
        return (
            told_from <= days[0]
            and not self.checks.lacking.get((app_id, table.name))
            and self.checks.doubted(app_id).isdisjoint(days)
            and feed is not None
            and feed.verdict is not Freshness.QUARANTINED
            and of_freshness(feed.verdict) not in _OF_THE_APP
        )

    def _of_plain(self, apps: set[str], table: CuratedTable, day: date) -> Counter[DateVerdict]:
        """The verdicts of apps without a problem."""
        newest_due = self.checks.newest_due(table)
        if newest_due is not None and day <= newest_due:
            return Counter({self._by_checks("", table, day, None): len(apps)})
        final_of = self._final_of(table, day)
        if final_of is None:
            return Counter({DateVerdict.NOT_READY: len(apps)})
        final = sum(final_of[app_id] for app_id in apps & final_of.keys())
        without_rows = len(apps - final_of.keys())
        growing = len(apps) - final - without_rows
        others = DateVerdict.ZERO if all(final_of.values()) else DateVerdict.PRELIMINARY
        return Counter({DateVerdict.FRESH: final, DateVerdict.PRELIMINARY: growing}) + Counter({others: without_rows})

    def _by_checks(self, app_id: str, table: CuratedTable, day: date, lacked: DateVerdict | None) -> DateVerdict:
        if lacked is None:
            return DateVerdict.FRESH if day in self.objects(table) else DateVerdict.ZERO
        if lacked is DateVerdict.BELOW_THRESHOLD:
            return lacked
        return self._by_ledger(app_id, table, day, lacked)

    def _by_ledger(self, app_id: str, table: CuratedTable, day: date, checked: DateVerdict | None) -> DateVerdict:
        known = self.ledger.table(app_id, table)
        if known is None:
            feed = self.checks.feeds.get((app_id, table.name))
            return checked or (of_freshness(feed.verdict) if feed and feed.missing else DateVerdict.NONE)
        verdict = known.verdict(day, checked)
        return self._kept_away(app_id, table, day) or verdict if verdict is DateVerdict.NOT_READY else verdict

    def _kept_away(self, app_id: str, table: CuratedTable, day: date) -> DateVerdict | None:
        """The verdict that blocks the whole app, for a Date that Apple should have published."""
        feed = self.checks.feeds.get((app_id, table.name))
        verdict = of_freshness(feed.verdict) if feed else None
        return verdict if verdict in _OF_THE_APP and published_on(day, table) <= self._as_of else None

    def _not_due(self, app_id: str, table: CuratedTable, day: date, *, is_told: bool) -> DateVerdict:
        """The verdict on a Date that was not due when it was checked. The ledger may know why it does not come."""
        if self._is_quarantined(app_id, table, day):
            return DateVerdict.QUARANTINED
        verdict = DateVerdict.LATE if is_told else self._by_ledger(app_id, table, day, None)
        return self._by_object(app_id, table, day) if verdict is DateVerdict.LATE else verdict

    def _is_quarantined(self, app_id: str, table: CuratedTable, day: date) -> bool:
        """Whether the file that should have completed the Date is in quarantine, which needs action."""
        feed = self.checks.feeds.get((app_id, table.name))
        if feed is None or feed.verdict is not Freshness.QUARANTINED or published_on(day, table) > self._as_of:
            return False
        known = self.ledger.table(app_id, table)
        return known is not None and known.known.is_quarantined(day)

    def _by_object(self, app_id: str, table: CuratedTable, day: date) -> DateVerdict:
        if kept_away := self._kept_away(app_id, table, day):
            return kept_away
        final_of = self._final_of(table, day)
        if final_of is None:
            return DateVerdict.NOT_READY
        if app_id in final_of:
            return DateVerdict.FRESH if final_of[app_id] else DateVerdict.PRELIMINARY
        return DateVerdict.ZERO if all(final_of.values()) else DateVerdict.PRELIMINARY

    def _final_of(self, table: CuratedTable, day: date) -> Mapping[str, bool] | None:
        """The apps with rows on a Date, and whether each is complete; None without a published object."""
        stored = self.objects(table).get(day)
        if stored is None:
            return None
        return self._remembered.get((stored.key, stored.etag, "final"), lambda: self._read_final_of(table, day))

    def _read_final_of(self, table: CuratedTable, day: date) -> Mapping[str, bool]:
        final: dict[str, bool] = {}
        for batch in read_publication(self._lake, table, day):
            final[str(batch.app_id)] = final.get(str(batch.app_id), False) or _is_final(batch, table, day)
        return final


def _is_final(batch: Batch, table: CuratedTable, day: date) -> bool:
    """Where Apple documents no completeness, a Date is complete one day later."""
    return batch.vintage.processing_date >= complete_on(day, table)

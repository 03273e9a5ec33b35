"""Gaps: the Dates that a table should have by now, whether they are complete, and how to repair them.

A Date is complete when the newest instance that is due for it is in the tables (rules/freshness.py:is_complete), or a
snapshot that a backfill requested for it. If such an instance has no row for the Date, Apple sent none.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import groupby
from typing import Self

from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.model.instances import InstanceStatus, LedgerInstance
from appstore_analytics.model.known_apps import KnownApp
from appstore_analytics.model.requests import Asked, KnownRequest
from appstore_analytics.rules.calendar import complete_on, expected_dates, periods, published_on
from appstore_analytics.rules.due import INSTANCE_LIFE_DAYS, is_awaited, outdated, renewable_on
from appstore_analytics.rules.freshness import Feed, is_complete
from appstore_analytics.rules.repairs import Repair, cause_of, command

_DAY = timedelta(days=1)
_LONG_ENOUGH = timedelta(days=100)  # two months, and the days until their Dates are complete
_OF_AN_INSTANCE = frozenset({Repair.REPROCESS, Repair.REFETCH})


@dataclass(frozen=True, slots=True)
class Gap:
    """Consecutive Dates of one table of one app that are missing or incomplete for the same cause.

    `days_left` is the number of days (of 35) for which Apple will still have the last daily instance that contains the
    first of them; it is also 0 if only a snapshot ever contained them. `repair_from` is the first day on which the
    repair can work.
    """

    app_id: str
    table_name: str
    first: date
    last: date
    dates: int
    cause: str
    days_left: int
    repair: Repair
    repair_from: date
    app_name: str = ""


@dataclass(frozen=True, slots=True)
class TableCompleteness:
    """One table: every Date up to `complete_until` is complete for every app, or Apple sent no rows for it.

    `apps` are those for which Apple has ever sent this report.
    """

    table_name: str
    apps: int
    complete_until: date | None
    dates_present: int
    dates_without_rows: int
    dates_missing: int


@dataclass(frozen=True, slots=True)
class TableGaps:
    """The gaps of one table, by app and Date. `commands` are for those that no run repairs, by app and repair."""

    completeness: TableCompleteness
    gaps: tuple[Gap, ...]
    commands: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class MissingDate:
    """An incomplete Date. `days_left` is the number of days for which Apple will still have the last daily instance
    that contains it.

    `processing_date` is that of the instance to reprocess or to refetch, else None.
    """

    day: date
    days_left: int
    cause: str
    repair: Repair
    repair_from: date
    processing_date: date | None = None


@dataclass(frozen=True, slots=True)
class PartsOfApp:
    """The Dates of one table for which an app has parts, those that a published object holds and the others.

    `standing` asks for the processing date of a published Date's rows; the answer is None without rows.
    """

    published: frozenset[date]
    unpublished: frozenset[date]
    standing: Callable[[date], date | None]


@dataclass(frozen=True)
class KnownTable:
    """The known state of one table of one app.

    `ledger` are its instances, `listed_until` is the newest processing date that was listed for any table of the app
    and granularity. `standing` returns the processing date of a Date's published rows, None without rows; `unpublished`
    are the Dates with a part that no published object holds.
    """

    table: CuratedTable
    ongoing: KnownRequest
    snapshot: KnownRequest
    ledger: tuple[LedgerInstance, ...]
    listed_until: date
    standing: Callable[[date], date | None]
    unpublished: frozenset[date] = frozenset()

    @classmethod
    def of(
        cls,
        app: KnownApp,
        table: CuratedTable,
        standing: Callable[[date], date | None],
        unpublished: frozenset[date] = frozenset(),
    ) -> Self:
        """One of the tables for which the app's ledger has an instance."""
        listed_until = app.listed_until(table.granularity)
        return cls(table, app.ongoing, app.snapshot, app.ledger[table.name], listed_until, standing, unpublished)

    @cached_property
    def daily(self) -> tuple[LedgerInstance, ...]:
        """The instances of the ONGOING request."""
        return tuple(one for one in self.ledger if one.vintage.access_type is AccessType.ONGOING)

    @cached_property
    def feed(self) -> Feed:
        """The instances whose rows are in the tables."""
        built = frozenset(one.vintage.processing_date for one in self.daily)
        converted = frozenset(
            one.vintage.processing_date for one in self.daily if one.status is InstanceStatus.CONVERTED
        )
        return Feed(converted, built - converted, self.listed_until)

    @cached_property
    def _wishes(self) -> tuple[Asked, ...]:
        return self.snapshot.asked_of(self.table.report.name)

    @property
    def first_day(self) -> date:
        """The day of the ONGOING request or, if unknown, of its first instance; `date.max` without either."""
        if not self.daily:
            return date.max
        return self.ongoing.requested_on or min(one.vintage.processing_date for one in self.daily) - _DAY

    def expected(self, as_of: date, since: date = date.min) -> set[date]:
        """The Dates from `since` on that must be there: from the first day on, and those that backfills requested."""
        days = set(expected_dates(self.table, max(self.first_day, since), as_of))
        for asked in self._wishes:
            start = max(asked.start_date, since)
            days |= {day for day in expected_dates(self.table, start, as_of) if day <= asked.end_date}
        return days

    def is_complete(self, day: date) -> bool:
        """Whether the tables have the newest state that is due for the Date; this can be a state without rows."""
        if day in self.unpublished:
            return False
        snapshots = (one for one in self.ledger if one.vintage.access_type is AccessType.ONE_TIME_SNAPSHOT)
        asked = self._asked_of_snapshot(day)
        if any(one.status is InstanceStatus.CONVERTED and asked & one.converted_dates for one in snapshots):
            return True
        return is_complete(day, self.table, self.feed, self.standing)

    def is_quarantined(self, day: date) -> bool:
        """Whether the newest instance that covers the Date broke its report's contract."""
        newest = self.feed.speaking(day, self.table)
        return any(
            one.status is InstanceStatus.QUARANTINED and one.vintage.processing_date == newest for one in self.daily
        )

    def status(self, day: date) -> InstanceStatus | None:
        """The status of the instance that should hold an incomplete Date; None if Apple has listed none."""
        if (culprit := self._culprit(day)) is not None:
            return culprit.status
        return InstanceStatus.QUARANTINED if self._quarantined_snapshot(day) else None

    def reason(self, day: date) -> str:
        """The note about that instance; empty if there is no instance, or no note."""
        culprit = self._culprit(day) or self._quarantined_snapshot(day)
        return culprit.reason if culprit else ""

    def missing(self, day: date, as_of: date) -> MissingDate:
        """The reason why a Date is not complete, and its repair."""
        left = days_left(day, self.table, as_of) if day >= self.first_day else 0
        cause, repair = self._cause(day, as_of, left)
        culprit = self._culprit(day)
        if repair is None and (snapshot := self._quarantined_snapshot(day)):
            culprit = snapshot
            cause, repair = cause_of(snapshot, as_of)
        if repair is None and self._waits_for_snapshot(day, as_of):
            cause, repair = cause or "a backfill waits for its snapshot", Repair.NEXT_RUN
        if repair is not None:
            built = culprit.vintage.processing_date if culprit and repair in _OF_AN_INSTANCE else None
            return MissingDate(day, left, self._told(cause, day), repair, as_of, built)
        cause = cause or _NOT_LISTED[self.listed_until > published_on(day, self.table)]
        return MissingDate(day, left, self._told(cause, day), Repair.BACKFILL, self._snapshot_from(day, as_of))

    def _told(self, cause: str, day: date) -> str:
        return f"{cause}; an older vintage is in the tables" if self.standing(day) else cause

    def _cause(self, day: date, as_of: date, left: int) -> tuple[str, Repair | None]:
        """The newest instance that covers the Date decides; there is no repair if only a snapshot is left."""
        if day in self.unpublished:
            return "converted, not published yet", Repair.NEXT_RUN
        if (culprit := self._culprit(day)) is not None:
            return cause_of(culprit, as_of)
        if self.listed_until <= published_on(day, self.table) and left:
            return _NOT_LISTED[False], Repair.NEXT_RUN
        return "", None

    def _culprit(self, day: date) -> LedgerInstance | None:
        """The newest daily instance that covers the Date, if it is not converted."""
        newest = self.feed.speaking(day, self.table)
        culprits = (one for one in self.daily if one.vintage.processing_date == newest)
        return next((one for one in culprits if one.status is not InstanceStatus.CONVERTED), None)

    def _quarantined_snapshot(self, day: date) -> LedgerInstance | None:
        """The snapshot whose file was quarantined when a backfill asked it for the Date."""
        asked = self._asked_of_snapshot(day)
        return next((one for one in self.ledger if one.has_landed and asked & one.quarantined_dates), None)

    def _asked_of_snapshot(self, day: date) -> set[str]:
        """The requested ranges with this Date; none if the snapshot does not cover it."""
        if not snapshot_holds(day, self.table, self.snapshot.requested_on):
            return set()
        return {asked.dates for asked in self._wishes if asked.covers(day)}

    def _waits_for_snapshot(self, day: date, as_of: date) -> bool:
        """Whether the daily runs still look after a snapshot that holds the Date."""
        has_instances = len(self.daily) < len(self.ledger)
        return snapshot_holds(day, self.table, self.snapshot.requested_on) and any(
            asked.covers(day) and is_awaited(asked, has_instances, as_of) for asked in self._wishes
        )

    def _snapshot_from(self, day: date, as_of: date) -> date:
        """The first day on which a backfill can bring the Date: today, unless the current snapshot is too old."""
        known = self.snapshot
        if known.request_id is None or known.since is None or outdated(known, as_of):
            return as_of
        return as_of if snapshot_holds(day, self.table, known.requested_on) else renewable_on(known.since)


_NOT_LISTED = {True: "Apple listed no instance", False: "no run has listed instances since"}
"""Depends on whether anything newer was listed."""

_NO_PARTS = PartsOfApp(frozenset(), frozenset(), lambda _: None)


def gaps_of_table(
    table: CuratedTable,
    apps: Sequence[KnownApp],
    parts: Mapping[str, PartsOfApp],
    as_of: date,
    since: date,
) -> TableGaps:
    """The gaps of `apps`, whose ledgers have the table. `parts` are those of the Dates from `since` on, by app id."""
    missing: dict[str, list[MissingDate]] = {}
    with_rows = without_rows = 0
    for app in apps:
        of_app = parts.get(app.app_id, _NO_PARTS)
        known = KnownTable.of(app, table, of_app.standing, of_app.unpublished)
        expected = known.expected(as_of, since)
        incomplete = {day for day in expected if not known.is_complete(day)}
        missing[app.app_id] = [known.missing(day, as_of) for day in sorted(incomplete)]
        with_rows += len(of_app.published - incomplete)
        without_rows += len(expected - incomplete - of_app.published)
    days = [one.day for of_app in missing.values() for one in of_app]
    complete_until = _complete_until(table, days, as_of)
    line = TableCompleteness(table.name, len(apps), complete_until, with_rows, without_rows, len(days))
    by_app = sorted(missing.items())
    gaps = (gap for app_id, of_app in by_app for gap in sorted(_gaps(app_id, table, of_app), key=lambda gap: gap.first))
    commands = (one for app_id, of_app in by_app for one in _commands(app_id, table, of_app))
    return TableGaps(line, tuple(gaps), dict(commands))


def days_left(day: date, table: CuratedTable, as_of: date) -> int:
    """The number of days for which Apple still has the last instance that contains the Date; 0 if it is gone."""
    return max((published_on(day, table) + timedelta(days=INSTANCE_LIFE_DAYS) - as_of).days, 0)


def snapshot_holds(day: date, table: CuratedTable, requested_on: date | None) -> bool:
    """Whether a snapshot of this request day covers the Date; an unknown day counts as too early."""
    return requested_on is not None and complete_on(day, table) <= requested_on


def _complete_until(table: CuratedTable, missing: Collection[date], as_of: date) -> date | None:
    """The newest Date before the first missing one, of those that Apple has completed."""
    first_missing = min(missing, default=as_of)
    settled = expected_dates(table, first_missing - _LONG_ENOUGH, as_of)
    return max((day for day in settled if day < first_missing), default=None)


def _gaps(app_id: str, table: CuratedTable, missing: Sequence[MissingDate]) -> Iterator[Gap]:
    def same(one: MissingDate) -> tuple[str, Repair, date]:
        return one.cause, one.repair, one.repair_from

    for (cause, repair, repair_from), group in groupby(sorted(missing, key=lambda one: (same(one), one.day)), key=same):
        left = {one.day: one.days_left for one in group}
        for days in periods(left.keys(), table.granularity):
            yield Gap(app_id, table.name, days[0], days[-1], len(days), cause, left[days[0]], repair, repair_from)


def _commands(app_id: str, table: CuratedTable, missing: Sequence[MissingDate]) -> Iterator[tuple[str, str]]:
    """One command for each repair that a person starts."""
    for repair in (Repair.REPROCESS, Repair.REFETCH, Repair.BACKFILL):
        days = [one.processing_date or one.day for one in missing if one.repair is repair]
        if days:
            yield f"{app_id} {table.name} {repair}", command(repair, app_id, table, days)

"""Freshness: whether the data that is due has arrived, and if not, why, per table of an app.

    is a Date due?   complete and published by Apple's own rules, and the tolerance for fetching it has passed
    is it there?     the newest instance that covers it was converted, or Athena shows rows as new as that
    if not, why?     what the runs recorded: quarantined, not ready, key, role, stopped; else whether the app's other
                     reports came, and whether this one used to

rules/calendar.py says when Apple publishes. Apple does not state the hour.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.rules.calendar import newest_begun, preceding, published_on, speaking_days, speaks_for
from appstore_analytics.rules.offered_reports import missing_sentence

DATES_LOOKED_AT = 3
"""The number of newest due Dates in each check: a missing Date is reported for three periods."""

_PUBLISHED_BY = time(10, tzinfo=UTC)  # reportedly 09:00, which Apple does not document; the default schedule's hour
_FIRST_DATA = timedelta(hours=48)  # Apple: 24 to 48 hours after the request
_LOOK_BACK_DAYS = {Granularity.DAILY: 10, Granularity.WEEKLY: 28, Granularity.MONTHLY: 66}


class Freshness(StrEnum):
    """The verdict on one table of one app."""

    FRESH = "fresh"
    ZERO = "zero"
    NOT_READY = "not ready"
    BELOW_THRESHOLD = "below threshold"
    NOT_OFFERED = "not offered"
    LATE = "late"
    STOPPED = "stopped"
    FORBIDDEN = "forbidden"
    KEY_EXPIRED = "key expired"
    QUARANTINED = "quarantined"

    @property
    def is_stale(self) -> bool:
        """Whether a person has to act."""
        return self in _STALE


_STALE = frozenset(
    {
        Freshness.LATE,
        Freshness.NOT_OFFERED,
        Freshness.STOPPED,
        Freshness.FORBIDDEN,
        Freshness.KEY_EXPIRED,
        Freshness.QUARANTINED,
    }
)
_LATE = (
    "No instance with these Dates has arrived. Every run checks again: ./manage.py status says whether the report "
    "request is live, https://developer.apple.com/system-status/ whether Apple has an outage."
)
_BY_VERDICT = {Verdict.KEY_REJECTED: Freshness.KEY_EXPIRED, Verdict.FORBIDDEN: Freshness.FORBIDDEN}


@dataclass(frozen=True, slots=True)
class Request:
    """An app's ONGOING report request, as recorded by the newest daily run.

    `known_since`: only Dates after it are expected; None if another tool created the request. `replaced_on`: the day on
    which it replaced one that Apple had stopped (or someone deleted: Apple shows only that it is gone).
    `missing_reports` are those that Apple does not offer to the app, `unknown_reports` its names that are not in the
    catalogue.
    """

    app_id: int
    verdict: Verdict
    reason: str = ""
    known_since: date | None = None
    replaced_on: date | None = None
    missing_reports: frozenset[str] = frozenset()
    unknown_reports: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The runs' records of one table of one app: processing dates of ONGOING instances, and the newest one's arrival.

    `known` are all of them, `converted` those in the tables. `quarantined` and `not_ready` are the newest with that
    verdict; `not_converted` is the newest that was not converted, for any `reason`.
    """

    known: frozenset[date] = frozenset()
    converted: frozenset[date] = frozenset()
    arrived_at: datetime | None = None
    quarantined: date | None = None
    not_ready: date | None = None
    not_converted: date | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Siblings:
    """The ONGOING instances of all tables of one app and granularity: the converted ones, and the newest listed."""

    converted: frozenset[date] = frozenset()
    listed_until: date = date.min

    @classmethod
    def of(cls, tables: Collection[Arrivals]) -> "Siblings":
        """The siblings of these tables, including the tables themselves."""
        known = frozenset().union(*(each.known for each in tables))
        return cls(frozenset().union(*(each.converted for each in tables)), max(known, default=date.min))


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict with its reason; `due` are the checked Dates, newest first, `missing` those that are not there."""

    verdict: Freshness
    due: tuple[date, ...]
    missing: tuple[date, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """The ONGOING instances of one table of one app, by processing date.

    `converted` are those whose rows are in the tables, `open` all others that Apple has listed. `listed_until` is the
    newest processing date that was listed for any table of the app and granularity.
    """

    converted: frozenset[date] = frozenset()
    open: frozenset[date] = frozenset()
    listed_until: date = date.min

    def speaking(self, day: date, table: CuratedTable) -> date | None:
        """The newest instance that covers the Date."""
        known = (built for built in speaking_days(day, table) if built in self.converted or built in self.open)
        return next(known, None)


def is_complete(day: date, table: CuratedTable, feed: Feed, standing: Callable[[date], date | None]) -> bool:
    """Whether the newest instance that is due for a Date is in the tables, or Apple has sent no row for it.

    `standing` returns the processing date of a Date's rows in the tables, None without rows. An older vintage in the
    tables is not enough if Apple has listed the instance that completes the Date, or if no run has checked since.
    """
    newest, completed_on = feed.speaking(day, table), published_on(day, table)
    was_listed_since = feed.listed_until > completed_on
    if newest in feed.converted and (was_listed_since or newest >= completed_on):
        return True
    stands = standing(day)
    if stands is None:
        return False
    return stands >= max(newest or completed_on, completed_on) or (newest is None and was_listed_since)


def due_dates(table: CuratedTable, at: datetime, tolerance: timedelta) -> tuple[date, ...]:
    """The newest Dates that must be there at this moment, newest first."""
    day = newest_begun(at.date(), table.granularity)
    while _due_at(day, table, tolerance) > at:
        day = preceding(day, table.granularity)
    found = [day]
    while len(found) < DATES_LOOKED_AT:
        found.append(preceding(found[-1], table.granularity))
    return tuple(found)


def look_back_days(tables: Collection[CuratedTable]) -> int:
    """The number of days whose runs have recorded the instances that cover the due Dates, with some margin."""
    return max(_LOOK_BACK_DAYS[table.granularity] for table in tables)


def judge(
    table: CuratedTable,
    request: Request,
    arrivals: Arrivals,
    siblings: Siblings,
    present: Mapping[date, date],
    at: datetime,
    tolerance: timedelta,
) -> Judgement:
    """The verdict on one table of one app at the time `at`.

    `present` has the Dates for which Athena shows rows, each with the newest processing date of these rows.
    """
    due = tuple(
        day
        for day in due_dates(table, at, tolerance)
        if request.known_since is None or day > request.known_since or day in present
    )
    feed = Feed(arrivals.converted, arrivals.known - arrivals.converted, siblings.listed_until)
    missing = tuple(day for day in due if not is_complete(day, table, feed, present.get))
    if arrivals.quarantined and arrivals.quarantined > max(arrivals.converted, default=date.min):
        return Judgement(Freshness.QUARANTINED, due, missing, arrivals.reason)
    if missing:
        return _missing(table, request, arrivals, siblings.converted, due, missing, at)
    if not due:
        return Judgement(Freshness.FRESH if arrivals.converted else Freshness.NOT_READY, due)
    return Judgement(Freshness.FRESH if due[0] in present else Freshness.ZERO, due)


def _missing(
    table: CuratedTable,
    request: Request,
    arrivals: Arrivals,
    siblings: Collection[date],
    due: tuple[date, ...],
    missing: tuple[date, ...],
    at: datetime,
) -> Judgement:
    """The reason why due Dates are missing: the first recorded cause, otherwise what the app's other reports show."""

    def judgement(verdict: Freshness, reason: str) -> Judgement:
        return Judgement(verdict, due, missing, reason)

    if request.verdict in _BY_VERDICT or table.report.name in request.missing_reports:
        return judgement(*_not_fetched(table, request))
    if request.replaced_on and max(missing) <= request.replaced_on + _FIRST_DATA:
        reason = (
            f"Its report request had ended and was replaced on {request.replaced_on}: Apple builds the first "
            "reports 24 to 48 hours later, and only a backfill brings the Dates between."
        )
        return judgement(Freshness.STOPPED, reason)
    if own := _listed(table, arrivals, missing, at):
        return judgement(own, arrivals.reason)
    if _withheld(table, arrivals.converted, siblings, missing):
        return judgement(
            Freshness.BELOW_THRESHOLD,
            "Apple built other reports of this app but not this one: too little usage, or the app lacks the feature. "
            "Compare with App Store Connect if it should have data.",
        )
    return judgement(Freshness.LATE, request.reason or _LATE)


def _not_fetched(table: CuratedTable, request: Request) -> tuple[Freshness, str]:
    """The reason why the app, or this report of the app, cannot be fetched at all."""
    if request.verdict in _BY_VERDICT:
        return _BY_VERDICT[request.verdict], request.reason
    return Freshness.NOT_OFFERED, missing_sentence(table.report.name, request.unknown_reports)


def _listed(table: CuratedTable, arrivals: Arrivals, missing: Sequence[date], at: datetime) -> Freshness | None:
    """The reason why a listed instance does not cover the missing Dates; None if Apple has listed none."""

    def speaks(processing_date: date | None) -> bool:
        return processing_date is not None and any(speaks_for(processing_date, day, table) for day in missing)

    if speaks(arrivals.quarantined):
        return Freshness.QUARANTINED
    if _is_being_built(arrivals.not_ready, at):
        return Freshness.NOT_READY
    return Freshness.LATE if speaks(arrivals.not_converted) else None


def _is_being_built(processing_date: date | None, at: datetime) -> bool:
    """Whether Apple listed an instance without segments within the last 48 hours; later it counts as late."""
    return processing_date is not None and at < datetime.combine(processing_date, _PUBLISHED_BY) + _FIRST_DATA


def _withheld(table: CuratedTable, own: Collection[date], siblings: Collection[date], missing: Sequence[date]) -> bool:
    """Whether the app's other reports have these Dates, and this report does not arrive every time anyway.

    A report that arrived every time before, at least as often as it has been missing since, is not withheld: it is
    late.
    """
    if not all(any(speaks_for(built, day, table) for built in siblings) for day in missing):
        return False
    last = max(own, default=date.min)
    came_every_time = {built for built in siblings if built <= last} <= set(own)
    return not came_every_time or len(own) < sum(built > last for built in siblings)


def _due_at(day: date, table: CuratedTable, tolerance: timedelta) -> datetime:
    return datetime.combine(published_on(day, table), _PUBLISHED_BY) + tolerance

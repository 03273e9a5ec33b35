"""`restatements`: final numbers that changed, with the values before and now, and the day of the change. Apple is not
asked."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.facts import counted
from appstore_analytics.contract.configuration import Account
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.restatements import read_restatements
from appstore_analytics.model.kpis import Number
from appstore_analytics.model.restatements import ChangeCause, Restatement

_DATES_BY_DEFAULT = 28


@dataclass(frozen=True, slots=True)
class RestatementLine:
    """One measure of one app's Date of a table, over all its rows; the measure `rows` is their number.

    `before` or `now` is null if the Date had, or has, no such number. `changed_on` is the day of the run that
    changed it, and `cause` whether Apple restated it, or a person had it reprocessed or taken back.
    """

    app_id: str
    app_name: str
    table_name: str
    day: date
    measure: str
    before: Number | None
    now: Number | None
    change: Number
    cause: ChangeCause
    changed_on: date
    run_id: str


@dataclass(frozen=True, slots=True)
class RestatementList:
    """Changes to the Dates from `start` to `end` after Apple had completed them, the newest changes first."""

    start: date
    end: date
    restatements: tuple[RestatementLine, ...]

    @property
    def is_good(self) -> bool:
        """Always true: this is a list."""
        return True

    @property
    def sentence(self) -> str:
        """The number of Dates, and the causes."""
        dates = {(line.app_id, line.table_name, line.day, line.cause) for line in self.restatements}
        if not dates:
            return "No final number of these Dates changed."
        of_cause = Counter(cause for _, _, _, cause in dates)
        said = ", ".join(f"{of_cause[cause]:,} {cause}" for cause in ChangeCause if of_cause[cause])
        apps = len({line.app_id for line in self.restatements})
        return f"Final numbers of {counted(apps, 'app')} changed: Dates of a table {said}."


def period(start: date | None, end: date | None, today: date) -> tuple[date, date]:
    """The range of Dates; if one end is missing, it covers 28 Dates, or ends yesterday. Refused if the end is before
    the start."""
    last = end or today - timedelta(days=1)
    first = start or last - timedelta(days=_DATES_BY_DEFAULT - 1)
    if first > last:
        raise Refused(f"from ({first}) must not be after to ({last}).")
    return first, last


def find_restatements(
    accounts: Sequence[Account], lake: Bucket, names: Mapping[str, str], start: date, end: date
) -> RestatementList:
    """The changes by runs to these Dates of these accounts' apps."""
    lines = (line for line in _lines(accounts, lake, names, start) if start <= line.day <= end)
    return RestatementList(start, end, tuple(lines))


def changed_since(
    accounts: Sequence[Account], lake: Bucket, names: Mapping[str, str], since: date
) -> tuple[RestatementLine, ...]:
    """The changes that runs made on this day and later, to any Date, in the same order."""
    return tuple(line for line in _lines(accounts, lake, names, since) if line.changed_on >= since)


def _lines(
    accounts: Sequence[Account], lake: Bucket, names: Mapping[str, str], since: date
) -> Sequence[RestatementLine]:
    app_ids = {app_id for account in accounts for app_id in account.app_ids}
    found = [_line(one, names) for one in read_restatements(lake, since) if one.app_id in app_ids]
    found.sort(key=lambda line: (line.app_id, line.table_name, line.day))
    found.sort(key=lambda line: line.run_id, reverse=True)
    return found


COLUMNS = tuple(each.name for each in fields(RestatementLine))
"""The rows for CSV."""


def rows(found: RestatementList) -> Iterator[tuple[Any, ...]]:
    """The same without names, for CSV; missing values are empty cells."""
    for line in found.restatements:
        yield tuple(getattr(line, name) for name in COLUMNS)


def restated_table_dates(lake: Bucket, app_ids: Collection[str], since: date) -> frozenset[tuple[str, date]]:
    """The tables and Dates that Apple has restated for one of these apps."""
    return frozenset(
        (one.table_name, one.day)
        for one in read_restatements(lake, since)
        if one.cause is ChangeCause.RESTATED and one.app_id in app_ids
    )


def _line(one: Restatement, names: Mapping[str, str]) -> RestatementLine:
    return RestatementLine(
        app_id=one.app_id,
        app_name=names.get(one.app_id, ""),
        table_name=one.table_name,
        day=one.day,
        measure=one.measure,
        before=_plain(one.before),
        now=_plain(one.now),
        change=_plain((one.now or 0) - (one.before or Decimal())) or 0,
        cause=one.cause,
        changed_on=one.changed_on,
        run_id=one.run_id,
    )


def _plain(value: Decimal | None) -> Number | None:
    """A count as a whole number, money unchanged."""
    if value is None or value.as_tuple().exponent != 0:
        return value
    return int(value)

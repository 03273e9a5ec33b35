"""The stored amounts of the Dates that a KPI question needs, and the state of each number."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple, cast

from appstore_analytics.answers.checked_tables import CheckedTable, checked_table
from appstore_analytics.answers.checks import NO_CHECKS, Checks
from appstore_analytics.contract.kpis.definition import LAST_DAY_SINCE_DOWNLOAD, Amount, Basis, Dimension, Kpi
from appstore_analytics.contract.kpis.stored import TOTAL
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.tables import CuratedTable, tables_by_name
from appstore_analytics.lake.kpis.reader import Wanted, read_kpis
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.model.known_apps import KnownApp
from appstore_analytics.model.kpis import DateState, Number, Storage, StoredKpis
from appstore_analytics.registry import Registry
from appstore_analytics.rules.calendar import dates_between, preceding
from appstore_analytics.rules.gaps import KnownTable
from appstore_analytics.rules.kpis import Value, of_apps, value_of, worst

_NOT_CURRENT = {
    Storage.BEING_REPLACED: DateState.BEING_REPLACED,
    Storage.NOT_BUILT: DateState.NOT_BUILT,
}

NOTHING: Mapping[str, Number] = {}


class AppGroup(NamedTuple):
    """The apps of a series: `app_id` if it is one app. Their amounts are added, and their states count."""

    app_id: str
    stored_as: tuple[int, ...]
    members: tuple[int, ...]


class Told(NamedTuple):
    """The state of a Date's number, the number of apps that lack due data, and the reason if there is no number."""

    state: DateState
    apps_missing: int = 0
    reason: str = ""


_OF_ROWS: Mapping[bool | None, Told] = {
    True: Told(DateState.FINAL),
    None: Told(DateState.FINAL),
    False: Told(DateState.PRELIMINARY),
}
"""The state of rows, by whether Apple had completed their Date."""


class _Place(NamedTuple):
    """The stored location of one side of a formula."""

    day: date
    value: str | None


def dimension_of(kpi: Kpi, by: str) -> str:
    """The stored dimension from which a KPI split by `by` is read."""
    if kpi.basis is Basis.COHORT:
        return Dimension.DAYS_SINCE_DOWNLOAD
    return by if by in kpi.dimensions else TOTAL


class Sheet:
    """Stored amounts by dimension, Date and table; and the gap rule for Dates without rows."""

    def __init__(self, by: str, stored: Mapping[tuple[str, TableDate], StoredKpis], known: "KnownDates") -> None:
        self._by = by
        self._stored = stored
        self._known = known
        self._told: dict[tuple[str, TableDate, str], Told] = {}
        self._columns: dict[TableDate, list[Told]] = {}

    def values_of(self, kpi: Kpi, group: AppGroup) -> set[str | None]:
        """The values of the dimension that occur in the KPI's amounts."""
        names, dimension = {amount.name for amount in kpi.amounts}, dimension_of(kpi, self._by)
        return {
            value
            for (stored_dimension, _), one in self._stored.items()
            if stored_dimension == dimension
            for (name, value), by_app in one.amounts.items()
            if name in names and not by_app.keys().isdisjoint(group.stored_as)
        }

    def value(
        self,
        kpi: Kpi,
        days: Sequence[date],
        group: AppGroup,
        *values: str | None,
        less: Mapping[str, Number] = NOTHING,
    ) -> Value | None:
        """The formula over the sums of these Dates and values; a stock in the divisor is taken from the first Date.

        The amounts in `less` are subtracted from those of the same name.
        """
        dimension = dimension_of(kpi, self._by)
        opening = days[:1] if kpi.basis is Basis.OPENING else days

        def added(amount: Amount, places: Iterable[_Place]) -> Number | None:
            numbers = [number for place in places for number in self._numbers(amount, dimension, place, group)]
            if None in numbers:
                return None
            return sum(number for number in numbers if number is not None) - less.get(amount.name, 0)

        return value_of(
            kpi,
            lambda amount: added(amount, (_above(kpi, day, value) for day in days for value in values)),
            lambda amount: added(amount, (_below(kpi, day, value) for day in opening for value in values)),
        )

    def is_plain(self, kpi: Kpi) -> bool:
        """Whether the KPI has no dimension, uses the Dates themselves, and no sum loses precision."""
        names = {amount.name for amount in kpi.amounts}
        return (
            dimension_of(kpi, self._by) == TOTAL
            and kpi.basis is Basis.DATES
            and not any(
                name in names and None in by_app.values()
                for one in self._stored.values()
                for (name, _), by_app in one.amounts.items()
            )
        )

    def of_amount(self, amount: Amount, day: date) -> Mapping[int, Number]:
        """The amount of one Date by app, without a dimension."""
        stored = self._stored.get((TOTAL, TableDate(amount.table_name, day)))
        by_app = stored.amounts.get((amount.name, None), {}) if stored else {}
        return cast(Mapping[int, Number], by_app)  # none of which is lost: see is_plain

    def final_until(self, kpi: Kpi) -> date | None:
        """The newest Date that Apple has completed in all of the KPI's tables; None if one of them has no stored Date.

        Apple has completed a Date as soon as one app's file says so: the other apps are complete or missing.
        """
        dimension, newest = dimension_of(kpi, self._by), []
        for table in kpi.tables:
            days = [
                source.day
                for (of, source), one in self._stored.items()
                if of == dimension and source.table == table.name and one.is_completed
            ]
            newest.append(max(days, default=date.min))
        return None if date.min in newest else min(newest)

    def told(self, kpi: Kpi, day: date, group: AppGroup, value: str | None) -> Told:
        """The state of one Date: the worst of its sources."""
        dimension = dimension_of(kpi, self._by)
        return _worst_of([self._told_of_source(dimension, each, group) for each in _sources_of(kpi, day, value)])

    def told_of_apps(self, kpi: Kpi, day: date, groups: Sequence[AppGroup]) -> list[Told]:
        """The state of one Date for each of these apps, for a KPI without a dimension; always call it with the same
        apps."""
        columns = [self._column(each, groups) for each in _sources_of(kpi, day, None)]
        return columns[0] if len(columns) == 1 else list(map(_worst_of, zip(*columns, strict=True)))

    def _numbers(self, amount: Amount, dimension: str, place: _Place, group: AppGroup) -> Iterable[Number | None]:
        stored = self._stored.get((dimension, TableDate(amount.table_name, place.day)))
        by_app = stored.amounts.get((amount.name, place.value), {}) if stored else {}
        return (by_app.get(app_id, 0) for app_id in group.stored_as)

    def _told_of_source(self, dimension: str, source: TableDate, group: AppGroup) -> Told:
        key = dimension, source, group.app_id
        if key not in self._told:
            self._told[key] = self._look(self._stored.get((dimension, source)), source, group)
        return self._told[key]

    def _column(self, source: TableDate, groups: Sequence[AppGroup]) -> list[Told]:
        if source not in self._columns:
            stored = self._stored.get((TOTAL, source))
            is_final = stored.is_final if stored else {}
            self._columns[source] = [
                _OF_ROWS[is_final[group.members[0]]]
                if group.members[0] in is_final
                else self._told_of_source(TOTAL, source, group)
                for group in groups
            ]
        return self._columns[source]

    def _look(self, stored: StoredKpis | None, source: TableDate, group: AppGroup) -> Told:
        if stored is not None and stored.storage in _NOT_CURRENT:
            return Told(_NOT_CURRENT[stored.storage])
        is_final = stored.is_final if stored else {}
        here = [is_final[app_id] for app_id in group.members if app_id in is_final]
        told = self._known.without_rows(source, [app_id for app_id in group.members if app_id not in is_final])
        if here:  # a single state stands for a thousand apps
            told.insert(0, _OF_ROWS[False not in here])
        state, apps_missing = of_apps([one.state for one in told])
        return Told(state, apps_missing, next((one.reason for one in told if one.state is state), ""))


class KnownDates:
    """Whether a Date without published rows of an app is zero or missing: the gap rule, on the records of runs.

    Results of the freshness checks are used if they exist, because reading the ledger of a thousand apps would take
    minutes.
    """

    def __init__(self, registry: Registry, lake: Bucket, as_of: date, checks: Checks = NO_CHECKS) -> None:
        self._registry = registry
        self._lake = lake
        self.as_of = as_of
        self._checks = checks
        self._checked: dict[tuple[int, str], CheckedTable | None] = {}
        self._apps: dict[int, KnownApp] = {}
        self._tables: dict[tuple[int, str], KnownTable | None] = {}
        self._expected: dict[tuple[int, str], set[date]] = {}
        self._parts: dict[TableDate, frozenset[int]] = {}

    def without_rows(self, source: TableDate, app_ids: Sequence[int]) -> list[Told]:
        """The state of each app, and the reason if it is missing."""
        table = tables_by_name()[source.table]
        newest_due = self._checks.newest_due(table)
        if newest_due is None or source.day <= newest_due:
            return [self._without_rows(source, app_id) for app_id in app_ids]
        settled = self._checks.settled(table, source.day)  # none is due yet: one state stands for a thousand apps
        others = [self._without_rows(source, app_id) for app_id in app_ids if str(app_id) not in settled]
        return [Told(DateState.NOT_DUE)] * (len(app_ids) - len(others)) + others

    def _without_rows(self, source: TableDate, app_id: int) -> Told:
        key = app_id, source.table
        if key not in self._checked:
            self._checked[key] = checked_table(self._checks, str(app_id), tables_by_name()[source.table])
        checked = self._checked[key]
        if checked is not None and (told := checked.told(source.day)):
            return Told(*told)
        if key not in self._tables:
            self._tables[key] = self._table(app_id, tables_by_name()[source.table])
            known = self._tables[key]
            self._expected[key] = known.expected(self.as_of) if known else set()
        known = self._tables[key]
        if known is None or source.day not in self._expected[key]:
            return Told(DateState.NOT_DUE)
        known = replace(known, unpublished=frozenset({source.day} if app_id in self._apps_with_parts(source) else ()))
        if known.is_complete(source.day):
            return Told(DateState.ZERO)
        state = DateState.QUARANTINED if known.is_quarantined(source.day) else DateState.MISSING
        return Told(state, 1, known.missing(source.day, self.as_of).cause)

    def _table(self, app_id: int, table: CuratedTable) -> KnownTable | None:
        """None for a report that Apple has never sent for the app."""
        if app_id not in self._apps:
            self._apps[app_id] = self._registry.known_app(str(app_id))
        app = self._apps[app_id]
        return KnownTable.of(app, table, lambda _: None) if app.ledger.get(table.name) else None

    def _apps_with_parts(self, source: TableDate) -> frozenset[int]:
        if source not in self._parts:
            keys = (stored.key for stored in self._lake.list(source.parts_prefix))
            self._parts[source] = frozenset(map(source.app_id_of_part, keys))
        return self._parts[source]


def read_sheet(
    kpis: Sequence[Kpi],
    by: str,
    groups: Sequence[AppGroup],
    start: date,
    end: date,
    registry: Registry,
    lake: Bucket,
    as_of: date,
) -> Sheet:
    """Read the stored amounts of these KPIs and Dates: each object once per dimension."""
    return read_amounts(kpis, by, groups, (start, end), lake, KnownDates(registry, lake, as_of))


def read_amounts(
    kpis: Sequence[Kpi], by: str, groups: Sequence[AppGroup], dates: tuple[date, date], lake: Bucket, known: KnownDates
) -> Sheet:
    """The same for callers that can distinguish zero from missing; `dates` are the first and the last."""
    start, end = dates
    apps = frozenset(app_id for group in groups for app_id in group.stored_as)
    stored = {}
    for dimension in dict.fromkeys(dimension_of(kpi, by) for kpi in kpis):
        of_dimension = [kpi for kpi in kpis if dimension_of(kpi, by) == dimension]
        names = frozenset(amount.name for kpi in of_dimension for amount in kpi.amounts)
        sources = sorted({source for kpi in of_dimension for source in _sources(kpi, start, end, known.as_of)})
        for one in read_kpis(lake, sources, Wanted(names, apps, dimension)):
            stored[dimension, one.table_date] = one
    return Sheet(by, stored, known)


def _sources(kpi: Kpi, start: date, end: date, as_of: date) -> Iterator[TableDate]:
    first, last = start, end
    if kpi.basis is Basis.OPENING:
        first = preceding(start, kpi.granularity)
    if kpi.basis is Basis.COHORT:
        last += timedelta(days=LAST_DAY_SINCE_DOWNLOAD)
    for day in dates_between(first, min(last, as_of), kpi.granularity):
        yield from (TableDate(table.name, day) for table in kpi.tables)


def _sources_of(kpi: Kpi, day: date, value: str | None) -> list[TableDate]:
    """The Dates of the tables from which the value of one Date is computed."""
    above, below = _above(kpi, day, value), _below(kpi, day, value)
    days = [
        *((amount.table_name, above.day) for amount in (*kpi.plus, *kpi.minus)),
        *((amount.table_name, below.day) for amount in kpi.over),
    ]
    return [TableDate(table, day) for table, day in sorted(set(days))]


def _worst_of(told: Sequence[Told]) -> Told:
    """The combined state of several sources."""
    first = told[0]
    if all(one is first for one in told):
        return first
    state = worst(one.state for one in told)
    reason = next((one.reason for one in told if one.state is state), "")
    return Told(state, max(one.apps_missing for one in told), reason)


def _above(kpi: Kpi, day: date, value: str | None) -> _Place:
    return _Place(day + timedelta(days=int(value or 0)), value) if kpi.basis is Basis.COHORT else _Place(day, value)


def _below(kpi: Kpi, day: date, value: str | None) -> _Place:
    if kpi.basis is Basis.COHORT:
        return _Place(day, "0")
    return _Place(preceding(day, kpi.granularity) if kpi.basis is Basis.OPENING else day, value)

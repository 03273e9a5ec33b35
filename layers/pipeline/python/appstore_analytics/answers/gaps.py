"""`gaps`: Dates that should be complete in the tables but are not, and their repair. Apple is not asked."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from itertools import groupby

from appstore_analytics.answers.apps import app_names
from appstore_analytics.answers.facts import counted
from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.layout import PARTS_PREFIX, TableDate, day_of
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.parts import part_version
from appstore_analytics.lake.published import published_dates
from appstore_analytics.registry import Registry
from appstore_analytics.registry.known_apps import known_app
from appstore_analytics.rules.calendar import expected_dates, periods
from appstore_analytics.rules.gaps import KnownApp, MissingDate
from appstore_analytics.rules.repairs import Repair, command

_LONG_ENOUGH = timedelta(days=100)  # two months, and the days until their Dates are complete


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
class Gaps:
    """The missing Dates of each table. `commands` repair what no run repairs by itself, by app, table and repair."""

    as_of: date
    tables: tuple[TableCompleteness, ...]
    gaps: tuple[Gap, ...]
    commands: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        """Whether nothing is missing."""
        return not self.gaps

    @property
    def sentence(self) -> str:
        """The number of missing Dates, and the days left to repair them."""
        if self.gaps:
            missing = sum(gap.dates for gap in self.gaps)
            return (
                f"{counted(missing, 'Date')} of {counted(len({gap.app_id for gap in self.gaps}), 'app')} not complete."
            )
        if not self.tables:
            return "Apple has sent nothing yet."
        return "No Date is missing. Newer Dates than `complete until` are still being completed by Apple."


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts of one table: their keys by app and Date, and the Dates with a published object."""

    lake: Bucket
    table: CuratedTable
    keys: Mapping[str, Mapping[date, list[str]]]
    published: frozenset[date]

    def unpublished(self, app_id: str) -> frozenset[date]:
        """The Dates that have a part of the app but no object."""
        return frozenset(self.keys.get(app_id, {}).keys() - self.published)

    def present(self, app_id: str) -> set[date]:
        """The Dates with published rows of the app."""
        return self.keys.get(app_id, {}).keys() & self.published

    def standing(self, app_id: str, day: date) -> date | None:
        """The processing date of the newest published rows of a Date, from the metadata of a single part."""
        keys = self.keys.get(app_id, {}).get(day, []) if day in self.published else []
        if not keys:
            return None
        if self.table.keeps_vintages:
            return max(date.fromisoformat(key.rsplit("/", 1)[1][:10]) for key in keys)
        stored = self.lake.head(keys[0])
        return None if stored is None else part_version(stored).vintage.processing_date


def find_gaps(
    accounts: Sequence[Account],
    tables: Sequence[CuratedTable],
    registry: Registry,
    lake: Bucket,
    as_of: date,
    since: date | None = None,
) -> Gaps:
    """Checks every Date since an app's first day (or since `since`) that a run before `as_of` should have completed."""
    apps = [known_app(app_id, registry) for account in accounts for app_id in account.app_ids]
    lines, gaps = [], []
    commands: dict[str, str] = {}
    for table in tables:
        of_table = [app for app in apps if app.ledger.get(table.name)]
        if of_table:
            parts = _parts(lake, table, since or date.min, as_of)
            line, missing = _table_gaps(table, of_table, parts, as_of, since)
            lines.append(line)
            for app_id, of_app in sorted(missing.items()):
                gaps += sorted(_gaps(app_id, table, of_app), key=lambda gap: gap.first)
                commands |= dict(_commands(app_id, table, of_app))
    names = app_names(lake)
    named = (replace(gap, app_name=names.get(gap.app_id, "")) for gap in gaps)
    return Gaps(as_of, tuple(lines), tuple(named), commands)


def _parts(lake: Bucket, table: CuratedTable, start: date, end: date) -> _Parts:
    """One listing of the parts, one of the objects."""
    published = frozenset(day for day in published_dates(lake, table) if start <= day <= end)
    keys: dict[str, dict[date, list[str]]] = defaultdict(lambda: defaultdict(list))
    for stored in lake.list(f"{PARTS_PREFIX}{table.name}/dt="):
        day = day_of(stored.key)
        if start <= day <= end:
            keys[str(TableDate(table.name, day).app_id_of_part(stored.key))][day].append(stored.key)
    return _Parts(lake, table, keys, published)


def _table_gaps(
    table: CuratedTable, apps: Sequence[KnownApp], parts: _Parts, as_of: date, since: date | None
) -> tuple[TableCompleteness, dict[str, list[MissingDate]]]:
    missing: dict[str, list[MissingDate]] = {}
    present = without_rows = 0
    for app in apps:
        known = app.table(table, partial(parts.standing, app.app_id), parts.unpublished(app.app_id))
        expected = {day for day in known.expected(as_of) if since is None or day >= since}
        incomplete = {day for day in expected if not known.is_complete(day)}
        missing[app.app_id] = [known.missing(day, as_of) for day in sorted(incomplete)]
        present += len(parts.present(app.app_id) - incomplete)
        without_rows += len(expected - incomplete - parts.present(app.app_id))
    days = [one.day for of_app in missing.values() for one in of_app]
    complete_until = _complete_until(table, days, as_of)
    return TableCompleteness(table.name, len(apps), complete_until, present, without_rows, len(days)), missing


def _complete_until(table: CuratedTable, missing: Collection[date], as_of: date) -> date | None:
    """The newest Date before the first missing one, of those that Apple has completed."""
    first_missing = min(missing, default=as_of)
    settled = expected_dates(table, first_missing - _LONG_ENOUGH, as_of)
    return max((day for day in settled if day < first_missing), default=None)


def _commands(app_id: str, table: CuratedTable, missing: Sequence[MissingDate]) -> Iterator[tuple[str, str]]:
    """One command for each repair that a person starts."""
    for repair in (Repair.REPROCESS, Repair.REFETCH, Repair.BACKFILL):
        days = [one.processing_date or one.day for one in missing if one.repair is repair]
        if days:
            yield f"{app_id} {table.name} {repair}", command(repair, app_id, table, days)


def _gaps(app_id: str, table: CuratedTable, missing: Sequence[MissingDate]) -> Iterator[Gap]:
    def same(one: MissingDate) -> tuple[str, Repair, date]:
        return one.cause, one.repair, one.repair_from

    for (cause, repair, repair_from), group in groupby(sorted(missing, key=lambda one: (same(one), one.day)), key=same):
        left = {one.day: one.days_left for one in group}
        for days in periods(left.keys(), table.granularity):
            yield Gap(app_id, table.name, days[0], days[-1], len(days), cause, left[days[0]], repair, repair_from)

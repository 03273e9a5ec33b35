"""`gaps`: Dates that should stand in the tables and do not, and what still brings them back. Apple is not asked."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from appstore_analytics.answers.facts import counted
from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.configuration import Account
from appstore_analytics.contract.layout import PARTS_PREFIX, TableDate
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.published import published_dates
from appstore_analytics.model.instances import InstanceStatus, LedgerInstance
from appstore_analytics.model.requests import KnownRequest
from appstore_analytics.registry import Registry
from appstore_analytics.rules.due import snapshot_is_due, snapshot_is_outdated, snapshot_renewable_on
from appstore_analytics.rules.freshness import published_on, speaks_for
from appstore_analytics.rules.gaps import Repair, days_left, expected_dates, periods, snapshot_holds

_DAY = timedelta(days=1)
_LONG_ENOUGH = timedelta(days=100)  # for two months and their completion


@dataclass(frozen=True, slots=True)
class Gap:
    """Dates of one app's table that are missing, one after the other, for the same cause.

    `days_left`: for how long Apple still has the last daily instance that holds the first of them (of its 35 days);
    0 also where only a snapshot ever held them.
    `repair_from` is the day from which on the repair can work.
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


@dataclass(frozen=True, slots=True)
class TableCompleteness:
    """One table: every Date up to `complete_until` stands for every app, or Apple sent no rows for it.

    `apps` are those of which Apple has sent this report at all.
    """

    table_name: str
    apps: int
    complete_until: date | None
    dates_present: int
    dates_without_rows: int
    dates_missing: int


@dataclass(frozen=True, slots=True)
class Gaps:
    """What is missing, table by table."""

    as_of: date
    tables: tuple[TableCompleteness, ...]
    gaps: tuple[Gap, ...]

    @property
    def is_good(self) -> bool:
        """Whether nothing is missing."""
        return not self.gaps

    @property
    def sentence(self) -> str:
        """How much is missing, and how soon something has to be done."""
        if self.gaps:
            missing = sum(gap.dates for gap in self.gaps)
            return f"{counted(missing, 'Date')} of {counted(len({gap.app_id for gap in self.gaps}), 'app')} missing."
        if not self.tables:
            return "Apple has sent nothing yet."
        return "No Date is missing. Newer Dates than `complete until` are still being completed by Apple."


@dataclass(frozen=True, slots=True)
class _App:
    """What is known about one app: its requests and the ledger by table."""

    app_id: str
    ongoing: KnownRequest
    snapshot: KnownRequest
    ledger: Mapping[str, Sequence[LedgerInstance]]


@dataclass(frozen=True, slots=True)
class _Missing:
    day: date
    days_left: int
    cause: str
    repair: Repair
    repair_from: date


def find_gaps(
    accounts: Sequence[Account],
    tables: Sequence[CuratedTable],
    registry: Registry,
    lake: Bucket,
    as_of: date,
    since: date | None = None,
) -> Gaps:
    """Every Date from an app's first day (or `since`) on that a run before `as_of` should have brought."""
    apps = [_app(app_id, registry) for account in accounts for app_id in account.app_ids]
    lines, gaps = [], []
    for table in tables:
        of_table = [app for app in apps if app.ledger.get(table.name)]
        if not of_table:
            continue
        present = _present(lake, table, since or date.min, as_of)
        missing, present_dates, without_rows = _check(of_table, table, present, as_of, since)
        lines.append(
            TableCompleteness(
                table.name,
                len(of_table),
                _complete_until(table, missing, as_of),
                present_dates,
                without_rows,
                sum(map(len, missing.values())),
            )
        )
        of_app = (_gaps(app_id, table, days) for app_id, days in missing.items())
        gaps += sorted((gap for found in of_app for gap in found), key=lambda gap: (gap.app_id, gap.first))
    return Gaps(as_of, tuple(lines), tuple(gaps))


def _app(app_id: str, registry: Registry) -> _App:
    ledger: dict[str, list[LedgerInstance]] = defaultdict(list)
    for instance in registry.instances.of_app(app_id, date.min):
        ledger[instance.table].append(instance)
    requests = registry.report_requests
    ongoing, snapshot = requests.get(app_id, AccessType.ONGOING), requests.get(app_id, AccessType.ONE_TIME_SNAPSHOT)
    return _App(app_id, ongoing, snapshot, ledger)


def _present(lake: Bucket, table: CuratedTable, start: date, end: date) -> dict[str, set[date]]:
    """The Dates by app whose part stands in a published object: one listing of the parts, one of the objects."""
    published = {day for day in published_dates(lake, table) if start <= day <= end}
    found: dict[str, set[date]] = defaultdict(set)
    prefix = f"{PARTS_PREFIX}{table.name}/dt="
    for stored in lake.list(prefix):
        day = date.fromisoformat(stored.key.removeprefix(prefix)[:10])
        if day in published:
            found[str(TableDate(table.name, day).app_id_of_part(stored.key))].add(day)
    return found


def _check(
    apps: Sequence[_App], table: CuratedTable, present: Mapping[str, set[date]], as_of: date, since: date | None
) -> tuple[dict[str, list[_Missing]], int, int]:
    """The missing Dates by app; how many Dates stand, and for how many Apple sent no rows."""
    missing: dict[str, list[_Missing]] = {}
    stand = without_rows = 0
    for app in apps:
        expected = {day for day in _expected(app, table, as_of) if since is None or day >= since}
        there = present.get(app.app_id, set())
        absent = sorted(expected - there)
        unspoken = [day for day in absent if not _is_spoken_for(day, app, table)]
        stand += len(there)
        without_rows += len(absent) - len(unspoken)
        if unspoken:
            missing[app.app_id] = [_missing(day, app, table, as_of) for day in unspoken]
    return missing, stand, without_rows


def _expected(app: _App, table: CuratedTable, as_of: date) -> Iterator[date]:
    """From the first day of the ONGOING request on; and what backfills asked for."""
    yield from expected_dates(table, _first_day(app, table), as_of)
    for asked in app.snapshot.asked:
        if asked.report == table.report.name:
            yield from (day for day in expected_dates(table, asked.start_date, as_of) if day <= asked.end_date)


def _first_day(app: _App, table: CuratedTable) -> date:
    """The day of the ONGOING request, or of its first instance where nobody tells it; never without either."""
    ongoing = [one for one in app.ledger[table.name] if one.vintage.access_type is AccessType.ONGOING]
    if not ongoing:
        return date.max
    return app.ongoing.requested_on or min(one.vintage.processing_date for one in ongoing) - _DAY


def _is_spoken_for(day: date, app: _App, table: CuratedTable) -> bool:
    """Whether a converted instance must hold this Date's rows, so that none means none."""
    for instance in app.ledger[table.name]:
        if instance.status is not InstanceStatus.CONVERTED:
            continue
        if instance.vintage.access_type is AccessType.ONGOING:
            if speaks_for(instance.vintage.processing_date, day, table):
                return True
        elif _asked_of_snapshot(day, app, table) & instance.converted_dates:
            return True
    return False


def _is_quarantined_in_snapshot(day: date, app: _App, table: CuratedTable) -> bool:
    """Whether a snapshot was quarantined when it was asked for this Date, also one that stands with other Dates."""
    asked = _asked_of_snapshot(day, app, table)
    return any(one.has_landed and asked & one.quarantined_dates for one in app.ledger[table.name])


def _asked_of_snapshot(day: date, app: _App, table: CuratedTable) -> set[str]:
    """The ranges with this Date that backfills asked for; none where the snapshot does not speak for it."""
    if not snapshot_holds(day, table, app.snapshot.requested_on):
        return set()
    return {one.dates for one in app.snapshot.asked if one.report == table.report.name and one.covers(day)}


_QUARANTINED = "its file breaks the report's contract (quarantined)"
_CAUSES = (
    (InstanceStatus.QUARANTINED, _QUARANTINED),
    (InstanceStatus.ROLLED_BACK, "a rollback took it out of the tables"),
    (InstanceStatus.LANDED, "landed, not converted yet"),
    (InstanceStatus.LISTED, "listed, not landed yet"),
    (InstanceStatus.EXPIRED, "Apple deleted it before it had landed (expired)"),
)


def _missing(day: date, app: _App, table: CuratedTable, as_of: date) -> _Missing:
    ledger = [one for one in app.ledger[table.name] if one.vintage.access_type is AccessType.ONGOING]
    statuses = {one.status for one in ledger if speaks_for(one.vintage.processing_date, day, table)}
    left = days_left(day, table, as_of) if day >= _first_day(app, table) else 0
    cause = next((words for status, words in _CAUSES if status in statuses), "")
    if statuses & {InstanceStatus.QUARANTINED, InstanceStatus.ROLLED_BACK}:
        return _Missing(day, left, cause, Repair.REPROCESS, as_of)
    was_listed_since = any(one.vintage.processing_date > published_on(day, table) for one in ledger)
    is_open = bool(statuses & {InstanceStatus.LANDED, InstanceStatus.LISTED}) or not was_listed_since
    absent = "Apple listed no instance" if was_listed_since else "no run has listed instances since"
    if is_open and left:
        return _Missing(day, left, cause or absent, Repair.NEXT_RUN, as_of)
    if _is_quarantined_in_snapshot(day, app, table):
        return _Missing(day, left, _QUARANTINED, Repair.REPROCESS, as_of)
    if _waits_for_snapshot(day, app, table, as_of):
        return _Missing(day, left, cause or "a backfill waits for its snapshot", Repair.NEXT_RUN, as_of)
    repair_from = _snapshot_from(day, app.snapshot, table, as_of)
    return _Missing(day, left, cause or absent, Repair.BACKFILL, repair_from)


def _waits_for_snapshot(day: date, app: _App, table: CuratedTable, as_of: date) -> bool:
    """Whether the daily runs still look after a snapshot that holds the Date."""
    has_instances = any(one.vintage.access_type is AccessType.ONE_TIME_SNAPSHOT for one in app.ledger[table.name])
    return snapshot_holds(day, table, app.snapshot.requested_on) and any(
        asked.report == table.report.name
        and asked.covers(day)
        and snapshot_is_due(asked.asked_on, has_instances, as_of)
        for asked in app.snapshot.asked
    )


def _snapshot_from(day: date, snapshot: KnownRequest, table: CuratedTable, as_of: date) -> date:
    """From when on a backfill can bring the Date: today, unless the snapshot that stands was made too early."""
    since = snapshot.requested_on or snapshot.known_since
    outdated = snapshot_is_outdated(snapshot.requested_on, snapshot.known_since, snapshot.newest_instance, as_of)
    if snapshot.request_id is None or since is None or outdated:
        return as_of
    return as_of if snapshot_holds(day, table, snapshot.requested_on) else snapshot_renewable_on(since)


def _complete_until(table: CuratedTable, missing: Mapping[str, Collection[_Missing]], as_of: date) -> date | None:
    """The newest Date before the first missing one, of those that Apple has completed."""
    first_missing = min((one.day for days in missing.values() for one in days), default=as_of)
    settled = expected_dates(table, first_missing - _LONG_ENOUGH, as_of)
    return max((day for day in settled if day < first_missing), default=None)


def _gaps(app_id: str, table: CuratedTable, missing: Sequence[_Missing]) -> Iterator[Gap]:
    def same(one: _Missing) -> tuple[str, Repair, date]:
        return one.cause, one.repair, one.repair_from

    for (cause, repair, repair_from), group in groupby(sorted(missing, key=lambda one: (same(one), one.day)), key=same):
        left = {one.day: one.days_left for one in group}
        for days in periods(left.keys(), table.granularity):
            yield Gap(app_id, table.name, days[0], days[-1], len(days), cause, left[days[0]], repair, repair_from)

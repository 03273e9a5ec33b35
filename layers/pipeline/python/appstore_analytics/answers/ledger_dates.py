"""The exact verdict on Dates of single apps, from the ledger alone, without reading stored amounts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from appstore_analytics.answers.checks import LOOKED_BACK
from appstore_analytics.answers.gaps import KnownApp, known_app
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.model.instances import InstanceStatus, LedgerInstance
from appstore_analytics.registry import Registry
from appstore_analytics.rules.date_verdicts import DateVerdict, of_missing
from appstore_analytics.rules.gaps import KnownTable

_BEFORE = timedelta(days=40)
"""The oldest instance that can cover the first requested Date is older by a month and a window."""

Published = Callable[[CuratedTable], frozenset[date]]
"""The Dates of a table that have a published object."""


@dataclass(frozen=True)
class LedgerTable:
    """One table of one app: the gap rule, and the Dates that have rows, each with their processing date."""

    known: KnownTable
    rows: Mapping[date, date]
    expected: frozenset[date]

    def verdict(self, day: date, checked: DateVerdict | None = None) -> DateVerdict:
        """The verdict on one Date; `checked` is why it was missing in the last check."""
        has_rows = day in self.rows and day not in self.known.unpublished
        if self.known.is_complete(day) and (has_rows or day >= self.known.first_day or day in self.expected):
            return DateVerdict.FRESH if has_rows else DateVerdict.ZERO
        if day in self.expected:
            return of_missing(self.known.status(day), checked)
        if has_rows:
            return DateVerdict.PRELIMINARY
        return DateVerdict.NOT_READY if day >= self.known.first_day else DateVerdict.NONE


class LedgerDates:
    """The ledger of apps, each read once and only on first use."""

    def __init__(self, registry: Registry, published: Published, as_of: date) -> None:
        self._registry = registry
        self._published = published
        self._as_of = as_of
        self._apps: dict[str, KnownApp] = {}
        self._tables: dict[tuple[str, str], LedgerTable | None] = {}

    def app(self, app_id: str) -> KnownApp:
        """Its requests, and the ledger of the last months."""
        if app_id not in self._apps:
            self._apps[app_id] = known_app(app_id, self._registry, self._as_of - LOOKED_BACK - _BEFORE)
        return self._apps[app_id]

    def table(self, app_id: str, table: CuratedTable) -> LedgerTable | None:
        """One table of an app; None for a report that Apple has never sent for it."""
        key = app_id, table.name
        if key not in self._tables:
            app = self.app(app_id)
            self._tables[key] = self._made(app, table) if app.ledger.get(table.name) else None
        return self._tables[key]

    def _made(self, app: KnownApp, table: CuratedTable) -> LedgerTable:
        rows = rows_of(app.ledger[table.name])
        unpublished = frozenset(rows.keys() - self._published(table))
        known = app.table(table, rows.get, unpublished)
        return LedgerTable(known, rows, frozenset(known.expected(self._as_of)))


def rows_of(ledger: tuple[LedgerInstance, ...]) -> dict[date, date]:
    """The Dates for which an instance has parts, with the newest processing date of each."""
    rows: dict[date, date] = {}
    for instance in ledger:
        if instance.status is InstanceStatus.CONVERTED:
            for day in instance.part_dates - instance.refused_dates:
                built = instance.vintage.processing_date
                rows[day] = max(rows.get(day, built), built)
    return rows

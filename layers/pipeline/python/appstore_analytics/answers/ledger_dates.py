"""The exact verdict on Dates of single apps, from the ledger alone, without reading stored amounts."""

from collections.abc import Callable
from datetime import date, timedelta

from appstore_analytics.answers.checks import LOOKED_BACK
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.model.known_apps import KnownApp
from appstore_analytics.registry import Registry
from appstore_analytics.rules.gaps import KnownTable
from appstore_analytics.rules.ledger_tables import LedgerTable, rows_of

_BEFORE = timedelta(days=40)
"""The oldest instance that can cover the first requested Date is older by a month and a window."""

Published = Callable[[CuratedTable], frozenset[date]]
"""The Dates of a table that have a published object."""


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
            self._apps[app_id] = self._registry.known_app(app_id, self._as_of - LOOKED_BACK - _BEFORE)
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
        known = KnownTable.of(app, table, rows.get, unpublished)
        return LedgerTable(known, rows, frozenset(known.expected(self._as_of)))

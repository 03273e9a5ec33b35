"""The states of `marts.states`, judged by the gap rule for the apps of a run: a part of summarize_run.

ledger of each app ─► verdict on each Date and source ─► state ─► one object per Date, written if a state changed
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from appstore_analytics.contract.kpis.stored import STATE_SOURCES, SourceState
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.published import published_objects
from appstore_analytics.lake.source_states import States, StatesOfApps, change_states, dates_with_states
from appstore_analytics.model.known_apps import KnownApp
from appstore_analytics.model.plan import RunPlan
from appstore_analytics.registry import Registry
from appstore_analytics.rules.gaps import KnownTable
from appstore_analytics.rules.ledger_tables import LedgerTable, rows_of
from appstore_analytics.rules.source_states import LEDGER_BEFORE, judged_dates, says_something, state_of


def store_source_states(plan: RunPlan, published: Sequence[TableDate], registry: Registry, lake: Bucket) -> int:
    """Judge the run's apps, and store what changed. Returns the number of Dates whose states changed.

    A run of some reports leaves the states of the others as they are. A second call changes nothing.
    """
    sources = {table.name for table in STATE_SOURCES}
    written = {one.day for one in published if one.table in sources}
    days = tuple(judged_dates(plan.as_of, plan.start_date, plan.end_date, written))
    judging = _Judging(plan, days, {table: _published(lake, table, days) for table in _deployed(plan)})
    judged: dict[date, dict[int, States]] = {day: {} for day in days}
    alike: dict[tuple[tuple[str, SourceState], ...], States] = {}
    for account in plan.accounts:
        for app_id in account.app_ids:
            app = registry.known_app(app_id, days[0] - LEDGER_BEFORE)
            for day, states in judging.states_of(app):
                # Thousands of apps have the same few states, which are held once.
                judged[day][int(app_id)] = alike.setdefault(tuple(states.items()), states)
    stored = dates_with_states(lake, days[0])
    worth_a_look = (day for day in days if day in stored or any(map(says_something, judged[day].values())))
    return sum(change_states(lake, day, partial(_changed, judged[day])) for day in worth_a_look)


def _deployed(plan: RunPlan) -> list[CuratedTable]:
    return [
        table
        for table in STATE_SOURCES
        if table.report.name in plan.reports and table.granularity in plan.granularities
    ]


def _published(lake: Bucket, table: CuratedTable, days: Sequence[date]) -> frozenset[date]:
    return frozenset(published_objects(lake, table, days[0]))


def _changed(judged: StatesOfApps, stored: StatesOfApps) -> StatesOfApps:
    """What was judged, with the stored states of other sources; an app of which nothing is due gets no row."""
    merged = {app_id: {**stored.get(app_id, {}), **states} for app_id, states in judged.items()}
    return {app_id: states for app_id, states in merged.items() if app_id in stored or says_something(states)}


@dataclass(frozen=True, slots=True)
class _Judging:
    """`published` are the Dates with an object, by deployed table."""

    plan: RunPlan
    days: Sequence[date]
    published: Mapping[CuratedTable, frozenset[date]]

    def states_of(self, app: KnownApp) -> Iterator[tuple[date, dict[str, SourceState]]]:
        """The states of one app on each Date."""
        tables = {table: self._table(app, table, dates) for table, dates in self.published.items()}
        covers_all = self.plan.operation.traits.covers_every_app
        others = [table for table in STATE_SOURCES if table not in tables] if covers_all else []
        not_deployed = dict.fromkeys((table.name for table in others), SourceState.NOT_DEPLOYED)
        for day in self.days:
            known = {table.name: _state(of_app, day) for table, of_app in tables.items()}
            yield day, {**known, **not_deployed}

    def _table(self, app: KnownApp, table: CuratedTable, published: frozenset[date]) -> LedgerTable | None:
        """None for a report that Apple has never sent for the app."""
        ledger = app.ledger.get(table.name)
        if not ledger:
            return None
        rows = rows_of(ledger)
        unpublished = frozenset(day for day in rows if day >= self.days[0]) - published
        known = KnownTable.of(app, table, rows.get, unpublished)
        return LedgerTable(known, rows, frozenset(known.expected(self.plan.as_of, self.days[0])))


def _state(of_app: LedgerTable | None, day: date) -> SourceState:
    return SourceState.NOT_DUE if of_app is None else state_of(of_app.verdict(day))

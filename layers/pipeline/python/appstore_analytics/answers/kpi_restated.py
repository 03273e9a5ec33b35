"""The points of a KPI whose Dates changed after they were final, and the values before that.

The ledger has the total of each measure. So the former value is known for a KPI that sums measures over all rows, such
as sessions or proceeds. If a formula counts only some rows, as for impressions, or a dimension splits them, the totals
before and after are given instead.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from appstore_analytics.answers.kpi_report import RestatedSum
from appstore_analytics.answers.kpi_sheet import AppGroup, Sheet
from appstore_analytics.contract.kpis.definition import Amount, Basis, Kpi
from appstore_analytics.model.kpis import Number
from appstore_analytics.model.restatements import ChangeCause, Restatement
from appstore_analytics.rules.kpis import Value


@dataclass(frozen=True, slots=True)
class Former:
    """The value when its Date was first final (None if unknown), and the day on which it changed.

    `sums` are the totals behind it, of the changed measures, over the apps whose changes are known.
    """

    value: Value | None
    changed_on: date
    sums: tuple[RestatedSum, ...]


@dataclass(frozen=True, slots=True)
class _Chain:
    """All changes of one measure of one app's Date: the first value, the last one, and Apple's last change."""

    before: Decimal
    now: Decimal
    restated_on: date | None
    is_known: bool = True
    """False since a rollback to a file that was not final: the ledger has no change until the Date is final again."""

    def with_next(self, change: Restatement) -> "_Chain":
        on = change.changed_on if change.cause is ChangeCause.RESTATED else self.restated_on
        return replace(self, now=change.now or Decimal(), restated_on=on, is_known=change.is_final)


class RestatedDates:
    """The changes by table and Date, of every app. A number that has returned to its first value has not changed."""

    def __init__(self, changes: Iterable[Restatement]) -> None:
        chains: dict[tuple[str, date], dict[tuple[int, str], _Chain]] = defaultdict(dict)
        for change in changes:
            of_date, key = chains[change.table_name, change.day], (int(change.app_id), change.measure)
            chain = of_date.get(key, _Chain(change.before or Decimal(), Decimal(), None))
            of_date[key] = chain.with_next(change)
        self._chains: Mapping[tuple[str, date], Mapping[tuple[int, str], _Chain]] = chains

    def former(self, sheet: Sheet, kpi: Kpi, days: Sequence[date], group: AppGroup, *, is_split: bool) -> Former | None:
        """The former value over these Dates, split by a dimension or not; None if nothing behind it changed."""
        if not self._chains:
            return None
        behind = [each for table in kpi.tables for day in days for each in self._behind(kpi, table.name, day, group)]
        known = [(key, chain) for key, chain in behind if chain.is_known]
        on = [chain.restated_on for _, chain in known if chain.restated_on]
        if not on:
            return None
        told = _together(RestatedSum(*key, _plain(chain.before), _plain(chain.now)) for key, chain in known)
        all_known = len(known) == len(behind)
        value = self._value(sheet, kpi, days, group, told, is_split=is_split) if all_known else None
        return Former(value, max(on), told)

    def _behind(self, kpi: Kpi, table: str, day: date, group: AppGroup) -> Iterable[tuple[tuple[str, str], _Chain]]:
        """The changes of the table's measures that a KPI of these apps sums, by table and measure."""
        chains = self._chains.get((table, day))
        if not chains:
            return
        members, measures = frozenset(group.members), _measures(kpi, table)
        for (app_id, measure), chain in chains.items():
            is_behind = app_id in members and (measures is None or measure in measures)
            if is_behind and (chain.now != chain.before or not chain.is_known):
                yield (table, measure), chain

    def _value(
        self,
        sheet: Sheet,
        kpi: Kpi,
        days: Sequence[date],
        group: AppGroup,
        sums: Sequence[RestatedSum],
        *,
        is_split: bool,
    ) -> Value | None:
        changed = {each.table_name for each in sums}
        if is_split or kpi.basis is not Basis.DATES or any(_measures(kpi, table) is None for table in changed):
            return None
        by_measure = {(each.table_name, each.measure): each.now - each.before for each in sums}
        less = {
            amount.name: _typed(by_measure[amount.table_name, amount.measure], amount)
            for amount in kpi.amounts
            if (amount.table_name, amount.measure) in by_measure
        }
        return sheet.value(kpi, days, group, None, less=less)


def _measures(kpi: Kpi, table: str) -> frozenset[str] | None:
    """The measures of a table whose totals are the KPI's amounts; None if one of these counts only some rows."""
    amounts = [amount for amount in kpi.amounts if amount.table_name == table]
    if any(amount.where or amount.times or not amount.is_additive for amount in amounts):
        return None
    return frozenset(amount.measure for amount in amounts)


def _together(sums: Iterable[RestatedSum]) -> tuple[RestatedSum, ...]:
    """The sums of several apps and Dates, by table and measure."""
    added: dict[tuple[str, str], RestatedSum] = {}
    for each in sums:
        key = each.table_name, each.measure
        known = added.get(key, RestatedSum(*key, 0, 0))
        added[key] = RestatedSum(*key, known.before + each.before, known.now + each.now)
    return tuple(added[key] for key in sorted(added))


def _plain(value: Decimal) -> Number:
    return int(value) if value == value.to_integral_value() and value.as_tuple().exponent == 0 else value


def _typed(value: Number, amount: Amount) -> Number:
    """The number in the form in which amounts are stored: money as a decimal, everything else as a whole number."""
    return Decimal(value) if amount.is_money else int(value)

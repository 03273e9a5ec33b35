"""One table of one app by its ledger: the gap rule, and the verdict on each of its Dates."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from appstore_analytics.model.instances import InstanceStatus, LedgerInstance
from appstore_analytics.rules.date_verdicts import DateVerdict, of_missing
from appstore_analytics.rules.gaps import KnownTable


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


def rows_of(ledger: tuple[LedgerInstance, ...]) -> dict[date, date]:
    """The Dates for which an instance has parts, with the newest processing date of each."""
    rows: dict[date, date] = {}
    for instance in ledger:
        if instance.status is InstanceStatus.CONVERTED:
            for day in instance.part_dates - instance.refused_dates:
                built = instance.vintage.processing_date
                rows[day] = max(rows.get(day, built), built)
    return rows

"""What the checks of freshness tell of one table of one app, of Dates without rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from appstore_analytics.answers.checks import Checks
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.model.kpis import DateState
from appstore_analytics.rules.date_verdicts import DateVerdict


@dataclass(frozen=True, slots=True)
class CheckedTable:
    """The Dates from `first` to `newest_due` were checked; `lacking` were missing then."""

    first: date
    newest_due: date
    lacking: Mapping[date, DateVerdict]
    doubted: frozenset[date]
    reason: str

    def told(self, day: date) -> tuple[DateState, int, str] | None:
        """State, apps that lack it, and the reason; None where the ledger has to be asked.

        A Date that is not due yet and has no rows says nothing, as one that is due and is zero adds nothing.
        """
        if day < self.first or day in self.doubted:
            return None
        if day > self.newest_due:
            return DateState.NOT_DUE, 0, ""
        lacked = self.lacking.get(day)
        if lacked is None:
            return DateState.ZERO, 0, ""
        return (DateState.MISSING, 1, self.reason) if lacked is DateVerdict.BELOW_THRESHOLD else None


def checked_table(checks: Checks, app_id: str, table: CuratedTable) -> CheckedTable | None:
    """What is told of it; None where the checks do not know it."""
    first, newest_due = checks.covers_from(app_id, table), checks.newest_due(table)
    if first is None or newest_due is None:
        return None
    feed = checks.feeds.get((app_id, table.name))
    lacking = checks.lacking.get((app_id, table.name), {})
    return CheckedTable(first, newest_due, lacking, checks.doubted(app_id), feed.reason if feed else "")

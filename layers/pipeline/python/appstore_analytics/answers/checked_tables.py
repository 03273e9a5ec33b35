"""The results of freshness checks for one table of one app, for Dates without rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from appstore_analytics.answers.checks import Checks
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.model.kpis import DateState
from appstore_analytics.rules.date_verdicts import DateVerdict


@dataclass(frozen=True, slots=True)
class CheckedTable:
    """The Dates from `first` to `newest_due` were checked; `lacking` were missing at that time."""

    first: date
    newest_due: date
    lacking: Mapping[date, DateVerdict]
    doubted: frozenset[date]
    reason: str

    def told(self, day: date) -> tuple[DateState, int, str] | None:
        """State, number of apps that lack it, and the reason; None if the ledger has to be read.

        A Date without rows that is not due yet does not count, just as a due Date with zero rows adds nothing.
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
    """The verdict of the check; None if the checks do not cover it."""
    first, newest_due = checks.covers_from(app_id, table), checks.newest_due(table)
    if first is None or newest_due is None:
        return None
    feed = checks.feeds.get((app_id, table.name))
    lacking = checks.lacking.get((app_id, table.name), {})
    return CheckedTable(first, newest_due, lacking, checks.doubted(app_id), feed.reason if feed else "")

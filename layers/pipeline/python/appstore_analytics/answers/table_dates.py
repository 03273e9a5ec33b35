"""Tables × Dates: a verdict for each, of all apps or of one, and until when each table is complete."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from appstore_analytics.answers.facts import counted
from appstore_analytics.rules.date_verdicts import DateVerdict

MAIN_TABLES = (
    "downloads",
    "engagement",
    "purchases",
    "subscription_states_vintages",
    "subscription_events_vintages",
    "sessions",
    "installs",
    "crashes",
    "opt_in",
    "performance",
)
"""Those that most questions are about, in the order in which people meet them."""


@dataclass(frozen=True, slots=True)
class DateCell:
    """One Date of one table: the worst verdict, and how many of the apps have it.

    `is_restated`: Apple has replaced the Date for one of them after it was final.
    """

    verdict: DateVerdict
    apps: int
    is_restated: bool = False


@dataclass(frozen=True, slots=True)
class TableLine:
    """One daily table. `cells` are in the order of the answer's Dates.

    Every Date up to `complete_until` is complete for every app, up to `most_until` for `apps_complete` of `apps`: those
    of which no due Date is missing. Apple calls a Date complete after `window_days`.
    """

    table_name: str
    report: str
    is_main: bool
    window_days: int
    complete_until: date | None
    most_until: date | None
    apps: int
    apps_complete: int
    cells: tuple[DateCell, ...]


@dataclass(frozen=True, slots=True)
class TableDates:
    """The tables, the main ones first. `checked_at` is the check of freshness that older Dates are judged by."""

    checked_at: str
    dates: tuple[date, ...]
    tables: tuple[TableLine, ...]

    @property
    def is_good(self) -> bool:
        """Whether no Date needs anybody."""
        return not any(cell.verdict.needs_action for table in self.tables for cell in table.cells)

    @property
    def sentence(self) -> str:
        """How many tables have a Date that needs somebody."""
        bad = sum(any(cell.verdict.needs_action for cell in table.cells) for table in self.tables)
        if not self.tables:
            return "No daily table is deployed."
        if bad:
            return f"{counted(bad, 'table')} of {len(self.tables)} with a Date that needs somebody."
        return f"No Date of {counted(len(self.tables), 'table')} needs anybody."


def behind(tables: Sequence[TableLine]) -> int:
    """How many of the tables lack a due Date of any app."""
    return sum(table.apps_complete < table.apps for table in tables)

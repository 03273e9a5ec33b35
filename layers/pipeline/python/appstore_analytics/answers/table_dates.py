"""Tables × Dates: a verdict for each, for all apps or for one, and the Date up to which each table is complete."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from appstore_analytics.answers.facts import counted
from appstore_analytics.answers.judged_dates import JudgedDates, JudgedTable
from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.rules.date_verdicts import DateVerdict, worst

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
"""The tables that most questions are about, in the order in which people use them."""


@dataclass(frozen=True, slots=True)
class DateCell:
    """One Date of one table: the worst verdict, and the number of apps with it.

    `is_restated`: Apple has replaced the Date for one of them after it was final.
    """

    verdict: DateVerdict
    apps: int
    is_restated: bool = False


@dataclass(frozen=True, slots=True)
class TableLine:
    """One daily table. `cells` are in the order of the answer's Dates.

    Every Date up to `complete_until` is complete for every app, and every Date up to `most_until` for `apps_complete`
    of `apps`: those that lack no due Date. Apple calls a Date complete after `window_days`.
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
    """The tables, the main ones first. `checked_at` is the time of the freshness check that judges older Dates."""

    checked_at: str
    dates: tuple[date, ...]
    tables: tuple[TableLine, ...]

    @property
    def is_good(self) -> bool:
        """Whether no Date needs attention."""
        return not any(cell.verdict.needs_action for table in self.tables for cell in table.cells)

    @property
    def sentence(self) -> str:
        """The number of tables with a Date that needs attention."""
        bad = sum(any(cell.verdict.needs_action for cell in table.cells) for table in self.tables)
        if not self.tables:
            return "No daily table is deployed."
        if bad:
            return f"{counted(bad, 'table')} of {len(self.tables)} with a Date that needs attention."
        return f"No Date of {counted(len(self.tables), 'table')} needs attention."


def newest_dates(as_of: date, count: int) -> tuple[date, ...]:
    """A number of Dates that end yesterday, oldest first."""
    return tuple(as_of - timedelta(days=number) for number in range(count, 0, -1))


def main_first(tables: Iterable[CuratedTable]) -> list[CuratedTable]:
    """The daily tables, the main ones first and in their order."""
    rank = {name: number for number, name in enumerate(MAIN_TABLES)}
    daily = (table for table in tables if table.granularity is Granularity.DAILY)
    return sorted(daily, key=lambda table: rank.get(table.name, len(rank)))


def table_dates(
    judged: JudgedDates,
    tables: Iterable[CuratedTable],
    dates: Sequence[date],
    restated: Collection[tuple[str, date]] = (),
) -> TableDates:
    """The daily tables among these, judged on these Dates. Reads only; makes no call to Apple."""
    lines = (table_line(judged.judge(table, dates), restated) for table in main_first(tables))
    return TableDates(judged.checks.checked_at, tuple(dates), tuple(lines))


def table_line(judged: JudgedTable, restated: Collection[tuple[str, date]] = ()) -> TableLine:
    """One table, with its worst verdict on each Date."""
    table = judged.table
    return TableLine(
        table_name=table.name,
        report=table.report.name,
        is_main=table.name in MAIN_TABLES,
        window_days=table.report.completeness_days or 0,
        complete_until=judged.complete_until,
        most_until=judged.most_until,
        apps=judged.apps,
        apps_complete=judged.apps - len(judged.behind),
        cells=tuple(_cell(counts, (table.name, day) in restated) for day, counts in judged.counts.items()),
    )


def _cell(counts: Mapping[DateVerdict, int], is_restated: bool) -> DateCell:
    verdict = worst([each for each, count in counts.items() if count])
    return DateCell(verdict, counts.get(verdict, 0), is_restated)

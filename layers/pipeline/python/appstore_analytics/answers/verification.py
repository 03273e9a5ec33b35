"""`verify`: Athena counts the published rows again, outside of any run."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from appstore_analytics.answers.apps import app_names
from appstore_analytics.answers.facts import counted
from appstore_analytics.athena.checks import compare_dates
from appstore_analytics.athena.query import Athena
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.published import published_counts, published_dates
from appstore_analytics.rules.counts import Comparison

_DIFFERENCES_SHOWN = 100


@dataclass(frozen=True, slots=True)
class TableVerification:
    """One table. A batch is one Date of one app."""

    table_name: str
    dates: int
    batches: int
    rows_expected: int
    rows_athena: int
    verdict: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A batch in which Athena's rows or sums differ from what was converted."""

    table_name: str
    date: date
    app_id: str
    difference: str
    app_name: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """Every table in a range of Dates; at most a hundred differences are named."""

    start_date: date
    end_date: date
    tables: tuple[TableVerification, ...]
    differences: tuple[Difference, ...]

    @property
    def is_good(self) -> bool:
        """Whether Athena agrees everywhere."""
        return not self.differences

    @property
    def sentence(self) -> str:
        """Whether Athena agrees."""
        batches = sum(table.batches for table in self.tables)
        if not any(table.dates for table in self.tables):
            return "Nothing is published in this range."
        if not batches:
            return "Nothing is published of these apps in this range."
        if self.differences:
            return "Athena differs from what was converted: docs/operations.md says what to do (Mismatch)."
        return f"Athena agrees in {counted(batches, 'batch', 'batches')}."


def verify(
    tables: Sequence[CuratedTable],
    start: date,
    end: date,
    lake: Bucket,
    athena: Athena,
    app_ids: Collection[str] | None = None,
) -> Verification:
    """Compare every published Date of these tables from `start` to `end` (inclusive), a query per table.

    Only the batches of `app_ids` are compared; without them, those of all apps.
    """
    names = app_names(lake)
    lines, differences = [], []
    for table in tables:
        days = [day for day in published_dates(lake, table) if start <= day <= end]
        every = compare_dates(table, days, partial(published_counts, lake, table), athena) if days else []
        comparisons = [one for one in every if app_ids is None or str(one.app_id) in app_ids]
        lines.append(_line(table, days, comparisons))
        differences += [_difference(table, one, names) for one in comparisons if not one.equal]
    return Verification(start, end, tuple(lines), tuple(differences[:_DIFFERENCES_SHOWN]))


def _line(table: CuratedTable, days: Sequence[date], comparisons: Sequence[Comparison]) -> TableVerification:
    verdict = "mismatch" if any(not one.equal for one in comparisons) else "equal" if comparisons else "no data yet"
    rows_expected = sum(one.rows_expected for one in comparisons)
    rows_athena = sum(one.rows_athena for one in comparisons)
    return TableVerification(table.name, len(days), len(comparisons), rows_expected, rows_athena, verdict)


def _difference(table: CuratedTable, comparison: Comparison, names: Mapping[str, str]) -> Difference:
    app_id = str(comparison.app_id)
    return Difference(table.name, comparison.day, app_id, comparison.difference, names.get(app_id, ""))

"""`freshness`: the newest verdicts of the table `appstore.freshness`, read from the object that holds them."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from appstore_analytics.answers.apps import app_names
from appstore_analytics.answers.facts import counted
from appstore_analytics.contract.layout import appstore_location
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.run_notes import read_rows
from appstore_analytics.rules.freshness import Freshness


@dataclass(frozen=True, slots=True)
class TableFreshness:
    """One table: its apps by verdict, and the newest processing date of its stalest app."""

    table_name: str
    apps: int
    verdicts: Mapping[str, int]
    oldest_processing_date: date | None


@dataclass(frozen=True, slots=True)
class StaleApp:
    """One table of one app with missing data; `missing_dates` are the newest missing Dates."""

    app_id: str
    app_name: str
    table_name: str
    verdict: str
    reason: str
    newest_due_date: date | None
    missing_dates: tuple[date, ...]
    newest_processing_date: date | None


@dataclass(frozen=True, slots=True)
class FreshnessReport:
    """The result of the last check, and its time."""

    checked_at: str
    tables: tuple[TableFreshness, ...]
    stale: tuple[StaleApp, ...]

    @property
    def is_good(self) -> bool:
        """Whether no data is stale."""
        return not self.stale

    @property
    def sentence(self) -> str:
        """The number of stale tables of apps."""
        if not self.checked_at:
            return "Freshness has not been checked yet: the check runs every hour."
        if self.stale:
            return f"{counted(len(self.stale), 'table')} of apps with missing data."
        return "All data that is due is in the tables, or Apple has none."


def freshness_report(lake: Bucket, app_ids: Collection[str] | None = None) -> FreshnessReport:
    """The verdicts of the last check, of these apps; without `app_ids` of all."""
    every = sorted(_checked_rows(lake), key=lambda row: (row["table_name"], row["app_id"]))
    rows = [row for row in every if app_ids is None or str(row["app_id"]) in app_ids]
    tables = tuple(_table(name, list(of_table)) for name, of_table in groupby(rows, key=lambda row: row["table_name"]))
    checked_at = max((row["checked_at"] for row in every), default="")
    return FreshnessReport(checked_at, tables, tuple(_stale(rows, app_names(lake))))


def _checked_rows(lake: Bucket) -> Iterator[dict[str, Any]]:
    """The rows of `appstore.freshness` that the last check wrote."""
    keys = [stored.key for stored in lake.list(appstore_location("freshness"))]
    yield from read_rows(lake, max(keys)) if keys else ()


def _table(name: str, rows: Sequence[Mapping[str, Any]]) -> TableFreshness:
    dates = [newest for row in rows if (newest := _date(row["newest_processing_date"]))]
    verdicts = dict(sorted(Counter(row["verdict"] for row in rows).items()))
    return TableFreshness(name, len(rows), verdicts, min(dates, default=None))


def _stale(rows: Iterable[Mapping[str, Any]], names: Mapping[str, str]) -> Iterable[StaleApp]:
    for row in rows:
        if Freshness(row["verdict"]).is_stale:
            yield StaleApp(
                app_id=str(row["app_id"]),
                app_name=names.get(str(row["app_id"]), ""),
                table_name=row["table_name"],
                verdict=row["verdict"],
                reason=row["reason"],
                newest_due_date=_date(row["newest_due_date"]),
                missing_dates=tuple(date.fromisoformat(day) for day in row["missing_dates"]),
                newest_processing_date=_date(row["newest_processing_date"]),
            )


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None

"""`freshness`: the newest verdicts of the table `appstore.freshness`, read from the object that holds them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from appstore_analytics.contract.layout import appstore_location
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.run_notes import read_rows
from appstore_analytics.rules.freshness import Freshness
from operations.facts import counted

_WELL = frozenset({Freshness.FRESH, Freshness.NOT_READY})


@dataclass(frozen=True, slots=True)
class TableFreshness:
    """One table: its apps by verdict, and the processing date that its stalest app has come to."""

    table_name: str
    apps: int
    verdicts: Mapping[str, int]
    oldest_processing_date: date | None


@dataclass(frozen=True, slots=True)
class StaleApp:
    """One app's table that is not as new as it can be."""

    app_id: str
    table_name: str
    newest_processing_date: date | None
    verdict: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FreshnessReport:
    """What was judged last, and when."""

    judged_in: str
    judged_on: str
    tables: tuple[TableFreshness, ...]
    stale: tuple[StaleApp, ...]

    @property
    def is_good(self) -> bool:
        """Whether nothing is late."""
        return not self.stale

    @property
    def sentence(self) -> str:
        """How many are late."""
        if not self.judged_in:
            return "No run has judged freshness yet."
        if self.stale:
            return f"{counted(len(self.stale), 'table')} of apps not as new as they can be."
        return "Every table of every app is as new as it can be, or has no data yet."


def freshness_report(lake: Bucket) -> FreshnessReport:
    """The verdicts that were written last."""
    keys = [stored.key for stored in lake.list(appstore_location("freshness"))]
    if not keys:
        return FreshnessReport("", "", (), ())
    *_, day, name = max(keys).split("/")
    rows = sorted(read_rows(lake, max(keys)), key=lambda row: (row["table_name"], row["app_id"]))
    tables = tuple(_table(name, list(of_table)) for name, of_table in groupby(rows, key=lambda row: row["table_name"]))
    return FreshnessReport(name.removesuffix(".jsonl"), day.removeprefix("dt="), tables, tuple(_stale(rows)))


def _table(name: str, rows: Sequence[Mapping[str, Any]]) -> TableFreshness:
    dates = [newest for row in rows if (newest := _date(row["newest_processing_date"]))]
    verdicts = dict(sorted(Counter(row["verdict"] for row in rows).items()))
    return TableFreshness(name, len(rows), verdicts, min(dates, default=None))


def _stale(rows: Iterable[Mapping[str, Any]]) -> Iterable[StaleApp]:
    for row in rows:
        if row["verdict"] not in _WELL:
            newest = _date(row["newest_processing_date"])
            yield StaleApp(str(row["app_id"]), row["table_name"], newest, row["verdict"], row.get("reason", ""))


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None

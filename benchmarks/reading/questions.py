"""Three questions of the console's pages, as the reader of stored KPIs is asked them."""

from collections.abc import Iterator
from dataclasses import dataclass

from appstore_analytics.contract.kpis import KPIS_BY_NAME
from appstore_analytics.contract.kpis.definition import Amount, Dimension
from appstore_analytics.contract.kpis.stored import PORTFOLIO, TOTAL
from appstore_analytics.contract.layout import TableDate
from appstore_analytics.lake.kpis.reader import Wanted
from benchmarks.reading.far_lake import dates
from benchmarks.samples.data import APP_ID

METRICS = ("impressions", "total_downloads", "sessions", "crashes", "proceeds")
AMOUNTS: tuple[Amount, ...] = tuple(dict.fromkeys(amount for name in METRICS for amount in KPIS_BY_NAME[name].amounts))
TABLES = tuple(dict.fromkeys(amount.table_name for amount in AMOUNTS))
DIMENSIONS = tuple(each for each in Dimension if any(each in amount.dimensions for amount in AMOUNTS))


@dataclass(frozen=True, slots=True)
class Question:
    """A number of Dates, of one app or of all, by these stored dimensions one after the other."""

    name: str
    days: int
    is_of_one_app: bool
    dimensions: tuple[str, ...] = (TOTAL,)

    def app_ids(self, apps: int) -> frozenset[int]:
        """The apps to read; all of them together are one more."""
        if self.is_of_one_app:
            return frozenset({APP_ID + apps // 2})
        return frozenset({PORTFOLIO, *range(APP_ID, APP_ID + apps)})

    def reads(self, apps: int) -> Iterator[tuple[list[TableDate], Wanted]]:
        """What `read_kpis` is asked: a read for each dimension, of the tables that have it."""
        for dimension in self.dimensions:
            amounts = [each for each in AMOUNTS if dimension == TOTAL or dimension in each.dimensions]
            tables = dict.fromkeys(amount.table_name for amount in amounts)
            sources = [TableDate(table, day) for day in dates(self.days) for table in tables]
            yield sources, Wanted(frozenset(amount.name for amount in amounts), self.app_ids(apps), dimension)


QUESTIONS = (
    Question("56 Dates of all apps", 56, is_of_one_app=False),
    Question("90 Dates of one app, by every dimension", 90, is_of_one_app=True, dimensions=(TOTAL, *DIMENSIONS)),
    Question("400 Dates of one app", 400, is_of_one_app=True),
)

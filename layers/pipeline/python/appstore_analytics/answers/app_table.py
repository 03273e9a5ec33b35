"""The apps with their numbers: a page of a table that is filtered, sorted and cut here and not by whoever shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from appstore_analytics.answers.facts import counted
from appstore_analytics.rules.date_verdicts import DateVerdict
from appstore_analytics.rules.kpis import Value


@dataclass(frozen=True, slots=True)
class Period:
    """Dates from `start` to `end`, both included."""

    start: date
    end: date


@dataclass(frozen=True, slots=True)
class AppColumn:
    """One KPI of the table: what it is, and its final Dates beside as many before. Each KPI has an end of its own."""

    name: str
    title: str
    unit: str
    bound: str
    trap: str
    period: Period
    previous_period: Period


@dataclass(frozen=True, slots=True)
class AppValue:
    """One KPI of one app over final Dates. None where it is not known; zero is 0.

    `change` is a share of the previous value, of a KPI that is a share itself the difference; None where one of the
    values is not known, the previous one is 0, or a Date is missing. `missing` is how many due Dates are.
    """

    value: Value | None
    change: float | None
    missing: int


@dataclass(frozen=True, slots=True)
class SparkPoint:
    """One Date of the small chart, which is of the first KPI; None where there is no value."""

    day: date
    value: Value | None
    is_final: bool


@dataclass(frozen=True, slots=True)
class AppRow:
    """One app. `tables` are those that are not well; every daily table is complete up to `complete_until`."""

    app_id: str
    app_name: str
    account: str
    verdict: DateVerdict
    tables: tuple[str, ...]
    complete_until: date | None
    metrics: Mapping[str, AppValue]
    spark: tuple[SparkPoint, ...]


@dataclass(frozen=True, slots=True)
class AppTable:
    """One page. `total` apps match the question, and the page begins at `offset` of them.

    `counts` are of all apps that match without the verdict: `all`, `action` for those that need somebody, and each
    verdict that occurs. `next` and `previous` lead to the other pages, empty where there are none.
    """

    total: int
    offset: int
    counts: Mapping[str, int]
    columns: tuple[AppColumn, ...]
    apps: tuple[AppRow, ...]
    next: str = ""
    previous: str = ""

    @property
    def is_good(self) -> bool:
        """Whether no app needs anybody."""
        return not self.counts.get("action", 0)

    @property
    def sentence(self) -> str:
        """How many there are, and how many need somebody."""
        apps = counted(self.counts.get("all", 0), "app")
        action = self.counts.get("action", 0)
        return f"{apps}, {action} of which need somebody." if action else f"{apps}, and none needs anybody."

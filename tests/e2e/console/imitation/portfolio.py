"""Seventy apps, or a thousand: their available data, and amounts by Date that are the same at every start."""

import math
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from random import Random

from appstore_analytics.answers.table_dates import MAIN_TABLES
from appstore_analytics.contract.tables import CuratedTable, tables_by_name
from appstore_analytics.rules.date_verdicts import DateVerdict

NOW = datetime(2026, 11, 29, 10, 24, tzinfo=UTC)
TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(days=1)
DAY = timedelta(days=1)
DAYS_OF_HISTORY = 420

_FIRST = ("Quiet", "Amber", "Polar", "Swift", "Little", "Copper", "Willow", "Paper", "Harbour", "Northern")
_SECOND = ("Notes", "Garden", "Budget", "Trails", "Recipes", "Chess", "Weather", "Journal", "Radio", "Tides")
UNUSUAL_NAMES = {
    6: "A Very Long Name of an App That Goes On for Sixty Letters or So",
    8: "دفتر الملاحظات اليومية",
    13: "毎日のごはん帳",
    21: "יומן אימונים: Fit & <b>Fast</b>",
}
LATE, QUARANTINED, FORBIDDEN, NOT_READY = 9, 4, 17, 11
OTHER_TABLES = ("preorders", "web_preview", "app_clips")


@dataclass(frozen=True)
class App:
    """One app; a higher number is a smaller app."""

    number: int

    @property
    def id(self) -> str:
        return str(1_000_000_001 + self.number)

    @property
    def name(self) -> str:
        if self.number in UNUSUAL_NAMES:
            return UNUSUAL_NAMES[self.number]
        plain = f"{_FIRST[self.number % 10]} {_SECOND[self.number // 10 % 10]}"
        return plain if self.number < 100 else f"{plain} {self.number // 100 + 1}"

    @property
    def verdict(self) -> DateVerdict:
        special = {
            LATE: DateVerdict.LATE,
            QUARANTINED: DateVerdict.QUARANTINED,
            FORBIDDEN: DateVerdict.FORBIDDEN,
            NOT_READY: DateVerdict.NOT_READY,
        }
        return special.get(self.number, DateVerdict.FRESH)

    @property
    def bad_tables(self) -> tuple[str, ...]:
        return {LATE: ("engagement",), QUARANTINED: ("downloads",)}.get(self.number, ())

    @cached_property
    def amounts(self) -> dict[str, list[int]]:
        """Each amount by Date up to yesterday, oldest first."""
        random = Random(self.number)  # noqa: S311 (invented data)
        size = math.exp(6.4 - 0.05 * self.number + random.uniform(-0.4, 0.4))
        course = [
            max(0.0, size * self._season(back) * (1 + random.uniform(-0.09, 0.09)))
            for back in range(DAYS_OF_HISTORY, 0, -1)
        ]
        shares = {name: share * random.uniform(0.8, 1.25) for name, share in _SHARES.items()}
        return {
            name: [round(each * share * random.uniform(0.97, 1.03)) for each in course]
            for name, share in shares.items()
        }

    def _season(self, back: int) -> float:
        trend = 1 + 0.0009 * (DAYS_OF_HISTORY - back) * (1 if self.number % 3 else -0.6)
        week = 1 + 0.16 * math.sin((back + self.number) / 7 * 2 * math.pi)
        return trend * week * (1.14 if back < 26 and self.number % 4 == 0 else 1)


_SHARES = {
    "impressions": 24.0,
    "product_page_views": 6.1,
    "total_downloads": 0.92,
    "proceeds": 1.3,
    "sessions": 11.0,
    "active_devices": 4.2,
    "crashes": 0.035,
    "active_paid_subscriptions": 14.0,
    "active_trials": 0.9,
    "subscriptions_in_billing_issue": 0.45,
    "subscription_starts": 0.08,
    "trial_conversions": 0.03,
    "subscription_churn": 0.07,
}


@dataclass(frozen=True)
class Portfolio:
    """The installation: apps and daily tables, with their problems."""

    apps_known: int = 70
    is_well: bool = False
    is_first_day: bool = False
    hidden: frozenset[str] = field(default_factory=frozenset)

    @cached_property
    def apps(self) -> tuple[App, ...]:
        return tuple(app for app in map(App, range(self.apps_known)) if app.id not in self.hidden)

    def app(self, app_id: str) -> App | None:
        return next((app for app in self.apps if app.id == app_id), None)

    @cached_property
    def tables(self) -> tuple[CuratedTable, ...]:
        known = tables_by_name()
        return tuple(known[name] for name in (*MAIN_TABLES, *OTHER_TABLES))

    def verdict_of(self, app: App) -> DateVerdict:
        if self.is_first_day:
            return DateVerdict.NOT_READY
        return DateVerdict.FRESH if self.is_well else app.verdict

    def date_verdict(self, app: App, table: CuratedTable, day: date) -> DateVerdict:
        """The verdict on one Date of one table of one app."""
        age, window = (TODAY - day).days, window_of(table)
        if self.is_first_day or (not self.is_well and app.number == NOT_READY):
            return DateVerdict.NOT_READY
        if age <= window:
            return DateVerdict.PRELIMINARY
        return DateVerdict.FRESH if self.is_well else self._exception(app, table, day, age - window)

    def _exception(self, app: App, table: CuratedTable, day: date, since_final: int) -> DateVerdict:
        if app.number == QUARANTINED and table.name == "downloads" and since_final <= 2:
            return DateVerdict.QUARANTINED
        if app.number == LATE and table.name == "engagement" and day == TODAY - 6 * DAY:
            return DateVerdict.LATE
        if app.number == FORBIDDEN and since_final <= 1:
            return DateVerdict.FORBIDDEN
        if table.name == "opt_in" and app.number % 8 == 0 and since_final > 18:
            return DateVerdict.BELOW_THRESHOLD
        if table.name == "performance" and day == TODAY - 21 * DAY:
            return DateVerdict.ZERO
        return DateVerdict.FRESH

    def is_restated(self, table: str, day: date) -> bool:
        return not self.is_well and (TODAY - day).days in _RESTATED.get(table, ())


_RESTATED = {"downloads": (13, 24), "engagement": (13, 14), "purchases": (11,), "sessions": (19,)}


def window_of(table: CuratedTable) -> int:
    """The number of days after which Apple calls a Date complete."""
    return table.report.completeness_days or 0

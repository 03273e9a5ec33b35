"""The number of calls to Apple per app and day, compared with the minimum, and the number of apps per API key.

`python -m benchmarks.calls`: the real steps against the simulated App Store Connect (`benchmarks/usage/days.py`). The
minimum for a day with data is one list of instances per report and one list of segments per new instance.
"""

import argparse
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from appstore_analytics.apple.client import PAGE_LIMIT
from appstore_analytics.contract.catalogue import CORE_REPORT_NAMES
from appstore_analytics.contract.operations import Operation
from appstore_analytics.rules.call_budget import calls_needed, ceiling
from benchmarks.measuring.machine import versions
from benchmarks.measuring.progress import say
from benchmarks.results import Table, arguments, report
from benchmarks.usage.days import Day, Days, aws_in_process
from local.apple import WorldSettings

REPORTS = (6, 26)
CALLS_PER_HOUR = 3_500
_MONDAY = date(2026, 11, 16)
_HOURS = 24
_WEEK = 7
_SECONDS_PER_CALL = 0.25
_SMALL = WorldSettings(
    today=_MONDAY, apps=1, rows_per_date=1, dates_per_instance=1, segments_per_instance=1, calls_per_hour=10**6
)
"""An account with as little data as possible, because only calls are counted."""

_LIST_OF_APPS = "GET /v1/apps"
"""A run lists the apps of an account, a page in each call."""


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls per app: on the day of its request, on the day of its first data, on a usual weekday."""

    reports: int
    first_day: float
    second_day: float
    usual_day: float
    by_route: dict[str, float]

    @property
    def least(self) -> int:
        """Minimum for a day with data."""
        return calls_needed(1, self.reports, releases=True)

    @property
    def above_least(self) -> float:
        """The additional calls of a usual day, relative to the minimum."""
        return self.usual_day / self.least - 1

    @property
    def apps_of_a_key(self) -> int:
        """The number of apps per key in 24 hours, on usual days."""
        return int(_HOURS * ceiling(CALLS_PER_HOUR, Operation.DAILY) / self.usual_day)


@dataclass(frozen=True, slots=True)
class ScarceDay:
    """A day with a small quota that is used up again and again; `usable` calls were available."""

    calls_per_hour: int
    apps: int
    verified: int
    calls: int
    refused: int
    hours: float
    usable: int


def count_calls(reports: int, usual_days: int) -> Calls:
    """The first days of an account, and the average of a number of usual days."""
    say(f"Counting the calls of {reports} reports")
    apps = _SMALL.apps
    with aws_in_process():
        days = Days(_SMALL, CORE_REPORT_NAMES[:reports])
        first, second = days.run(), days.next_day()
        usual = [days.next_day() for _ in range(usual_days)]
    return Calls(
        reports,
        first_day=sum(_by_route([first], apps).values()),
        second_day=sum(_by_route([second], apps).values()),
        usual_day=sum(_by_route(usual, apps).values()),
        by_route=_by_route(usual, apps),
    )


def live_a_scarce_day(calls_per_hour: int, reports: int, hours: int = _HOURS) -> ScarceDay:
    """A usual day with the number of apps that this quota allows in these hours."""
    per_hour = ceiling(calls_per_hour, Operation.DAILY)
    apps = hours * (per_hour - per_hour % reports) // calls_needed(1, reports, releases=True)
    say(f"Simulating a day of {apps} apps with {calls_per_hour} calls an hour")
    with aws_in_process():
        settings = replace(_SMALL, apps=apps)
        days = Days(settings, CORE_REPORT_NAMES[:reports], seconds_per_call=_SECONDS_PER_CALL)
        days.run()
        days.next_day()
        days.settings = replace(settings, calls_per_hour=calls_per_hour)
        days.world.calls.limit = calls_per_hour
        day = days.next_day()
    return ScarceDay(
        calls_per_hour,
        apps,
        verified=len(day.report["apps_by_verdict"].get("verified", ())),
        calls=day.apple_calls,
        refused=day.refused,
        hours=day.took / timedelta(hours=1),
        usable=hours * per_hour,
    )


def main() -> None:
    """Count, print, store."""
    asked = arguments("calls", "Calls to Apple per app and day, and apps per API key.").parse_args()
    counted = [count_calls(reports, usual_days=1 if asked.quick else _WEEK) for reports in REPORTS]
    scarce = live_a_scarce_day(calls_per_hour=8 if asked.quick else 70, reports=REPORTS[0])
    _report(counted, scarce, asked)


def _report(counted: list[Calls], scarce: ScarceDay, asked: argparse.Namespace) -> None:
    figures: dict[str, Any] = {
        str(calls.reports): {
            "first_day": calls.first_day,
            "second_day": calls.second_day,
            "steady": round(calls.usual_day, 3),
            "least": calls.least,
            "above_least": round(calls.above_least, 4),
            "apps_per_key": calls.apps_of_a_key,
            "by_route": {route: round(count, 3) for route, count in calls.by_route.items()},
        }
        for calls in counted
    }
    figures["scarce_day"] = {
        "calls_per_hour": scarce.calls_per_hour,
        "apps": scarce.apps,
        "verified": scarce.verified,
        "calls": scarce.calls,
        "refused": scarce.refused,
        "hours": round(scarce.hours, 2),
    }
    report("calls", figures, [_calls_table(counted), _routes_table(counted), _scarce_table(scarce)], _versions(), asked)


def _versions() -> dict[str, str]:
    return versions(("boto3", "moto"))


def _calls_table(counted: list[Calls]) -> Table:
    rows = [
        (
            f"{calls.reports} reports",
            f"{calls.first_day:.2f}",
            f"{calls.second_day:.2f}",
            f"{calls.usual_day:.2f}",
            f"{calls.least}",
            f"{calls.above_least:+.1%}",
            f"{calls.apps_of_a_key:,}",
        )
        for calls in counted
    ]
    columns = ("calls per app", "first day", "second day", "usual day", "least", "above", "apps per key")
    note = f"Apps per key: what {CALLS_PER_HOUR:,} calls an hour, less the 3 % that stay unused, carry in 24 hours."
    return Table("Calls to Apple", columns, rows, note)


def _routes_table(counted: list[Calls]) -> Table:
    routes = sorted({route for calls in counted for route in calls.by_route})
    rows = [(route, *(f"{calls.by_route.get(route, 0):.2f}" for calls in counted)) for route in routes]
    return Table("Calls per app on a usual day", ("route", *(f"{one.reports} reports" for one in counted)), rows)


def _scarce_table(day: ScarceDay) -> Table:
    row = (
        f"{day.calls_per_hour} calls an hour",
        f"{day.apps}",
        f"{day.verified}",
        f"{day.hours:.1f}",
        f"{day.calls:,}",
        f"{day.usable:,}",
        f"{day.refused}",
    )
    columns = ("key", "apps", "verified", "hours", "calls", "usable in 24 h", "429")
    return Table("A day on a key whose quota is used up each hour, 6 reports", columns, [row])


def _by_route(days: list[Day], apps: int) -> dict[str, float]:
    """The calls per app and day."""
    routes = sorted({route for day in days for route in day.calls})
    per_day = {route: sum(day.calls.get(route, 0) for day in days) / len(days) for route in routes}
    return {route: calls / (PAGE_LIMIT if route == _LIST_OF_APPS else apps) for route, calls in per_day.items()}


if __name__ == "__main__":
    main()

"""The Dates and reports that backfills asked of a snapshot, small enough for one item: 149 reports, thousands of
backfills.

asked_reports   ["App Crashes", "App Downloads Standard", …]           names are only ever added
wishes          {"2025-05-01|2025-05-31|2025-06-02|3", …}              Dates, day of asking, reports as bits: 0b11
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby

from appstore_analytics.model.requests import Asked

REMEMBERED = timedelta(days=400)
"""The ledger keeps the instances that can fulfil a wish for as long as this."""

_MOST = 3_000
"""Each wish has at most 75 bytes."""


def encoded(asked: Iterable[Asked], reports: Sequence[str]) -> set[str]:
    """The wishes as the item holds them, one for each range of Dates; the position of a report in `reports` is its
    bit."""
    bits = {name: 1 << place for place, name in enumerate(reports)}
    ranges = groupby(sorted(asked, key=_range), key=_range)
    return {"|".join((*days, f"{sum({bits[one.report] for one in of_range}):x}")) for days, of_range in ranges}


def decoded(wishes: Iterable[str], reports: Sequence[str]) -> tuple[Asked, ...]:
    """The wishes in an item that `encoded` wrote, each once, sorted."""
    return tuple(sorted({asked for wish in wishes for asked in _decoded(wish, reports)}))


def outlived(wishes: Collection[str], asked_on: date) -> set[str]:
    """The wishes to drop when a backfill asks on this day: older than 400 days, or beyond the newest 3,000."""
    old = {wish for wish in wishes if _asked_on(wish) < asked_on - REMEMBERED}
    newest_first = sorted(set(wishes) - old, key=_asked_on, reverse=True)
    return old | set(newest_first[_MOST:])


def _range(asked: Asked) -> tuple[str, str, str]:
    return asked.start_date.isoformat(), asked.end_date.isoformat(), asked.asked_on.isoformat()


def _asked_on(wish: str) -> date:
    return date.fromisoformat(wish.split("|")[2])


def _decoded(wish: str, reports: Sequence[str]) -> Iterator[Asked]:
    *days, bits = wish.split("|")
    start_date, end_date, asked_on = map(date.fromisoformat, days)
    for place, report in enumerate(reports):
        if int(bits, 16) >> place & 1:
            yield Asked(report, start_date, end_date, asked_on)

"""What both bills show alike: counts, and list prices."""

from collections.abc import Iterable

from appstore_analytics.contract.prices import Price
from benchmarks.results import Table


def count_shown(count: float) -> str:
    """Whole from a hundred on, else two digits."""
    return f"{count:,.0f}" if count >= 100 else f"{count:.2g}"


def price_table(title: str, prices: Iterable[Price]) -> Table:
    """Each price with what it is for, and where it was seen."""
    rows = [
        (each.what, f"{each.us_dollars:,.10g}", f"{each.per:,}", f"{each.free:,.0f}" if each.free else "", each.seen)
        for each in prices
    ]
    return Table(title, ("price", "$", "per", "free each month", "seen on"), rows)

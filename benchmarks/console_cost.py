"""The web console's bill for a month on AWS, apart from the pipeline's: `python -m benchmarks.console_cost`.

The time and the reads of an answer are the stored result of `python -m benchmarks.api`. How people use the console is
assumed (`benchmarks/usage/console_bill.py`). Prices are in `contract/prices.py`.
"""

from collections.abc import Sequence
from typing import Any

from appstore_analytics.contract.prices import CONSOLE_LOOKED_UP_ON, PRICES_OF_THE_CONSOLE, REGION
from benchmarks.measuring.machine import versions
from benchmarks.results import Table, arguments, report
from benchmarks.usage import console_bill
from benchmarks.usage.bill import Line
from benchmarks.usage.tables import count_shown, price_table

SIZES = (70, 1_000)
_PRICES_SEEN = f"List prices of {REGION} that only the console has, looked up on {CONSOLE_LOOKED_UP_ON}"


def main(words: Sequence[str] | None = None) -> None:
    """Calculate, print and store the bill."""
    asked = arguments("console_cost", __doc__.split("\n", maxsplit=1)[0]).parse_args(words)
    months = {apps: console_bill.month(apps) for apps in SIZES}
    idle = sum(line.us_dollars for line in console_bill.idle())
    figures = {"idle_usd": idle, "sizes": {str(apps): _figures(lines) for apps, lines in months.items()}}
    report(
        "console_cost",
        figures,
        [_bill(months, idle), price_table(_PRICES_SEEN, PRICES_OF_THE_CONSOLE)],
        versions(()),
        asked,
    )


def _figures(lines: Sequence[Line]) -> dict[str, Any]:
    return {
        "month_usd": round(sum(line.us_dollars for line in lines), 2),
        "month_with_free_tiers_usd": round(sum(line.beyond_free for line in lines), 2),
    }


def _bill(months: dict[int, list[Line]], idle: float) -> Table:
    rows = []
    for lines in zip(*months.values(), strict=True):
        dollars = [cell for line in lines for cell in (line.us_dollars, line.beyond_free)]
        rows.append((lines[0].price.what, count_shown(lines[0].count), *(f"{each:.3f}" for each in dollars)))
    sums = [cell for figures in map(_figures, months.values()) for cell in figures.values()]
    rows.append(("together", "", *(f"{each:.2f}" for each in sums)))
    sizes = [cell for apps in months for cell in (f"{apps:,} apps $", "with free tiers $")]
    use = "; ".join(f"{what}: {how}" for what, how in console_bill.stated())
    note = f"{use}.\nWithout any use: ${idle:.2f}, or nothing if these are among an account's first ten alarms."
    return Table("The web console, a month", ("counted in a month", f"of {SIZES[0]} apps", *sizes), rows, note)


if __name__ == "__main__":
    main()

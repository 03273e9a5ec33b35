"""The monthly cost of a deployment on AWS: `python -m benchmarks.cost --apps 70 --reports 6`.

It counts the resources of the template that cdk.json produces, the states of its state machine, and the AWS calls of
the real steps on a usual day (`benchmarks/usage/counting.py`); `benchmarks/usage/bill.py` computes the bill. Prices:
`contract/prices.py`.
"""

from appstore_analytics.contract import prices
from appstore_analytics.contract.catalogue import CORE_REPORT_NAMES
from appstore_analytics.contract.prices import LOOKED_UP_ON, PRICES, REGION
from benchmarks.measuring.machine import versions
from benchmarks.results import Table, arguments, report
from benchmarks.usage.bill import LOG_BYTES_OF_A_CALL, SECONDS, Line, Model
from benchmarks.usage.counting import ROWS_PER_DATE, count_day
from benchmarks.usage.deployment import synthesize
from benchmarks.usage.tables import count_shown, price_table

SIZES = (70, 1_000, 10_000)
_REPORTS = 6
_MEMORIES_GB = (0.25, 0.5, 1.0, 2.0)
_PER_100 = 100


def main() -> None:
    """Count, print, store."""
    parser = arguments("cost", "Dollars a month on AWS, fixed and per 100 apps, from counted work.")
    parser.add_argument("--apps", type=int, default=SIZES[0], metavar="N", help=f"how many apps (default: {SIZES[0]})")
    parser.add_argument(
        "--reports", type=int, default=_REPORTS, metavar="N", help=f"core reports (default: {_REPORTS})"
    )
    asked = parser.parse_args()
    reports = CORE_REPORT_NAMES[: asked.reports]
    few, many = (count_day(apps, reports) for apps in ((1, 2) if asked.quick else (2, 6)))
    model = Model.of(synthesize({"reports": list(reports)}), reports, few, many)
    figures = {**_figures(model, asked.apps), "sizes": {str(apps): _figures(model, apps) for apps in SIZES}}
    tables = [_sizes_table(model), _bill_table(model, asked.apps), _memory_table(model, asked.apps)]
    tables += [_stated_table(), price_table(f"List prices of {REGION}, looked up on {LOOKED_UP_ON}", PRICES)]
    is_usual = (asked.apps, asked.reports) == (SIZES[0], _REPORTS)  # the page shows one result
    report("cost", figures, tables, versions(("moto", "aws-cdk-lib")), asked, is_usual=is_usual)


def _figures(model: Model, apps: int) -> dict[str, float]:
    """At list prices, and with AWS's permanent free tiers in another column. The dashboard is separate: see
    docs/cost.md."""
    lines, fixed = _month(model, apps), _fixed(model)
    month = sum(line.us_dollars for line in lines)
    return {
        "month_usd": round(month, 2),
        "fixed_usd": round(fixed, 2),
        "per_100_apps_usd": round((month - fixed) / apps * _PER_100, 2),
        "dashboard_usd": prices.DASHBOARDS.of(model.deployed.dashboards),
        "month_with_free_tiers_usd": round(sum(line.beyond_free for line in lines), 2),
    }


def _month(model: Model, apps: int) -> list[Line]:
    return [*model.month(apps), *model.storage(apps)]


def _fixed(model: Model) -> float:
    """The cost without any app."""
    return sum(line.us_dollars for line in model.month(0))


def _sizes_table(model: Model) -> Table:
    rows = []
    for apps in SIZES:
        figures = _figures(model, apps)
        rows.append(
            (
                f"{apps:,} apps",
                *(f"{figures[name]:,.2f}" for name in ("fixed_usd", "per_100_apps_usd", "month_usd")),
                f"{figures['month_with_free_tiers_usd']:,.2f}",
                f"{figures['month_usd'] / apps / prices.DAYS_OF_A_MONTH * 100:.4f}",
                str(model.keys(apps)),
            )
        )
    columns = ("", "fixed $", "per 100 apps $", "month $", "with free tiers $", "cents per app and day", "API keys")
    note = "List prices without any free tier, except in the fifth column. Without the dashboard."
    return Table(f"A month, {len(model.reports)} reports", columns, rows, note)


def _bill_table(model: Model, apps: int) -> Table:
    none = {line.price: line.count for line in model.month(0)}
    rows = []
    for line in sorted(_month(model, apps), key=lambda line: -line.us_dollars):
        fixed = none.get(line.price, 0.0)
        rows.append(
            (
                line.price.what,
                count_shown(fixed),
                count_shown((line.count - fixed) / apps * _PER_100),
                f"{line.price.of(fixed):.3f}",
                f"{line.price.of(line.count - fixed) / apps * _PER_100:.3f}",
                f"{line.us_dollars:.3f}",
                f"{line.beyond_free:.3f}",
            )
        )
    columns = (
        "counted in a month",
        "fixed",
        "per 100 apps",
        "fixed $",
        "per 100 apps $",
        "month $",
        "with free tiers $",
    )
    dashboard = prices.DASHBOARDS
    note = (
        f"Storage after a year. {model.deployed.dashboards} dashboard of {model.deployed.dashboard_metrics} metrics: "
        f"nothing as one of an account's first {dashboard.free:.0f}, else ${dashboard.us_dollars:.2f}."
    )
    return Table(f"The bill of {apps:,} apps, {len(model.reports)} reports", columns, rows, note)


def _memory_table(model: Model, apps: int) -> Table:
    rows = []
    for step, memory in sorted(model.deployed.memory_gb.items()):
        if step in {name for name, _ in model.units}:
            dollars = (
                prices.LAMBDA_GB_SECONDS.of(model.gb_seconds(step, apps, each)) * prices.DAYS_OF_A_MONTH
                for each in _MEMORIES_GB
            )
            rows.append((step, f"{memory * 1024:.0f} MB", *(f"{each:.3f}" for each in dollars)))
    columns = ("step", "has", *(f"{memory * 1024:.0f} MB" for memory in _MEMORIES_GB))
    return Table(f"Lambda GB-seconds of {apps:,} apps by memory, $ a month", columns, rows)


def _stated_table() -> Table:
    rows = [(what, f"{seconds * 1000:,.0f} ms") for what, seconds in SECONDS.items()]
    rows.append(("rows of an app in a table and Date", str(ROWS_PER_DATE)))
    rows.append(("log lines of Lambda for a call", f"{LOG_BYTES_OF_A_CALL} bytes"))
    return Table("Stated, not measured", ("what", "how much"), rows)


if __name__ == "__main__":
    main()

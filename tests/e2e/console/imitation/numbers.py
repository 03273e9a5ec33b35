"""/kpis and /kpis/query of the invented apps: points, and totals over the final ones."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from random import Random

from appstore_analytics.answers.kpi_catalogue import KpiCatalogue, kpi_catalogue
from appstore_analytics.answers.kpi_report import (
    KpiReport,
    ReportedKpi,
    ReportedPoint,
    ReportedSeries,
    ReportedTotal,
    RestatedSum,
)
from appstore_analytics.contract.kpis import KPIS_BY_NAME
from appstore_analytics.contract.kpis.definition import Additivity, Kpi, Unit
from appstore_analytics.contract.tables import CuratedTable, tables_by_name
from appstore_analytics.model.kpis import DateState
from appstore_analytics.rules.date_verdicts import DateVerdict
from tests.e2e.console.imitation.portfolio import (
    DAY,
    DAYS_OF_HISTORY,
    TODAY,
    YESTERDAY,
    App,
    Portfolio,
)

_RATIOS = {
    "conversion_per_impression": ("total_downloads", "impressions", 1),
    "crashes_per_1000_sessions": ("crashes", "sessions", 1000),
    "page_conversion": ("total_downloads", "product_page_views", 1),
    "trial_to_paid": ("trial_conversions", "subscription_starts", 1),
}
_NOT_OVER_DATES = (Additivity.STOCK, Additivity.BOUND)
SLICES = {
    "source_type": {"App Store search": 50, "App Store browse": 23, "App referrer": 15, "Web referrer": 8, None: 4},
    "territory": {"US": 31, "DE": 12, "JP": 11, "GB": 9, "FR": 7, "BR": 6, "CA": 5, "KR": 4, "IT": 3, "IN": 2},
    "device": {"iPhone": 78, "iPad": 15, "Desktop": 5, "Apple Vision": 1, "iPod": 1},
    "app_version": {"4.3.0": 33, "4.2.1": 41, "4.2.0": 18, "4.1.3": 8},
}
_IN_TABLE = {
    DateVerdict.LATE: DateState.MISSING,
    DateVerdict.QUARANTINED: DateState.QUARANTINED,
    DateVerdict.FORBIDDEN: DateState.MISSING,
    DateVerdict.NOT_READY: DateState.NOT_DUE,
    DateVerdict.PRELIMINARY: DateState.PRELIMINARY,
    DateVerdict.ZERO: DateState.ZERO,
}


@cache
def _tables_of(kpi: str) -> tuple[CuratedTable, ...]:
    return KPIS_BY_NAME[kpi].tables


def catalogue() -> KpiCatalogue:
    return kpi_catalogue(tables_by_name().values())


def report(portfolio: Portfolio, query: dict[str, str]) -> KpiReport:
    return _report(portfolio, tuple(sorted(query.items())))


@cache
def _report(portfolio: Portfolio, pairs: tuple[tuple[str, str], ...]) -> KpiReport:
    query = dict(pairs)
    kpis = [KPIS_BY_NAME[name] for name in query["metrics"].split(",")]
    wanted = query.get("apps", "")
    apps = [app for app in portfolio.apps if not wanted or app.id in wanted.split(",")]
    days = int(query.get("days", "28"))
    by, where = query.get("by", ""), query.get("where", "")
    series = [
        one for kpi in kpis for one in _all_series(portfolio, kpi, apps, days, by, where, int(query.get("limit") or 99))
    ]
    untils = [one.complete_until for one in series if one.complete_until]
    points = [point.day for one in series for point in one.points]
    start = min(points)
    return KpiReport(
        start=start,
        end=max(points),
        granularity=query.get("granularity", "day"),
        by=by,
        where=where,
        previous_start=start - days * DAY,
        previous_end=start - DAY,
        complete_until=min(untils, default=None),
        most_until=min(untils, default=None),
        apps=len(apps),
        apps_complete=len(apps),
        kpis=tuple(_reported(kpi) for kpi in kpis),
        series=tuple(series),
        notices=(),
        trap=" ".join(dict.fromkeys(kpi.trap for kpi in kpis)),
        sql=";\n\n".join(_sql(kpi) for kpi in kpis),
    )


def _reported(kpi: Kpi) -> ReportedKpi:
    return ReportedKpi(
        kpi.name,
        kpi.title,
        kpi.unit,
        kpi.additivity,
        kpi.precision,
        kpi.formula,
        kpi.trap,
        sql=_sql(kpi),
        tables=tuple(table.name for table in kpi.tables),
        dimensions=tuple(map(str, kpi.dimensions)),
    )


def _sql(kpi: Kpi) -> str:
    return (
        f"SELECT dt, SUM(counts) AS {kpi.label}\nFROM curated.{kpi.tables[0].name}\n"
        f"WHERE dt BETWEEN DATE '{TODAY - 30 * DAY}' AND DATE '{YESTERDAY}'\nGROUP BY dt\nORDER BY dt"
    )


def _all_series(
    portfolio: Portfolio, kpi: Kpi, apps: Sequence[App], days: int, by: str, where: str, limit: int
) -> list[ReportedSeries]:
    if kpi.name == "retention":
        return _retention(apps)
    if by == "app":
        return [replace(series_of(portfolio, kpi, (app,), days), app_id=app.id, app_name=app.name) for app in apps]
    if by:
        return _slices(portfolio, kpi, apps, days, by, limit)
    share = _share_of(where) if where else 1.0
    return [series_of(portfolio, kpi, apps, days, share=share)]


def _share_of(where: str) -> float:
    dimension, _, value = where.partition(":")
    weights = SLICES[dimension]
    return weights.get(value or None, 0) / sum(weights.values())


def _slices(
    portfolio: Portfolio, kpi: Kpi, apps: Sequence[App], days: int, by: str, limit: int
) -> list[ReportedSeries]:
    weights = SLICES[by]
    whole = sum(weights.values())
    found = [
        replace(series_of(portfolio, kpi, apps, days, share=weight / whole, growth=weight * 7), slice=value)
        for value, weight in weights.items()
    ]
    found.sort(key=lambda one: -float(one.total.value or 0))
    rest = found[limit:]
    if rest and kpi.additivity is Additivity.SUM:
        share = sum(weights[one.slice] for one in rest) / whole
        found = [*found[:limit], replace(series_of(portfolio, kpi, apps, days, share=share), is_rest=True)]
    return found


def series_of(
    portfolio: Portfolio, kpi: Kpi, apps: Sequence[App], days: int, *, share: float = 1.0, growth: int = 0
) -> ReportedSeries:
    """One KPI of these apps together: `days` completed Dates, and the preliminary ones after them."""
    end = YESTERDAY - kpi.window_days * DAY
    start = end - (days - 1) * DAY
    dates = [start + number * DAY for number in range((YESTERDAY - start).days + 1)]
    points = tuple(_point(portfolio, kpi, apps, day, days, share, growth) for day in dates)
    closed = [point for point in points if point.day <= end]
    missing = sum(point.value is None and point.state is not DateState.NOT_DUE for point in closed)
    value = _total(kpi, apps, [point.day for point in closed if point.value is not None], share, growth)
    previous = _total(kpi, apps, [point.day - days * DAY for point in closed if point.value is not None], share, 0)
    final = [point.day for point in closed if point.is_final]
    change = _change(kpi, value, previous, missing)
    first, last = (start, end) if any(point.state is not DateState.NOT_DUE for point in closed) else (None, None)
    total = ReportedTotal(value, kpi.precision, first, last, missing, previous, change)
    return ReportedSeries(kpi.name, "", "", None, False, max(final, default=None), total, points)


def _change(kpi: Kpi, value: float | None, previous: float | None, missing: int) -> float | None:
    if value is None or previous is None or missing or not previous:
        return None
    return value - previous if kpi.unit == Unit.SHARE else value / previous - 1


def _total(kpi: Kpi, apps: Sequence[App], days: Sequence[date], share: float, growth: int) -> float | None:
    if not days or (kpi.additivity in _NOT_OVER_DATES and len(days) > 1):
        return None
    return _value(kpi, apps, days, share, growth)


def _value(kpi: Kpi, apps: Sequence[App], days: Sequence[date], share: float, growth: int) -> float | None:
    if kpi.name in _RATIOS:
        above, below, factor = _RATIOS[kpi.name]
        divisor = _sum(below, apps, days, share, 0)
        return factor * _sum(above, apps, days, share, growth) / divisor if divisor else None
    return _sum(kpi.name, apps, days, share, growth)


def _sum(name: str, apps: Sequence[App], days: Sequence[date], share: float, growth: int) -> int:
    total = 0.0
    for day in days:
        place = DAYS_OF_HISTORY - (TODAY - day).days
        lift = 1 + growth / 1000 * (1 if (TODAY - day).days < 20 else 0)
        known = (app.amounts.get(name) for app in apps)
        total += sum(round(amounts[place] * share * lift) for amounts in known if amounts and place >= 0)
    return round(total)


def _point(
    portfolio: Portfolio, kpi: Kpi, apps: Sequence[App], day: date, days: int, share: float, growth: int
) -> ReportedPoint:
    state, missing = _state(portfolio, kpi, apps, day)
    has_value = state in (DateState.FINAL, DateState.PRELIMINARY, DateState.ZERO)
    value = _value(kpi, apps, [day], share, growth) if has_value else None
    if value is not None and state is DateState.PRELIMINARY and kpi.name not in _RATIOS and not missing:
        value = round(value * _ARRIVED[min((TODAY - day).days, len(_ARRIVED) - 1)])
    restated = [
        table.name for table in _tables_of(kpi.name) if len(apps) == 1 and portfolio.is_restated(table.name, day)
    ]
    was_restated = bool(restated) and bool(value) and state is DateState.FINAL
    return ReportedPoint(
        day=day,
        value=value,
        state=state,
        is_final=state in (DateState.FINAL, DateState.ZERO),
        bound=kpi.precision,
        apps_missing=missing,
        reason="" if has_value else "Apple’s newest file has no rows of this Date.",
        previous=_value(kpi, apps, [day - days * DAY], share, 0),
        restated_from=round(value * 0.83, 3) if value and was_restated and _sums_all_rows(kpi) else None,
        restated_on=day + 5 * DAY if was_restated else None,
        restated_sums=tuple(RestatedSum(name, "counts", 8_300, 10_000) for name in restated if was_restated),
    )


def _sums_all_rows(kpi: Kpi) -> bool:
    return not any(amount.where or amount.times for amount in kpi.amounts)


_ARRIVED = (0.2, 0.55, 0.78, 0.9, 0.96, 0.98)


def _state(portfolio: Portfolio, kpi: Kpi, apps: Sequence[App], day: date) -> tuple[DateState, int]:
    verdicts = [portfolio.date_verdict(app, table, day) for app in apps for table in _tables_of(kpi.name)]
    bad = [verdict for verdict in verdicts if verdict.needs_action]
    if bad and len(apps) > 1:
        return DateState.PRELIMINARY, 1
    for verdict in (*bad, DateVerdict.NOT_READY, DateVerdict.PRELIMINARY):
        if verdict in verdicts:
            return _IN_TABLE[verdict], len(bad[:1])
    return DateState.FINAL, 0


_CURVE = {0: 1.0, 1: 0.34, 3: 0.24, 7: 0.18, 14: 0.13, 21: 0.11, 30: 0.09}


def _retention(apps: Sequence[App]) -> list[ReportedSeries]:
    """Seven weeks of downloads: future cells are not due, incomplete ones preliminary."""
    monday = TODAY - timedelta(days=TODAY.weekday())
    weeks = [monday - 7 * back * DAY for back in range(8, 1, -1)]
    random = Random(len(apps))  # noqa: S311 (invented data)
    kpi = KPIS_BY_NAME["retention"]
    found = []
    for number in range(31):
        points = tuple(_cohort(week, number, random) for week in weeks)
        total = ReportedTotal(None, kpi.precision, weeks[0], weeks[-1], 0)
        found.append(ReportedSeries(kpi.name, "", "", str(number), False, None, total, points))
    return found


def _cohort(week: date, number: int, random: Random) -> ReportedPoint:
    below = max(each for each in _CURVE if each <= number)
    value = _CURVE[below] * random.uniform(0.93, 1.08) if number else 1.0
    age = (TODAY - (week + (6 + number) * DAY)).days
    state = DateState.NOT_DUE if age < 1 else DateState.PRELIMINARY if age < 6 else DateState.FINAL
    known = state is not DateState.NOT_DUE
    return ReportedPoint(week, value if known else None, state, state is DateState.FINAL, "estimate")

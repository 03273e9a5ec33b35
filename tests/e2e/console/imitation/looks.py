"""/health, /tables, /apps and /apps/{id} of the invented apps."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache

from appstore_analytics.answers.app_details import AppDetails
from appstore_analytics.answers.app_table import AppColumn, AppRow, AppTable, AppValue, Period, SparkPoint
from appstore_analytics.answers.attention import Attention
from appstore_analytics.answers.health import FinalOn, FirstDays, Health, Need, TableUntil, Yesterday
from appstore_analytics.answers.releases import ReleaseLine, ReleaseList
from appstore_analytics.answers.repair_runs import RepairRun
from appstore_analytics.answers.table_dates import MAIN_TABLES, DateCell, TableDates, TableLine
from appstore_analytics.contract.kpis import KPIS_BY_NAME
from appstore_analytics.contract.tables import CuratedTable
from appstore_analytics.rules.date_verdicts import DateVerdict, rank, worst
from tests.e2e.console.imitation import numbers, runs
from tests.e2e.console.imitation.portfolio import (
    DAY,
    FORBIDDEN,
    LATE,
    NOW,
    QUARANTINED,
    TODAY,
    YESTERDAY,
    App,
    Portfolio,
    window_of,
)

CHECKED_AT = (NOW - timedelta(minutes=3)).isoformat()
NEXT_RUN = datetime.combine(TODAY + DAY, NOW.time().replace(hour=10, minute=0), NOW.tzinfo)
DOCS = "docs/operations.md#"


@cache
def health(portfolio: Portfolio, *, is_running: bool = False, is_first_day: bool = False) -> Health:
    lines = [table_line(portfolio, table, portfolio.apps, 30) for table in portfolio.tables]
    needs = attention(portfolio) if not is_first_day else ()
    complete = sum(portfolio.verdict_of(app) is DateVerdict.FRESH for app in portfolio.apps)
    final = {window: YESTERDAY + (window + 1) * DAY for window in (2, 3, 5)}
    return Health(
        judged_on=TODAY,
        last_run=runs.list_runs(1, is_running=False).runs[0],
        checked_at=CHECKED_AT,
        complete_until=min((line.complete_until for line in lines if line.complete_until), default=None),
        requests={"ready": len(portfolio.apps)},
        needs=tuple(Need(each.reason, each.who, each.do, 1, each.app_id) for each in needs),
        most_until=None if is_first_day else TODAY - 6 * DAY,
        apps_known=len(portfolio.apps),
        apps_complete=0 if is_first_day else complete,
        until=tuple(_until(line) for line in lines),
        yesterday=Yesterday(YESTERDAY, False, tuple(FinalOn(day, _tables_of(w)) for w, day in final.items())),
        attention=needs,
        next_run_at=NEXT_RUN,
        first_days=_first_days(portfolio) if is_first_day else None,
        running=runs.list_runs(1, is_running=True).runs[0] if is_running else None,
    )


def _tables_of(window: int) -> tuple[str, ...]:
    tables = Portfolio().tables
    return tuple(table.name for table in tables if window_of(table) == window and table.name in MAIN_TABLES)


def _until(line: TableLine) -> TableUntil:
    return TableUntil(
        line.table_name, line.is_main, line.complete_until, line.most_until, line.apps, line.apps_complete
    )


def _first_days(portfolio: Portfolio) -> FirstDays:
    return FirstDays(NOW - timedelta(minutes=24), len(portfolio.apps), TODAY + DAY, TODAY + 2 * DAY)


@cache
def table_dates(portfolio: Portfolio, days: int, app: App | None = None) -> TableDates:
    apps = (app,) if app else portfolio.apps
    lines = tuple(table_line(portfolio, table, apps, days) for table in portfolio.tables)
    return TableDates(CHECKED_AT, tuple(dates_until_yesterday(days)), lines)


def dates_until_yesterday(days: int) -> list[date]:
    return [YESTERDAY - back * DAY for back in range(days - 1, -1, -1)]


def table_line(portfolio: Portfolio, table: CuratedTable, apps: Sequence[App], days: int) -> TableLine:
    dates = dates_until_yesterday(days)
    cells = tuple(_cell(portfolio, table, apps, day) for day in dates)
    due = [day for day in dates if (TODAY - day).days > window_of(table)]
    missing = {day: cell for day, cell in zip(dates, cells, strict=True) if cell.verdict.needs_action and day in due}
    complete = [day for day in due if all(day < bad for bad in missing)]
    behind = {app.id for app in apps if any(portfolio.date_verdict(app, table, day).needs_action for day in missing)}
    return TableLine(
        table_name=table.name,
        report=table.report.name,
        is_main=table.name in MAIN_TABLES,
        window_days=window_of(table),
        complete_until=max(complete, default=None),
        most_until=max(due),
        apps=len(apps),
        apps_complete=len(apps) - len(behind),
        cells=cells,
    )


def _cell(portfolio: Portfolio, table: CuratedTable, apps: Sequence[App], day: date) -> DateCell:
    counts = Counter(portfolio.date_verdict(app, table, day) for app in apps)
    if len(counts) > 1:
        counts.pop(DateVerdict.NOT_READY, None)
    verdict = worst(counts)
    return DateCell(verdict, counts[verdict], portfolio.is_restated(table.name, day))


def attention(portfolio: Portfolio) -> tuple[Attention, ...]:
    if portfolio.is_well or portfolio.is_first_day:
        return ()
    every = (_late(App(LATE)), _quarantined(App(QUARANTINED)), _forbidden(App(FORBIDDEN)))
    return tuple(each for each in every if portfolio.app(each.app_id))


def _late(app: App) -> Attention:
    day = TODAY - 6 * DAY
    return Attention(
        verdict=DateVerdict.LATE,
        account="main",
        app_id=app.id,
        app_name=app.name,
        table_name="engagement",
        reason="Apple’s newest file for this app has the Dates before and after it, and not this one.",
        ruled_out=("no run was refused", "nothing is in quarantine", "the report request is live"),
        who="the operator of the pipeline",
        do="plan a backfill",
        since=day + 4 * DAY,
        first=day,
        last=day,
        dates=1,
        kept_until=day + 36 * DAY,
        repair=RepairRun("backfill", {"app_ids": [app.id], "reports": ["engagement"], **_range(day, day)}),
        run_id="",
        docs=f"{DOCS}is-yesterday-complete",
    )


def _range(first: date, last: date) -> dict[str, str]:
    return {"start_date": first.isoformat(), "end_date": last.isoformat()}


def _quarantined(app: App) -> Attention:
    first, last = TODAY - 4 * DAY, TODAY - 3 * DAY
    arguments = {"app_ids": [app.id], "reports": ["downloads"], "run_id": runs.FAILED_RUN}
    return replace(
        _late(app),
        verdict=DateVerdict.QUARANTINED,
        table_name="downloads",
        reason="The file has no column 'Counts', which the report requires; the Dates are as they were before.",
        ruled_out=(),
        do="correct the catalogue, deploy, then reprocess",
        since=TODAY - 2 * DAY,
        first=first,
        last=last,
        dates=2,
        repair=RepairRun("reprocess", arguments),
        run_id=runs.FAILED_RUN,
        docs=f"{DOCS}quarantined",
    )


def _forbidden(app: App) -> Attention:
    return replace(
        _late(app),
        verdict=DateVerdict.FORBIDDEN,
        table_name="",
        reason="Apple answered 403: the key of account 'main' may not read this app.",
        ruled_out=(),
        who="an Admin of App Store Connect",
        do="give the key the role Sales and Reports, or let the account holder accept the agreement",
        since=TODAY,
        first=None,
        last=None,
        dates=0,
        kept_until=None,
        repair=None,
        run_id=runs.NEWEST_RUN,
        docs=f"{DOCS}verdicts",
    )


COMPUTED = 70
COLUMNS = ("total_downloads", "impressions", "conversion_per_impression", "proceeds", "crashes_per_1000_sessions")


def app_table(portfolio: Portfolio, query: dict[str, str]) -> AppTable:
    typed = query.get("q", "").casefold()
    found = [app for app in portfolio.apps if typed in f"{app.name} {app.id}".casefold()]
    counts = Counter(portfolio.verdict_of(app) for app in found)
    action = sum(count for verdict, count in counts.items() if verdict.needs_action)
    every = {"all": len(found), "action": action, **{str(verdict): count for verdict, count in counts.items()}}
    wanted = query.get("verdict", "")
    shown = [app for app in found if _matches(portfolio.verdict_of(app), wanted)]
    days = int(query.get("days", "28"))
    rows = sorted(
        (_row(portfolio, app, days) for app in shown),
        key=lambda row: _sort_key(row, query.get("sort", "total_downloads")),
        reverse=query.get("order", "desc") == "desc",
    )
    offset, limit = int(query.get("cursor") or 0), int(query.get("limit", "50"))
    return AppTable(
        total=len(rows),
        offset=offset,
        counts=every,
        columns=tuple(_column(name, days) for name in COLUMNS),
        apps=tuple(rows[offset : offset + limit]),
        next=str(offset + limit) if offset + limit < len(rows) else "",
        previous=str(max(0, offset - limit)) if offset > limit else "",
    )


def _matches(verdict: DateVerdict, wanted: str) -> bool:
    return not wanted or (verdict.needs_action if wanted == "action" else str(verdict) == wanted)


def _sort_key(row: AppRow, sort: str) -> tuple[bool, float | int | str]:
    if sort == "name":
        return True, row.app_name.casefold()
    if sort == "verdict":
        return True, -rank(row.verdict)
    value = row.metrics[sort].value
    return value is not None, float(value or 0)


def _column(name: str, days: int) -> AppColumn:
    kpi = KPIS_BY_NAME[name]
    end = YESTERDAY - kpi.window_days * DAY
    start = end - (days - 1) * DAY
    before = Period(start - days * DAY, start - DAY)
    return AppColumn(name, kpi.title, kpi.unit, kpi.precision, kpi.trap, Period(start, end), before)


@cache
def _row(portfolio: Portfolio, app: App, days: int) -> AppRow:
    if app.number >= COMPUTED:  # a thousand apps are copies of the seventy with other names
        twin = App(20 + app.number % 40)
        return replace(_row(portfolio, twin, days), app_id=app.id, app_name=app.name)
    verdict = portfolio.verdict_of(app)
    series = [numbers.series_of(portfolio, KPIS_BY_NAME[name], (app,), days) for name in COLUMNS]
    values = {
        name: AppValue(one.total.value, one.total.change, one.total.missing)
        for name, one in zip(COLUMNS, series, strict=True)
    }
    spark = tuple(SparkPoint(point.day, point.value, point.is_final) for point in series[0].points)
    until = None if verdict is DateVerdict.NOT_READY else TODAY - (7 if verdict.needs_action else 6) * DAY
    return AppRow(app.id, app.name, "main", verdict, app.bad_tables, until, values, spark)


def app_details(portfolio: Portfolio, app: App, days: int) -> AppDetails:
    dates = table_dates(portfolio, days, app)
    why = tuple(each for each in attention(portfolio) if each.app_id == app.id)
    verdict = portfolio.verdict_of(app)
    untils = [line.complete_until for line in dates.tables if line.complete_until]
    return AppDetails(
        app_id=app.id,
        app_name=app.name,
        account="main",
        verdict=verdict,
        checked_at=CHECKED_AT,
        first_date=TODAY - 400 * DAY,
        complete_until=min(untils, default=None),
        last_run=runs.NEWEST_RUN,
        last_verdict="verified",
        why=why,
        requests=(),
        dates=dates.dates,
        tables=dates.tables,
    )


def releases(app: App, since: date) -> ReleaseList:
    """Versions that every app has: one that sessions tell of, two that a run saw, and one whose day nobody knows."""
    days = {"4.0.0": None, "4.2.0": TODAY - 26 * DAY, "4.2.1": TODAY - 15 * DAY, "4.3.0": TODAY - 5 * DAY}
    lines = (
        ReleaseLine(app.id, "IOS", version, day, is_inferred=version == "4.2.0", not_before=None, app_name=app.name)
        for version, day in reversed(days.items())
        if day is None or day >= since
    )
    return ReleaseList(tuple(lines), ())

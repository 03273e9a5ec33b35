"""The page of a run: one self-contained HTML file, readable on a phone.

It is built as elements and not as text, so nothing that Apple sends can become markup.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from itertools import islice, pairwise
from xml.etree.ElementTree import Element, SubElement, tostring

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.model.plan import RunPlan, named
from appstore_analytics.report.charts import Chart, add_charts
from appstore_analytics.report.elements import (
    add_left_out,
    add_section,
    add_table,
    add_text,
    duration_text,
    visible,
)
from appstore_analytics.report.restated_dates import RestatedDates
from appstore_analytics.report.style import STYLE
from appstore_analytics.report.summary import AppSummary, Records, RunSummary, verdict_grid
from appstore_analytics.rules.calendar import periods

_APPS_SHOWN = 300
_RESTATEMENTS_SHOWN = 100
_ERRORS_SHOWN = 100
_NOTICES_SHOWN = 30
_SKIPS_SHOWN = 100

_MARKS = {  # a letter beside the colour, for people with colour blindness
    Verdict.VERIFIED: ("good", "✓"),
    Verdict.PUBLISHED: ("good", "✓"),
    Verdict.CONVERTED: ("good", "✓"),
    Verdict.UNCHANGED: ("calm", "="),
    Verdict.READY: ("wait", "…"),
    Verdict.NOT_READY: ("wait", "…"),
    Verdict.EXPIRED: ("late", "e"),
}
_FAILURE_MARK = ("bad", "✗")
_OTHER_MARK = ("calm", "·")


def run_page(
    plan: RunPlan,
    summary: RunSummary,
    records: Records,
    *,
    seconds: float,
    planned_at: Mapping[MapName, datetime],
    restated: RestatedDates,
    charts: Iterable[Chart],
) -> bytes:
    """The page as UTF-8 HTML. `planned_at` says when each Map was planned.

    Long lists are cut, failures first, and say how many entries are left out.
    """
    page = Element("html", lang="en")
    _head(page, plan)
    body = SubElement(page, "body")
    _title(body, plan, summary, seconds)
    _figures(body, summary, restated)
    _errors(body, summary)
    _notices(body, summary)
    add_charts(body, charts)
    _grid(body, summary, records)
    _restatements(body, restated)
    _skipped_dates(body, summary, plan)
    _timing(body, plan, seconds, planned_at)
    markup: str = tostring(page, encoding="unicode", method="html")
    return f"<!doctype html>\n{markup}\n".encode()


def _head(page: Element, plan: RunPlan) -> None:
    head = SubElement(page, "head")
    SubElement(head, "meta", charset="utf-8")
    SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    policy = {"http-equiv": "Content-Security-Policy", "content": "default-src 'none'; style-src 'unsafe-inline'"}
    SubElement(head, "meta", policy)
    add_text(head, "title", f"{plan.operation} {plan.as_of.isoformat()}")
    add_text(head, "style", STYLE)


def _title(body: Element, plan: RunPlan, summary: RunSummary, seconds: float) -> None:
    header = SubElement(body, "header")
    word, kind = ("failed", "bad") if summary.has_failed else ("succeeded", "good")
    heading = SubElement(header, "h1")
    heading.text = f"{plan.operation} · {plan.as_of.isoformat()} "
    add_text(heading, "span", word, kind=f"badge {kind}")
    started = plan.started_at.strftime("%Y-%m-%d %H:%M:%S UTC")
    took = f"Started {started} by {plan.started_by}, took {duration_text(seconds)}."
    add_text(header, "p", f"{took} Run {plan.run_id}.", kind="quiet")
    if summary.cause:
        add_text(header, "p", summary.cause, kind="cause")


def _figures(body: Element, summary: RunSummary, restated: RestatedDates) -> None:
    totals = summary.totals
    good = sum(not app.verdict.is_failure for app in summary.apps)
    figures = {
        "apps without failure": f"{good:,} of {len(summary.apps):,}",
        "instances": f"{totals['instances']:,}",
        "rows in Apple's new files": f"{totals['rows_raw']:,}",
        "Dates published": f"{totals['dates_published']:,}",
        "rows of these Dates, all apps": f"{totals['rows_curated']:,}",
        "of them counted by Athena": f"{totals['rows_athena']:,}",
        "Dates replaced": f"{len(restated):,}",
        "calls to Apple": f"{totals['apple_calls']:,}",
    }
    listed = SubElement(body, "dl")
    for name, value in figures.items():
        entry = SubElement(listed, "div")
        add_text(entry, "dt", name)
        add_text(entry, "dd", value)


def _errors(body: Element, summary: RunSummary) -> None:
    if not summary.errors:
        return
    section = add_section(body, "What failed")
    for error in summary.errors[:_ERRORS_SHOWN]:
        failure = SubElement(section, "div", {"class": "failure"})
        line = SubElement(failure, "p")
        add_text(line, "span", error.verdict, kind="badge bad").tail = f" {visible(error.table)}"
        add_text(failure, "p", error.reason)
        add_text(failure, "p", named(error.item, error.app_name), kind="quiet")
    add_left_out(section, len(summary.errors) - _ERRORS_SHOWN, "failures")


def _notices(body: Element, summary: RunSummary) -> None:
    if not summary.notices:
        return
    section = add_section(body, "Notices")
    for notice in summary.notices[:_NOTICES_SHOWN]:
        add_text(section, "p", notice)
    add_left_out(section, len(summary.notices) - _NOTICES_SHOWN, "notices")


def _grid(body: Element, summary: RunSummary, records: Records) -> None:
    cells = verdict_grid(records)
    tables = sorted({table for _, table in cells})
    apps = sorted(summary.apps, key=_failures_first)
    section = add_section(body, "Apps and tables")
    _legend(section)
    scroll = SubElement(section, "div", {"class": "scroll"})
    grid = SubElement(scroll, "table", {"class": "grid"})
    header = SubElement(SubElement(grid, "thead"), "tr")
    for name in ("app", "verdict"):
        add_text(header, "th", name)
    for table in tables:
        add_text(SubElement(header, "th", {"class": "turned"}), "span", table)
    rows = SubElement(grid, "tbody")
    for app in apps[:_APPS_SHOWN]:
        row = SubElement(rows, "tr")
        head = SubElement(row, "th", scope="row")
        add_text(head, "span", app.app_id)
        if app.name:
            add_text(head, "small", app.name)
        add_text(row, "td", app.verdict, kind=_mark(app.verdict)[0]).set("title", app.reason)
        for table in tables:
            _cell(row, table, cells.get((app.app_id, table)))
    add_left_out(section, len(apps) - _APPS_SHOWN, "apps, none of which ended worse")


def _failures_first(app: AppSummary) -> tuple[bool, bool, str]:
    return not app.verdict.is_failure, app.verdict is not Verdict.NOT_READY, app.app_id


def _cell(row: Element, table: str, word: str | None) -> None:
    if word is None:
        SubElement(row, "td")
        return
    kind, mark = _mark(word)
    add_text(row, "td", mark, kind=kind).set("title", f"{table}: {word}")


def _mark(word: str) -> tuple[str, str]:
    """The colour and the letter of a verdict."""
    verdict = Verdict(word)
    return _FAILURE_MARK if verdict.is_failure else _MARKS.get(verdict, _OTHER_MARK)


def _legend(section: Element) -> None:
    legend = SubElement(section, "p", {"class": "legend"})
    for word in (Verdict.VERIFIED, Verdict.UNCHANGED, Verdict.NOT_READY, Verdict.EXPIRED, Verdict.FAILED):
        kind, mark = _mark(word)
        entry = SubElement(legend, "span")
        add_text(entry, "b", mark, kind=kind).tail = f" {word}"


def _restatements(body: Element, restated: RestatedDates) -> None:
    """Dates for which Apple sent a newer file, the largest changes first."""
    if not restated:
        return
    section = add_section(body, "What Apple replaced")
    add_text(section, "p", "Newer files contain these Dates again; appstore.batches has all their apps.", kind="quiet")
    rows = (
        (
            one.table,
            one.day,
            f"{one.apps:,}",
            f"{one.rows_before:,}",
            f"{one.rows_now:,}",
            f"{one.change:+,}",
        )
        for one in islice(restated, _RESTATEMENTS_SHOWN)
    )
    add_table(section, ("table", "Date", "apps", "rows before", "rows now", "change"), rows)
    add_left_out(section, len(restated) - _RESTATEMENTS_SHOWN, "Dates")


def _skipped_dates(body: Element, summary: RunSummary, plan: RunPlan) -> None:
    """A notice, not a failure: a day without usage also has no rows."""
    skips = [(table, app, days) for table, apps in summary.skipped_dates.items() for app, days in apps.items()]
    if not skips:
        return
    section = add_section(body, "Dates without a row between others")
    note = (
        "A new file has no rows of these Dates, but rows before and after them. Rows that older files brought for them "
        "are kept. A small app has such days; for a larger one Apple may have skipped the Date."
    )
    add_text(section, "p", note, kind="quiet")
    rows = (
        (table, named(app, plan.app_names.get(app, "")), _spans(days, tables_by_name()[table].granularity))
        for table, app, days in skips[:_SKIPS_SHOWN]
    )
    add_table(section, ("table", "app", "Dates"), rows)
    add_left_out(section, len(skips) - _SKIPS_SHOWN, "apps and tables")


def _spans(days: Iterable[str], granularity: Granularity) -> str:
    """Consecutive Dates as one span."""
    spans = ((run[0], run[-1]) for run in periods([date.fromisoformat(day) for day in days], granularity))
    return ", ".join(f"{first}" if first == last else f"{first} to {last}" for first, last in spans)


def _timing(body: Element, plan: RunPlan, seconds: float, planned_at: Mapping[MapName, datetime]) -> None:
    """A Map lasts from its planning to the planning of the next one; the rest is the start and this summary."""
    if not planned_at:
        return
    bars = SubElement(add_section(body, "Where the time went"), "div", {"class": "timing"})
    times = [*((planned - plan.started_at).total_seconds() for planned in planned_at.values()), seconds]
    for map_name, (start, end) in zip(planned_at, pairwise(times), strict=True):
        spent = max(end - start, 0.0)
        row = SubElement(bars, "div")
        add_text(row, "span", map_name.capitalize())
        bar = SubElement(row, "i")
        bar.set("style", f"width:{100 * spent / max(seconds, 1e-3):.1f}%")
        add_text(row, "span", duration_text(spent))

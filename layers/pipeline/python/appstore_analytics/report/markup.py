"""The page of a run: one self-contained HTML file, readable on a phone.

It is built as elements and not as text, so nothing that Apple sends can become markup.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from itertools import islice, pairwise
from xml.etree.ElementTree import Element, SubElement

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.layout import INDEX_NAME
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.model.plan import RunPlan, named
from appstore_analytics.report.charts import Chart, add_charts
from appstore_analytics.report.elements import (
    add_document,
    add_head,
    add_left_out,
    add_link,
    add_section,
    add_table,
    add_text,
    duration_text,
    markup_of,
    visible,
)
from appstore_analytics.report.instructions import Instructions
from appstore_analytics.report.restated_dates import RestatedDates
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
    instructions: Instructions,
) -> bytes:
    """The page as UTF-8 HTML. `planned_at` says when each Map was planned, `instructions` what to do for a verdict.

    Long lists are cut, failures first, and say how many entries are left out.
    """
    page, body = add_document(f"{plan.operation} {plan.as_of.isoformat()}")
    _title(body, plan, summary, seconds)
    _figures(body, summary, restated)
    _errors(body, summary, instructions)
    _notices(body, summary)
    add_charts(body, charts)
    _grid(body, summary, records, instructions)
    _restatements(body, restated)
    _unknown_columns(body, summary, instructions)
    _skipped_dates(body, summary, plan, instructions)
    _timing(body, plan, seconds, planned_at)
    return markup_of(page)


def _title(body: Element, plan: RunPlan, summary: RunSummary, seconds: float) -> None:
    header = SubElement(body, "header")
    word, kind = ("failed", "bad") if summary.has_failed else ("succeeded", "good")
    heading = SubElement(header, "h1")
    heading.text = f"{plan.operation} · {plan.as_of.isoformat()} "
    add_text(heading, "span", word, kind=f"badge {kind}")
    started = plan.started_at.strftime("%Y-%m-%d %H:%M:%S UTC")
    took = f"Started {started} by {plan.started_by}, took {duration_text(seconds)}."
    line = add_text(header, "p", f"{took} Run {plan.run_id}. ", kind="quiet")
    add_link(line, "All runs", INDEX_NAME)
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


def _errors(body: Element, summary: RunSummary, instructions: Instructions) -> None:
    if not summary.errors:
        return
    section = add_section(body, "What failed")
    for error in summary.errors[:_ERRORS_SHOWN]:
        failure = SubElement(section, "div", {"class": "failure"})
        line = SubElement(failure, "p")
        address = instructions.of_verdict(error.verdict)
        add_link(line, error.verdict, address, kind="badge bad").tail = f" {visible(error.table)}"
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


def _grid(body: Element, summary: RunSummary, records: Records, instructions: Instructions) -> None:
    cells = verdict_grid(records)
    tables = sorted({table for _, table in cells})
    apps = sorted(summary.apps, key=_failures_first)
    section = add_section(body, "Apps and tables")
    _legend(section, {*(app.verdict for app in apps), *map(Verdict, cells.values())}, instructions)
    caption = "How each app ended, and each of its tables"
    rows = add_head(section, caption, ("app", "verdict"), kind="grid", turned=tables)
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


def _legend(section: Element, found: Collection[Verdict], instructions: Instructions) -> None:
    """The verdicts that occur, each with what to do about it."""
    legend = SubElement(section, "p", {"class": "legend"})
    for verdict in (each for each in Verdict if each in found):
        kind, mark = _mark(verdict)
        entry = SubElement(legend, "span")
        add_text(entry, "b", mark, kind=kind).tail = " "
        add_link(entry, verdict, instructions.of_verdict(verdict))


def _restatements(body: Element, restated: RestatedDates) -> None:
    """Dates for which Apple sent a newer file, the largest changes first."""
    if not restated:
        return
    section = add_section(body, "What Apple replaced")
    caption = "Newer files contain these Dates again; appstore.batches has all their apps."
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
    columns = ("table", "Date", "apps", "rows before", "rows now", "change")
    add_table(section, caption, columns, rows, kind="numbers")
    add_left_out(section, len(restated) - _RESTATEMENTS_SHOWN, "Dates")


def _unknown_columns(body: Element, summary: RunSummary, instructions: Instructions) -> None:
    """Columns of Apple's that the catalogue does not have: their cells are in `extra`."""
    if not summary.unknown_columns:
        return
    section = add_section(body, "Columns that the catalogue does not know")
    caption = "Their cells are kept as text in the column extra, unless the table's schema mode is strict."
    rows = ((table, ", ".join(columns)) for table, columns in summary.unknown_columns.items())
    add_table(section, caption, ("table", "columns"), rows)
    if instructions.of_new_column:
        add_link(SubElement(section, "p", {"class": "quiet"}), "How to add a column", instructions.of_new_column)


def _skipped_dates(body: Element, summary: RunSummary, plan: RunPlan, instructions: Instructions) -> None:
    """A notice, not a failure: a day without usage also has no rows."""
    skips = [(table, app, days) for table, apps in summary.skipped_dates.items() for app, days in apps.items()]
    if not skips:
        return
    section = add_section(body, "Dates without a row between others")
    note = (
        "A new file has no rows of these Dates, but rows before and after them. Rows that older files brought for them "
        "are kept. A small app has such days; for a larger one Apple may have skipped the Date."
    )
    rows = (
        (table, named(app, plan.app_names.get(app, "")), _spans(days, tables_by_name()[table].granularity))
        for table, app, days in skips[:_SKIPS_SHOWN]
    )
    add_table(section, note, ("table", "app", "Dates"), rows)
    add_left_out(section, len(skips) - _SKIPS_SHOWN, "apps and tables")
    if instructions.of_skipped_date:
        add_link(SubElement(section, "p", {"class": "quiet"}), "What to do about them", instructions.of_skipped_date)


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

"""The page of a run: one HTML file that needs nothing else, for whoever was told that a run failed, on a phone too.

Built as elements and not as text, so nothing that Apple sends can become markup.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.contract.messages import MapName, RunPlan, Verdict
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.rules.gaps import periods
from appstore_analytics.rules.run_summary import AppSummary, Records, RunSummary, verdict_grid

_APPS_SHOWN = 300
_RESTATEMENTS_SHOWN = 100
_ERRORS_SHOWN = 100
_SKIPS_SHOWN = 100
_CHART_WIDTH, _CHART_HEIGHT = 320, 96

_MARKS = {  # a letter beside the colour, for whoever sees colours differently
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


@dataclass(frozen=True, slots=True)
class Chart:
    """A measure summed over all apps, by Date, oldest first; `restated` are the Dates that this run replaced."""

    title: str
    values: tuple[tuple[date, Decimal], ...]
    restated: frozenset[date]


def run_page(
    plan: RunPlan,
    summary: RunSummary,
    records: Records,
    *,
    seconds: float,
    planned_at: Mapping[MapName, datetime],
    changes: Sequence[Mapping[str, Any]],
    charts: Iterable[Chart],
) -> bytes:
    """The page as UTF-8 HTML. `planned_at` says when each Map was planned, `changes` are rows of `appstore.batches`.

    Of long lists it shows the beginning, failures first, and says how much it leaves out.
    """
    page = Element("html", lang="en")
    _head(page, plan)
    body = SubElement(page, "body")
    _title(body, plan, summary, seconds)
    _figures(body, summary, changes)
    _errors(body, summary)
    _charts(body, charts)
    _grid(body, summary, records)
    _restatements(body, changes)
    _skipped_dates(body, summary)
    _timing(body, plan, seconds, planned_at)
    markup: str = tostring(page, encoding="unicode", method="html")
    return f"<!doctype html>\n{markup}\n".encode()


def _head(page: Element, plan: RunPlan) -> None:
    head = SubElement(page, "head")
    SubElement(head, "meta", charset="utf-8")
    SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    policy = {"http-equiv": "Content-Security-Policy", "content": "default-src 'none'; style-src 'unsafe-inline'"}
    SubElement(head, "meta", policy)
    _text(head, "title", f"{plan.operation} {plan.as_of.isoformat()}")
    _text(head, "style", _STYLE)


def _title(body: Element, plan: RunPlan, summary: RunSummary, seconds: float) -> None:
    header = SubElement(body, "header")
    word, kind = ("failed", "bad") if summary.has_failed else ("succeeded", "good")
    heading = SubElement(header, "h1")
    heading.text = f"{plan.operation} · {plan.as_of.isoformat()} "
    _text(heading, "span", word, kind=f"badge {kind}")
    started = plan.started_at.strftime("%Y-%m-%d %H:%M:%S UTC")
    _text(header, "p", f"Started {started}, took {_duration(seconds)}. Run {plan.run_id}.", kind="quiet")
    if summary.cause:
        _text(header, "p", summary.cause, kind="cause")


def _figures(body: Element, summary: RunSummary, changes: Sequence[Mapping[str, Any]]) -> None:
    totals = summary.totals
    good = sum(not app.verdict.is_failure for app in summary.apps)
    restated = {(change["table_name"], change["date"]) for change in changes if _is_restatement(change)}
    figures = {
        "apps without failure": f"{good:,} of {len(summary.apps):,}",
        "instances": f"{totals['instances']:,}",
        "rows from Apple": f"{totals['rows_raw']:,}",
        "rows counted by Athena": f"{totals['rows_athena']:,}",
        "Dates published": f"{totals['dates_published']:,}",
        "Dates replaced": f"{len(restated):,}",
        "calls to Apple": f"{totals['apple_calls']:,}",
    }
    listed = SubElement(body, "dl")
    for name, value in figures.items():
        entry = SubElement(listed, "div")
        _text(entry, "dt", name)
        _text(entry, "dd", value)


def _errors(body: Element, summary: RunSummary) -> None:
    if not summary.errors:
        return
    section = _section(body, "What failed")
    for error in summary.errors[:_ERRORS_SHOWN]:
        failure = SubElement(section, "div", {"class": "failure"})
        line = SubElement(failure, "p")
        _text(line, "span", error.verdict, kind="badge bad").tail = f" {_visible(error.table)}"
        _text(failure, "p", error.reason)
        _text(failure, "p", error.item, kind="quiet")
    _left_out(section, len(summary.errors) - _ERRORS_SHOWN, "failures")


def _charts(body: Element, charts: Iterable[Chart]) -> None:
    drawn = [chart for chart in charts if chart.values]
    if not drawn:
        return
    section = _section(body, "By Date")
    _text(
        section,
        "p",
        "Sums over all apps as they stand now. Dates that this run replaced are in full colour.",
        kind="quiet",
    )
    figures = SubElement(section, "div", {"class": "charts"})
    for chart in drawn:
        _chart(figures, chart)


def _chart(parent: Element, chart: Chart) -> None:
    figure = SubElement(parent, "figure")
    _, newest = chart.values[-1]
    caption = _text(figure, "figcaption", f"{chart.title}: ")
    _text(caption, "span", f"{_number(newest)} on {chart.values[-1][0].isoformat()}")
    svg = SubElement(figure, "svg", viewBox=f"0 0 {_CHART_WIDTH} {_CHART_HEIGHT}", role="img")
    highest = max((value for _, value in chart.values), default=Decimal(0)) or Decimal(1)
    step = _CHART_WIDTH / len(chart.values)
    for number, (day, value) in enumerate(chart.values):
        height = max(float(max(value, Decimal(0)) / highest) * (_CHART_HEIGHT - 2), 1)
        bar = SubElement(
            svg,
            "rect",
            {
                "x": f"{number * step + 1:.1f}",
                "y": f"{_CHART_HEIGHT - height:.1f}",
                "width": f"{max(step - 2, 1):.1f}",
                "height": f"{height:.1f}",
                "class": "restated" if day in chart.restated else "bar",
            },
        )
        _text(bar, "title", f"{day.isoformat()}: {_number(value)}")
    ends = SubElement(figure, "div", {"class": "ends"})
    _text(ends, "span", chart.values[0][0].isoformat())
    _text(ends, "span", chart.values[-1][0].isoformat())


def _grid(body: Element, summary: RunSummary, records: Records) -> None:
    cells = verdict_grid(records)
    tables = sorted({table for _, table in cells})
    apps = sorted(summary.apps, key=_failures_first)
    section = _section(body, "Apps and tables")
    _legend(section)
    scroll = SubElement(section, "div", {"class": "scroll"})
    grid = SubElement(scroll, "table", {"class": "grid"})
    header = SubElement(SubElement(grid, "thead"), "tr")
    for name in ("app", "verdict"):
        _text(header, "th", name)
    for table in tables:
        _text(SubElement(header, "th", {"class": "turned"}), "span", table)
    rows = SubElement(grid, "tbody")
    for app in apps[:_APPS_SHOWN]:
        row = SubElement(rows, "tr")
        _text(row, "th", app.app_id)
        _text(row, "td", app.verdict, kind=_mark(app.verdict)[0]).set("title", app.reason)
        for table in tables:
            _cell(row, table, cells.get((app.app_id, table)))
    _left_out(section, len(apps) - _APPS_SHOWN, "apps, which ended no worse")


def _failures_first(app: AppSummary) -> tuple[bool, bool, str]:
    return not app.verdict.is_failure, app.verdict is not Verdict.NOT_READY, app.app_id


def _cell(row: Element, table: str, word: str | None) -> None:
    if word is None:
        SubElement(row, "td")
        return
    kind, mark = _mark(word)
    _text(row, "td", mark, kind=kind).set("title", f"{table}: {word}")


def _mark(word: str) -> tuple[str, str]:
    """The colour and the letter of a verdict."""
    verdict = Verdict(word)
    return _FAILURE_MARK if verdict.is_failure else _MARKS.get(verdict, _OTHER_MARK)


def _legend(section: Element) -> None:
    legend = SubElement(section, "p", {"class": "legend"})
    for word in (Verdict.VERIFIED, Verdict.UNCHANGED, Verdict.NOT_READY, Verdict.EXPIRED, Verdict.FAILED):
        kind, mark = _mark(word)
        entry = SubElement(legend, "span")
        _text(entry, "b", mark, kind=kind).tail = f" {word}"


def _restatements(body: Element, changes: Sequence[Mapping[str, Any]]) -> None:
    """Dates of which Apple sent a newer file, the largest changes first."""
    restated = [change for change in changes if _is_restatement(change)]
    if not restated:
        return
    section = _section(body, "What Apple replaced")
    _text(section, "p", "Newer files hold these Dates anew; appstore.batches has every app of them.", kind="quiet")
    by_date: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for change in restated:
        by_date[change["table_name"], change["date"]].append(change)
    dates = sorted(
        (
            _Restated(table, day, len(of), _sum(of, "replaced_rows"), _sum(of, "rows"))
            for (table, day), of in by_date.items()
        ),
        key=lambda one: (-abs(one.rows_now - one.rows_before), one.table, one.day),
    )
    rows = (
        (
            one.table,
            one.day,
            f"{one.apps:,}",
            f"{one.rows_before:,}",
            f"{one.rows_now:,}",
            f"{one.rows_now - one.rows_before:+,}",
        )
        for one in dates[:_RESTATEMENTS_SHOWN]
    )
    _table(section, ("table", "Date", "apps", "rows before", "rows now", "change"), rows)
    _left_out(section, len(dates) - _RESTATEMENTS_SHOWN, "Dates")


@dataclass(frozen=True, slots=True)
class _Restated:
    table: str
    day: str
    apps: int
    rows_before: int
    rows_now: int


def _sum(changes: Iterable[Mapping[str, Any]], column: str) -> int:
    return sum(change[column] for change in changes)


def _skipped_dates(body: Element, summary: RunSummary) -> None:
    """A notice, no failure: a Date without rows is how Apple shows a day without use as well."""
    skips = [(table, app, days) for table, apps in summary.skipped_dates.items() for app, days in apps.items()]
    if not skips:
        return
    section = _section(body, "Dates without a row between others")
    note = (
        "A new file has no row of these Dates, and rows before and after them. What older files brought for them "
        "stays. A small app has such days; of a larger one Apple may have skipped the Date."
    )
    _text(section, "p", note, kind="quiet")
    rows = (
        (table, app, _spans(days, tables_by_name()[table].granularity)) for table, app, days in skips[:_SKIPS_SHOWN]
    )
    _table(section, ("table", "app", "Dates"), rows)
    _left_out(section, len(skips) - _SKIPS_SHOWN, "apps and tables")


def _spans(days: Iterable[str], granularity: Granularity) -> str:
    """Dates that follow each other as one span."""
    spans = ((run[0], run[-1]) for run in periods([date.fromisoformat(day) for day in days], granularity))
    return ", ".join(f"{first}" if first == last else f"{first} to {last}" for first, last in spans)


def _timing(body: Element, plan: RunPlan, seconds: float, planned_at: Mapping[MapName, datetime]) -> None:
    """A Map takes from its planning to the planning of the next; what is left is the beginning and this summary."""
    if not planned_at:
        return
    bars = SubElement(_section(body, "Where the time went"), "div", {"class": "timing"})
    times = [*((planned - plan.started_at).total_seconds() for planned in planned_at.values()), seconds]
    for map_name, (start, end) in zip(planned_at, pairwise(times), strict=True):
        spent = max(end - start, 0.0)
        row = SubElement(bars, "div")
        _text(row, "span", map_name.capitalize())
        bar = SubElement(row, "i")
        bar.set("style", f"width:{100 * spent / max(seconds, 1e-3):.1f}%")
        _text(row, "span", _duration(spent))


def _is_restatement(change: Mapping[str, Any]) -> bool:
    return change["replaced_rows"] is not None


def _section(body: Element, title: str) -> Element:
    section = SubElement(body, "section")
    _text(section, "h2", title)
    return section


def _table(section: Element, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    table = SubElement(SubElement(section, "div", {"class": "scroll"}), "table")
    header = SubElement(SubElement(table, "thead"), "tr")
    for column in columns:
        _text(header, "th", column)
    body = SubElement(table, "tbody")
    for row in rows:
        line = SubElement(body, "tr")
        for value in row:
            _text(line, "td", str(value))


def _left_out(section: Element, number: int, what: str) -> None:
    if number > 0:
        _text(section, "p", f"And {number:,} more {what}.", kind="quiet")


def _text(parent: Element, tag: str, text: str, kind: str = "") -> Element:
    element = SubElement(parent, tag, {"class": kind} if kind else {})
    element.text = _visible(text)
    return element


def _visible(text: str) -> str:
    """The text without control characters, which HTML does not know."""
    return "".join(
        character if character.isprintable() or character == "\n" else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def _number(value: Decimal | int | str) -> str:
    number = Decimal(value)
    return f"{number:,.0f}" if number == number.to_integral_value() else f"{number:,.2f}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{seconds:.1f} s"


_STYLE = """
:root { color-scheme: light dark; --ink: #1d2129; --quiet: #667085; --line: #d9dde5; --paper: #fff; --bar: #9db4d6;
  --full: #2f6fd0; --good: #1d7a46; --goodpaper: #e2f4e9; --calm: #667085; --calmpaper: #eef0f4; --wait: #8a6100;
  --waitpaper: #fdf3d7; --late: #b04a00; --latepaper: #fde8d9; --bad: #b3261e; --badpaper: #fbe1df; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ec; --quiet: #98a2b3; --line: #363b45; --paper: #14171c;
  --bar: #3f5472; --full: #6ea8ff; --good: #6fd39b; --goodpaper: #17352a; --calm: #98a2b3; --calmpaper: #23272f;
  --wait: #f0c869; --waitpaper: #3a3018; --late: #ffac70; --latepaper: #42291a; --bad: #ff9a92; --badpaper: #4a211f; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.35rem; margin: 0 0 .25rem; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0; overflow-wrap: anywhere; } .quiet { color: var(--quiet); font-size: .9em; }
.badge { font-size: .8rem; padding: .15rem .6rem; border-radius: 1rem; vertical-align: middle; white-space: nowrap; }
.cause { border-left: 4px solid var(--bad); padding: .25rem .75rem; background: var(--badpaper); }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .5rem; margin: 1rem 0; }
dl div { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .75rem; }
dt { color: var(--quiet); font-size: .8rem; } dd { margin: 0; font-size: 1.15rem; font-variant-numeric: tabular-nums; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 1rem; }
figure { margin: 0; display: flex; flex-direction: column; } figcaption, .ends { font-size: .85rem; }
figcaption { margin-bottom: auto; } figcaption span { white-space: nowrap; }
.ends { display: flex; justify-content: space-between; color: var(--quiet); }
svg { width: 100%; height: auto; display: block; border-bottom: 1px solid var(--line); }
.bar { fill: var(--bar); } .restated { fill: var(--full); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .5rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: bottom;
  white-space: nowrap; }
.scroll > table:not(.grid) :is(th, td):nth-child(n + 3) { text-align: right; }
.failure { border-left: 4px solid var(--bad); padding: .1rem .75rem; margin: .75rem 0; }
.grid tbody th { position: sticky; left: 0; background: var(--paper); font-weight: 500; }
.grid td { text-align: center; }
.turned span { writing-mode: vertical-rl; transform: rotate(180deg); font-weight: 500; }
.good { color: var(--good); background: var(--goodpaper); } .calm { color: var(--calm); background: var(--calmpaper); }
.wait { color: var(--wait); background: var(--waitpaper); } .late { color: var(--late); background: var(--latepaper); }
.bad { color: var(--bad); background: var(--badpaper); }
.legend span { margin-right: 1rem; white-space: nowrap; } .legend b { display: inline-block; width: 1.5em;
  text-align: center; border-radius: .25rem; }
.timing div { display: grid; grid-template-columns: 5rem 1fr 6rem; gap: .5rem; align-items: center; margin: .25rem 0; }
.timing i { display: block; height: .8rem; background: var(--bar); border-radius: .25rem; min-width: 2px; }
"""

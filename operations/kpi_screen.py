"""KPIs on a terminal: a line per series with a small chart, a line per Date for a single series, and the caveats."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console
from rich.text import Text

from appstore_analytics.answers.kpi_catalogue import KpiCatalogue
from appstore_analytics.answers.kpi_comparison import KpiComparison
from appstore_analytics.answers.kpis import BY_APP, KpiAnswer, KpiMeaning, KpiPoint, KpiSeries
from appstore_analytics.model.kpis import DateState
from appstore_analytics.rules.kpis import Value
from operations import screens
from operations.tables import Column

_HEIGHTS = "▁▂▃▄▅▆▇█"
_BAR_CELLS = 24
_WITHOUT = {DateState.NOT_DUE: " "}
"""The characters for a Date without a value in a sparkline; `?` if it should have one."""


def show_kpis(found: KpiAnswer, names: Mapping[str, str], changes: KpiComparison | None = None) -> None:
    """Print the answer: per KPI its series, then each trap once, then the sentence."""
    out = screens.console()
    for meaning in found.kpis:
        series = [one for one in found.series if one.kpi == meaning.name]
        unit = f" ({meaning.unit})" if meaning.unit else ""
        out.print(Text(screens.plain(f"{meaning.title}{unit}"), style="bold"))
        _show_series(out, series, found.by, names, changes)
        if len(series) == 1:
            _show_dates(out, series[0])
        screens.say(out, f"{_bound(meaning)}{meaning.trap}", style="yellow")
        out.print()
    answer = changes or found
    screens.say(out, answer.sentence, style="bold green" if answer.is_good else "bold red")


def show_catalogue(found: KpiCatalogue) -> None:
    """Print every KPI with the dimensions that split it, and the sentence."""
    out = screens.console()
    columns = [Column(heading) for heading in ("name", "title", "value", "by", "needs")]
    rows = [
        (
            kpi.name,
            kpi.title,
            kpi.bound,
            ", ".join(kpi.dimensions),
            "" if kpi.is_deployed else f"not deployed: {', '.join(kpi.tables)}",
        )
        for kpi in found.kpis
    ]
    screens.show_table(out, columns, [[Text(screens.plain(cell)) for cell in row] for row in rows])
    for name, reason in found.not_in_these_reports.items():
        screens.say(out, f"No {name}: {reason}.", style="yellow")
    screens.say(out, found.sentence, style="bold green")


def _bound(meaning: KpiMeaning) -> str:
    return f"{meaning.bound.capitalize()}: " if meaning.bound else ""


def _show_series(
    out: Console,
    series: Sequence[KpiSeries],
    by: str,
    names: Mapping[str, str],
    changes: KpiComparison | None,
) -> None:
    columns = [Column(by or "of"), Column("total", is_number=True), Column("course"), Column("final until")]
    if changes:
        columns += [Column("previous", is_number=True), Column("change", is_number=True)]
    rows = []
    for one in series:
        until = one.complete_until.isoformat() if one.complete_until else "none yet"
        row = [Text(_of(one, by, names)), Text(number_text(one.total)), _course(one.points), Text(until)]
        rows.append(row + (list(_changed(one, changes)) if changes else []))
    screens.show_table(out, columns, rows)


def _of(series: KpiSeries, by: str, names: Mapping[str, str]) -> str:
    app = screens.plain(f"{series.app_id} {names.get(series.app_id, '')}".strip()) or "all apps"
    if by in ("", BY_APP):
        return app
    return screens.plain("(none)" if series.slice is None else series.slice)


def _changed(series: KpiSeries, comparison: KpiComparison) -> Iterator[Text]:
    same = (one for one in comparison.changes if (one.kpi, one.app_id, one.slice) == _identity(series))
    found = next(same)
    yield Text(number_text(found.previous))
    mark = "" if found.is_final else " not final"
    yield Text("" if found.change is None else f"{found.change:+.1%}{mark}")


def _identity(series: KpiSeries) -> tuple[str, str, str | None]:
    return series.kpi, series.app_id, series.slice


def _course(points: Sequence[KpiPoint]) -> Text:
    """A character per Date, as high as its value.

    Dim while preliminary, underlined if a final value was restated, `?` for a missing due value.
    """
    highest = max((float(point.value) for point in points if point.value is not None), default=0.0)
    course = Text()
    for point in points:
        style = "" if point.state in (DateState.FINAL, DateState.ZERO) else "dim"
        style = "underline" if point.restated_on else style
        course.append(_mark(point, highest), style=style)
    return course


def _mark(point: KpiPoint, highest: float) -> str:
    if point.value is None:
        return _WITHOUT.get(point.state, "?")
    if point.state is DateState.ZERO:
        return "_"
    share = float(point.value) / highest if highest > 0 else 0.0
    return _HEIGHTS[max(0, min(len(_HEIGHTS) - 1, round(share * (len(_HEIGHTS) - 1))))]


def _show_dates(out: Console, series: KpiSeries) -> None:
    """A row per Date: its value, a bar, and its state."""
    highest = max((float(point.value) for point in series.points if point.value is not None), default=0.0)
    columns = [Column("Date"), Column("value", is_number=True), Column("bar"), Column("state"), Column("reason")]
    rows = []
    for point in series.points:
        cells = 0 if not point.value or highest <= 0 else max(0, round(float(point.value) / highest * _BAR_CELLS))
        bar = ("█" if point.state is DateState.FINAL else "░") * cells
        row = (point.day.isoformat(), number_text(point.value), bar, _state(point), point.reason)
        rows.append([Text(screens.plain(cell)) for cell in row])
    screens.show_table(out, columns, rows)


def _state(point: KpiPoint) -> str:
    """The state of the number: `final, restated 2026-11-20, was 1,234`."""
    said = [str(point.state)]
    if point.apps_missing:
        said.append(f"{point.apps_missing} apps missing")
    if point.restated_on:
        said.append(f"restated {point.restated_on}")
    if point.restated_from is not None:
        said.append(f"was {number_text(point.restated_from)}")
    return ", ".join(said)


def number_text(value: Value | None) -> str:
    """A value with thousands separators and at most four decimals; a dash if there is none, which is not zero."""
    if value is None:
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.4f}".rstrip("0").rstrip(".")

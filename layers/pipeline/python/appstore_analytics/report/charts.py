"""Charts of the page: one KPI with a bar per Date, as SVG."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from xml.etree.ElementTree import Element, SubElement

from appstore_analytics.report.elements import add_section, add_text, number_text

_CHART_WIDTH, _CHART_HEIGHT = 320, 96
_WEEK = 7
_NOTE = (
    "All apps together, as it is in the tables now. Dates that this run replaced are in full colour. Hatched Dates are "
    "preliminary: by its own rule Apple still adds rows to them. A Date without a bar has no rows."
)


@dataclass(frozen=True, slots=True)
class Week:
    """Seven Dates, and the seven before them: the same weekdays, so that a weekend is not compared with working days.

    `before` is None if one of the earlier Dates has no number, or is preliminary.
    """

    last: date
    total: Decimal
    before: Decimal | None


@dataclass(frozen=True, slots=True)
class Chart:
    """A KPI of all apps together, by Date, oldest first, without a gap between the Dates; None is no number.

    `restated` are the Dates that this run replaced. `preliminary` are Dates that, by Apple's own rule, are not complete
    for at least one app: their numbers still grow. `not_built` counts the Dates whose KPIs are not built yet.
    """

    title: str
    unit: str
    trap: str
    values: tuple[tuple[date, Decimal | None], ...]
    restated: frozenset[date] = frozenset()
    preliminary: frozenset[date] = frozenset()
    not_built: int = 0

    @property
    def week(self) -> Week | None:
        """The newest seven final Dates; None as long as there are not seven in a row."""
        final = [None if day in self.preliminary else value for day, value in self.values]
        for end in range(len(final), _WEEK - 1, -1):
            total = _sum(final[end - _WEEK : end])
            if total is not None:
                before = _sum(final[max(end - 2 * _WEEK, 0) : end - _WEEK])
                return Week(self.values[end - 1][0], total, before if end >= 2 * _WEEK else None)
        return None

    @property
    def newest(self) -> tuple[date, Decimal]:
        """The newest final Date with a number; if none is final, the newest with a number."""
        known = [(day, value) for day, value in self.values if value is not None]
        return ([each for each in known if each[0] not in self.preliminary] or known)[-1]

    @property
    def headline(self) -> tuple[str, ...]:
        """The number to read first: a week beside the week before, or one Date as long as there is no week."""
        if (week := self.week) is None:
            return (_shown(self, *self.newest),)
        total = f"{self._amount(week.total)} in the 7 Dates to {week.last.isoformat()}"
        if not week.before:
            return (total,)
        return total, f"{(week.total / week.before - 1) * 100:+,.1f} % on the 7 before"

    def _amount(self, value: Decimal) -> str:
        return f"{number_text(value)}{f' {self.unit}' if self.unit else ''}"


def add_charts(body: Element, charts: Iterable[Chart]) -> None:
    """Add the section with these charts. A chart without values, or a section without charts, is left out."""
    drawn = [chart for chart in charts if any(value is not None for _, value in chart.values)]
    if not drawn:
        return
    section = add_section(body, "By Date")
    add_text(section, "p", _NOTE, kind="quiet")
    if not_built := max(chart.not_built for chart in drawn):
        dates = "1 Date" if not_built == 1 else f"{not_built} Dates"
        add_text(section, "p", f"KPIs not built yet for {dates}: the daily runs build them.", kind="quiet")
    _hatches(section)
    figures = SubElement(section, "div", {"class": "charts"})
    for chart in drawn:
        _chart(figures, chart)


def _hatches(section: Element) -> None:
    """The fills of preliminary Dates, which the style names; one that this run replaced has the full colour."""
    svg = SubElement(section, "svg", {"class": "hatches", "width": "0", "height": "0", "aria-hidden": "true"})
    for name in ("bar", "restated"):
        size = {"id": f"{name}-hatch", "width": "5", "height": "5"}
        placed = {"patternUnits": "userSpaceOnUse", "patternTransform": "rotate(45)"}
        pattern = SubElement(svg, "pattern", {**size, **placed})
        SubElement(pattern, "rect", {"class": f"{name} ground", "width": "5", "height": "5"})
        SubElement(pattern, "rect", {"class": name, "width": "2", "height": "5"})


def _chart(parent: Element, chart: Chart) -> None:
    figure = SubElement(parent, "figure")
    caption = SubElement(figure, "figcaption")
    add_text(caption, "b", f"{chart.title}: ")
    for part in chart.headline:
        add_text(caption, "span", part).tail = ", " if part != chart.headline[-1] else ""
    if chart.trap:
        add_text(caption, "small", chart.trap)
    label = f"{chart.title} by Date, {', '.join(chart.headline)}"
    svg = SubElement(figure, "svg", {"viewBox": f"0 0 {_CHART_WIDTH} {_CHART_HEIGHT}", "role": "img"})
    svg.set("aria-label", label)
    highest = max((value for _, value in chart.values if value is not None), default=Decimal(0)) or Decimal(1)
    step = _CHART_WIDTH / len(chart.values)
    for number, (day, value) in enumerate(chart.values):
        if value is None:
            continue
        height = max(float(max(value, Decimal(0)) / highest) * (_CHART_HEIGHT - 2), 1)
        bar = SubElement(
            svg,
            "rect",
            {
                "x": f"{number * step + 1:.1f}",
                "y": f"{_CHART_HEIGHT - height:.1f}",
                "width": f"{max(step - 2, 1):.1f}",
                "height": f"{height:.1f}",
                "class": _kind(chart, day),
            },
        )
        add_text(bar, "title", _shown(chart, day, value))
    ends = SubElement(figure, "div", {"class": "ends"})
    add_text(ends, "span", chart.values[0][0].isoformat())
    add_text(ends, "span", chart.values[-1][0].isoformat())


def _kind(chart: Chart, day: date) -> str:
    kind = "restated" if day in chart.restated else "bar"
    return f"{kind} preliminary" if day in chart.preliminary else kind


def _shown(chart: Chart, day: date, value: Decimal) -> str:
    unit = f" {chart.unit}" if chart.unit else ""
    return f"{number_text(value)}{unit} on {day:%A} {day.isoformat()}{_told(chart, day)}"


def _told(chart: Chart, day: date) -> str:
    return ", preliminary" if day in chart.preliminary else ""


def _sum(values: list[Decimal | None]) -> Decimal | None:
    """The sum; None if a number is missing."""
    known = [value for value in values if value is not None]
    return sum(known, Decimal()) if len(known) == len(values) else None

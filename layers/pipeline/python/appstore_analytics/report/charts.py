"""Charts of the page: one measure with a bar per Date, as SVG."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from xml.etree.ElementTree import Element, SubElement

from appstore_analytics.report.elements import add_section, add_text, number_text

_CHART_WIDTH, _CHART_HEIGHT = 320, 96


@dataclass(frozen=True, slots=True)
class Chart:
    """A measure summed over all apps, by Date, oldest first.

    `restated` are the Dates that this run replaced. `incomplete` are Dates that, by Apple's own rule, are not complete
    for at least one app: their numbers still grow.
    """

    title: str
    values: tuple[tuple[date, Decimal], ...]
    restated: frozenset[date]
    incomplete: frozenset[date] = frozenset()

    @property
    def newest(self) -> tuple[date, Decimal]:
        """The newest complete Date and its value; if none is complete, the newest Date."""
        complete = [each for each in self.values if each[0] not in self.incomplete]
        return (complete or list(self.values))[-1]


def add_charts(body: Element, charts: Iterable[Chart]) -> None:
    """Add the section with these charts. A chart without values, or a section without charts, is left out."""
    drawn = [chart for chart in charts if chart.values]
    if not drawn:
        return
    section = add_section(body, "By Date")
    add_text(
        section,
        "p",
        "Sums over all apps as they are in the tables now. Dates that this run replaced are in full colour. Pale Dates "
        "are incomplete: by its own rule Apple still adds rows to them.",
        kind="quiet",
    )
    figures = SubElement(section, "div", {"class": "charts"})
    for chart in drawn:
        _chart(figures, chart)


def _chart(parent: Element, chart: Chart) -> None:
    figure = SubElement(parent, "figure")
    caption = add_text(figure, "figcaption", f"{chart.title}: ")
    add_text(caption, "span", _shown(chart, *chart.newest))
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
                "class": _kind(chart, day),
            },
        )
        add_text(bar, "title", _shown(chart, day, value))
    ends = SubElement(figure, "div", {"class": "ends"})
    add_text(ends, "span", chart.values[0][0].isoformat())
    add_text(ends, "span", chart.values[-1][0].isoformat())


def _kind(chart: Chart, day: date) -> str:
    kind = "restated" if day in chart.restated else "bar"
    return f"{kind} incomplete" if day in chart.incomplete else kind


def _shown(chart: Chart, day: date, value: Decimal) -> str:
    return f"{number_text(value)} on {day.isoformat()}{', incomplete' if day in chart.incomplete else ''}"

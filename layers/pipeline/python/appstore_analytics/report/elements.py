"""The elements of a run's page."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from xml.etree.ElementTree import Element, SubElement


def add_section(body: Element, title: str) -> Element:
    """Add a section under this heading."""
    section = SubElement(body, "section")
    add_text(section, "h2", title)
    return section


def add_table(section: Element, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Add a table that scrolls sideways if it is too wide."""
    table = SubElement(SubElement(section, "div", {"class": "scroll"}), "table")
    header = SubElement(SubElement(table, "thead"), "tr")
    for column in columns:
        add_text(header, "th", column)
    body = SubElement(table, "tbody")
    for row in rows:
        line = SubElement(body, "tr")
        for value in row:
            add_text(line, "td", str(value))


def add_left_out(section: Element, number: int, what: str) -> None:
    """Add the number of entries of a long list that are not shown; nothing if all are shown."""
    if number > 0:
        add_text(section, "p", f"And {number:,} more {what}.", kind="quiet")


def add_text(parent: Element, tag: str, text: str, kind: str = "") -> Element:
    """Add an element with this text, whose class is `kind`."""
    element = SubElement(parent, tag, {"class": kind} if kind else {})
    element.text = visible(text)
    return element


def visible(text: str) -> str:
    """The text without control characters, which HTML does not allow."""
    return "".join(
        character if character.isprintable() or character == "\n" else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def number_text(value: Decimal | int | str) -> str:
    """A number with thousands separators, and two decimals unless it is whole."""
    number = Decimal(value)
    return f"{number:,.0f}" if number == number.to_integral_value() else f"{number:,.2f}"


def duration_text(seconds: float) -> str:
    """A duration in seconds as text: `2 h 05 min`, `3 min 20 s`, `4.5 s`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{seconds:.1f} s"

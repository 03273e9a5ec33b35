"""The elements of a run's page and of the list of runs."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from xml.etree.ElementTree import Element, SubElement, tostring

from appstore_analytics.report.style import STYLE

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_COLUMNS_OF_A_PHONE = 3


def add_section(body: Element, title: str) -> Element:
    """Add a section under this heading."""
    section = SubElement(body, "section")
    add_text(section, "h2", title)
    return section


def add_table(
    section: Element, caption: str, columns: Sequence[str], rows: Iterable[Sequence[object]], kind: str = ""
) -> None:
    """Add a table. The first cell of a row is its heading; of the `numbers` kind are those from the third column on."""
    body = add_head(section, caption, columns, kind=kind)
    for name, *values in rows:
        line = SubElement(body, "tr")
        add_text(line, "th", str(name)).set("scope", "row")
        for value in values:
            add_text(line, "td", str(value))


def add_head(
    section: Element, caption: str, columns: Sequence[str], *, kind: str = "", turned: Iterable[str] = ()
) -> Element:
    """Add a table with its caption and the heads of its columns; the answer is its body.

    A table that is too wide scrolls sideways, also by keyboard. Its right edge fades out as long as there is more, and
    on a phone a line above it says so; one of `few` columns breaks its lines instead. `turned` are the heads of narrow
    columns, added after the others.
    """
    turned = tuple(turned)
    if len(columns) + len(turned) > _COLUMNS_OF_A_PHONE:
        add_text(section, "p", "The table scrolls sideways \N{RIGHTWARDS ARROW}", kind="sideways")
    else:
        kind = kind or "few"
    scroll = SubElement(section, "div", {"class": "scroll", "tabindex": "0", "role": "region", "aria-label": caption})
    table = SubElement(scroll, "table", {"class": kind} if kind else {})
    add_text(table, "caption", caption)
    header = SubElement(SubElement(table, "thead"), "tr")
    for column in columns:
        add_text(header, "th", column).set("scope", "col")
    for column in turned:
        add_text(SubElement(header, "th", {"class": "turned", "scope": "col"}), "span", column)
    return SubElement(table, "tbody")


def add_left_out(section: Element, number: int, what: str) -> None:
    """Add the number of entries of a long list that are not shown; nothing if all are shown."""
    if number > 0:
        add_text(section, "p", f"And {number:,} more {what}.", kind="quiet")


def add_text(parent: Element, tag: str, text: str, kind: str = "") -> Element:
    """Add an element with this text, whose class is `kind`."""
    element = SubElement(parent, tag, {"class": kind} if kind else {})
    element.text = visible(text)
    return element


def add_link(parent: Element, text: str, address: str, kind: str = "") -> Element:
    """Add a link, or the text alone without an address. A browser does not send the page's own address along."""
    if not address:
        return add_text(parent, "span", text, kind)
    link = add_text(parent, "a", text, kind)
    link.set("href", address)
    link.set("rel", "noreferrer")
    return link


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


def add_document(title: str) -> tuple[Element, Element]:
    """A page that needs nothing else, runs nothing and tells no other page where it came from; and its body."""
    page = Element("html", lang="en")
    head = SubElement(page, "head")
    SubElement(head, "meta", charset="utf-8")
    SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    SubElement(head, "meta", name="referrer", content="no-referrer")
    SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": _POLICY})
    add_text(head, "title", title)
    add_text(head, "style", STYLE)
    return page, SubElement(page, "body")


def markup_of(page: Element) -> bytes:
    """The page as UTF-8 HTML."""
    markup: str = tostring(page, encoding="unicode", method="html")
    return f"<!doctype html>\n{markup}\n".encode()

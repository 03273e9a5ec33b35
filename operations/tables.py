"""A table that is readable at any width: columns that do not fit are shown below their row.

Nothing is cut off and no cell is folded, so that an id or a date can be copied from any terminal.
"""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

_GAP = "  "
_INDENT = "    "
_BETWEEN = " · "


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading, and whether its cells are numbers, which are right-aligned."""

    heading: str
    is_number: bool = False


def table_lines(columns: Sequence[Column], rows: Sequence[Sequence[Text]], width: int | None) -> Iterator[Text]:
    """The lines of a table in `width` characters; without a width every row is one line."""
    widths = [_width(index, column, rows) for index, column in enumerate(columns)]
    beside = _beside(widths, width)
    yield from _head([columns[index] for index in beside], [widths[index] for index in beside])
    for row in rows:
        cells = (_aligned(row[index], columns[index], widths[index]) for index in beside)
        yield _line(cells)
        below = [(columns[index].heading, row[index]) for index in range(len(columns)) if index not in beside]
        yield from _below([(heading, cell) for heading, cell in below if cell.plain], width)


def _width(index: int, column: Column, rows: Sequence[Sequence[Text]]) -> int:
    """The width of the widest cell; a heading is folded between its words."""
    return max(cell_len(text) for text in (*column.heading.split(), *(row[index].plain for row in rows)))


def _beside(widths: Sequence[int], width: int | None) -> list[int]:
    """The columns that fit next to each other: the first, then the others in order while there is room."""
    beside, used = [0], widths[0]
    for index, needed in enumerate(widths[1:], start=1):
        if width is None or used + len(_GAP) + needed <= width:
            beside.append(index)
            used += len(_GAP) + needed
    return beside


def _head(columns: Sequence[Column], widths: Sequence[int]) -> Iterator[Text]:
    """The headings, folded between words and aligned at the bottom."""
    folded = [textwrap.wrap(column.heading, width) for column, width in zip(columns, widths, strict=True)]
    height = max(map(len, folded))
    for line in zip(*([""] * (height - len(words)) + words for words in folded), strict=True):
        cells = [_aligned(Text(word), column, width) for word, column, width in zip(line, columns, widths, strict=True)]
        yield Text(_line(cells).plain, style="bold")
    yield Text("─" * (sum(widths) + len(_GAP) * (len(widths) - 1)), style="dim")


def _aligned(cell: Text, column: Column, width: int) -> Text:
    room = " " * (width - cell_len(cell.plain))
    return Text.assemble(room, cell) if column.is_number else Text.assemble(cell, room)


def _line(cells: Iterable[Text]) -> Text:
    line = Text(_GAP).join(cells)
    line.rstrip()
    return line


def _below(cells: Sequence[tuple[str, Text]], width: int | None) -> Iterator[Text]:
    """The cells that did not fit, by heading."""
    words = _BETWEEN.join(f"{heading}: {cell.plain}" for heading, cell in cells)
    for line in textwrap.wrap(
        words,
        max(width or 0, len(_INDENT) + 1),
        initial_indent=_INDENT,
        subsequent_indent=_INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    ):
        yield Text(line, style="dim")

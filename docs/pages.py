"""Shared by the generated pages: their folder and the format of a table's row."""

import re
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def row(*cells: str) -> Iterator[str]:
    """One line of a Markdown table; a bar inside a cell is escaped."""
    yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading: `App Sessions (core)` → `app-sessions-core`."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")

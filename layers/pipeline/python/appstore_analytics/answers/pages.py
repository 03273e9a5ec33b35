"""Pages of a list that is built again for each question: the page begins at a cursor."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from appstore_analytics.answers.errors import Refused

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Page:
    """The requested page: its number of rows, and the cursor that another page gave."""

    limit: int
    cursor: str = ""

    @property
    def offset(self) -> int:
        """The index of the first row; Refused for an invalid cursor."""
        if not self.cursor:
            return 0
        try:
            return int(base64.urlsafe_b64decode(self.cursor + "=" * (-len(self.cursor) % 4)).decode())
        except (binascii.Error, ValueError):
            raise Refused("cursor must be the next or previous of another page.") from None


@dataclass(frozen=True, slots=True)
class Cut(Generic[_T]):
    """The rows of one page, the index of the first, and the cursors of the pages before and after; or empty."""

    rows: Sequence[_T]
    offset: int
    next: str
    previous: str


def cut(rows: Sequence[_T], page: Page) -> Cut[_T]:
    """One page of these rows; empty beyond the last row."""
    offset = max(page.offset, 0)
    end = offset + page.limit
    return Cut(
        rows[offset:end],
        offset,
        _cursor(end) if end < len(rows) else "",
        _cursor(max(offset - page.limit, 0)) if offset else "",
    )


def _cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(str(offset).encode()).decode().rstrip("=")

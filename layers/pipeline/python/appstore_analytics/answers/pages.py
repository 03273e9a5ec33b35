"""Pages of a list that is made anew for each question: a cursor says where the page begins."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from appstore_analytics.answers.errors import Refused

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Page:
    """Which page is asked for: so many rows, from where the cursor of another page points."""

    limit: int
    cursor: str = ""

    @property
    def offset(self) -> int:
        """Where it begins; Refused where the cursor is none of ours."""
        if not self.cursor:
            return 0
        try:
            return int(base64.urlsafe_b64decode(self.cursor + "=" * (-len(self.cursor) % 4)).decode())
        except (binascii.Error, ValueError):
            raise Refused("cursor must be the next or previous of another page.") from None


@dataclass(frozen=True, slots=True)
class Cut(Generic[_T]):
    """The rows of one page, where it begins, and the cursors of the pages beside it; empty where there is none."""

    rows: Sequence[_T]
    offset: int
    next: str
    previous: str


def cut(rows: Sequence[_T], page: Page) -> Cut[_T]:
    """One page of these rows; one behind their end is empty."""
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

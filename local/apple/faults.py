"""Faults on demand: what can go wrong at Apple, selected by route, number of times and probability.

A person injects them with curl (docs/reliability.md), a test with `world.faults.order(Fault(…))`.
What each kind affects:

    any call       status (401, 403, 404, 409, 429, 5xx), delay, reset, truncated_body, redirect; token_expired
    POST           ghost: 409 for a report request that no list shows
    a list         self_link, duplicate
    a link         expired_url, foreign_host, wrong_checksum, wrong_size
    a file         corrupt_gzip, gzip_bomb, header_renamed, header_added, header_removed, header_reordered, short_row,
                   us_dates, other_app, date_skipped
"""

import random
import re
import threading
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice


class ResetError(Exception):
    """The connection ends without an answer: the transport turns it into a reset."""


class FaultKind(StrEnum):
    """What goes wrong."""

    STATUS = "status"
    DELAY = "delay"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 (a fault's name)
    RESET = "reset"
    TRUNCATED_BODY = "truncated_body"
    REDIRECT = "redirect"
    GHOST = "ghost"
    SELF_LINK = "self_link"
    DUPLICATE = "duplicate"
    WRONG_CHECKSUM = "wrong_checksum"
    WRONG_SIZE = "wrong_size"
    FOREIGN_HOST = "foreign_host"
    EXPIRED_URL = "expired_url"
    CORRUPT_GZIP = "corrupt_gzip"
    GZIP_BOMB = "gzip_bomb"
    HEADER_RENAMED = "header_renamed"
    HEADER_ADDED = "header_added"
    HEADER_REMOVED = "header_removed"
    HEADER_REORDERED = "header_reordered"
    SHORT_ROW = "short_row"
    US_DATES = "us_dates"
    OTHER_APP = "other_app"
    DATE_SKIPPED = "date_skipped"


ARRIVING_KINDS = frozenset({FaultKind.DELAY, FaultKind.TOKEN_EXPIRED})
"""Faults before a call is answered: it waits, or its token is expired for this call and every later one."""


ENDING_KINDS = frozenset(
    {
        FaultKind.STATUS,
        FaultKind.RESET,
        FaultKind.TRUNCATED_BODY,
        FaultKind.REDIRECT,
        FaultKind.GHOST,
    }
)
"""Faults that determine how one HTTP answer ends, on any route. One call gets one of them, in the order in which they
were injected."""

LIST_KINDS = frozenset({FaultKind.SELF_LINK, FaultKind.DUPLICATE})
"""Faults of a page: `links.next` is the page itself; the first entry appears twice."""

LINK_KINDS = frozenset({FaultKind.WRONG_CHECKSUM, FaultKind.WRONG_SIZE, FaultKind.FOREIGN_HOST, FaultKind.EXPIRED_URL})
"""Faults in the entries of a segments list, whose file is correct."""

FILE_KINDS = frozenset(FaultKind) - ARRIVING_KINDS - ENDING_KINDS - LIST_KINDS - LINK_KINDS
"""Faults inside the files that a segments list links to; checksum and size match the faulty file."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: `route` is a regular expression on "METHOD path"; `times` None means always.

    Faults of files and links are defined for the segments list (`GET /v1/analyticsReportInstances/.*/segments`).
    `app_id`, `report` and `processing_date` ("" = any) narrow it to answers about these. `code` is Apple's error code;
    "" is the usual one of the status. `status` 429 can have `retry_after_seconds`, and `minute_header` replaces the
    hour in `X-Rate-Limit` with the minute. `after_effect`: the work is done, and only the answer is lost (status,
    reset). `column` is the header that header faults touch; "" chooses the first measure. `seconds` is the length of a
    delay; beyond the client's time-out it is a time-out, but the work is done nevertheless.
    """

    kind: FaultKind
    route: str = ".*"
    times: int | None = 1
    probability: float = 1.0
    app_id: str = ""
    report: str = ""
    processing_date: str = ""
    status: int = 503
    code: str = ""
    retry_after_seconds: int | None = None
    minute_header: bool = False
    after_effect: bool = False
    seconds: float = 0.0
    column: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """The subject of a call, if its path shows it."""

    route: str
    app_id: str = ""
    report: str = ""
    processing_date: str = ""


@dataclass(slots=True)
class _Ordered:
    fault: Fault
    left: int | None
    met: int = 0


@dataclass
class Faults:
    """The faults that are currently injected. Thread safe."""

    seed: int
    _ordered: list[_Ordered] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 (a reproducible simulation)

    def order(self, fault: Fault) -> None:
        """Inject the fault from now on, `times` times. An unreadable `route` is a re.error."""
        re.compile(fault.route)
        with self._lock:
            self._ordered.append(_Ordered(fault, fault.times))

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._ordered.clear()

    def ordered(self) -> list[tuple[Fault, int]]:
        """Every fault, with the number of times it has happened."""
        with self._lock:
            return [(each.fault, each.met) for each in self._ordered]

    def take(self, target: Target, kinds: Collection[FaultKind], at_most: int | None = None) -> list[Fault]:
        """The faults of these kinds that happen to this call, oldest first; each is counted as one of its times."""
        with self._lock:
            meeting = (each for each in self._ordered if each.fault.kind in kinds and self._meets(each, target))
            met = list(islice(meeting, at_most))
            for each in met:
                each.met += 1
                each.left = None if each.left is None else each.left - 1
            return [each.fault for each in met]

    def _meets(self, ordered: _Ordered, target: Target) -> bool:
        fault = ordered.fault
        return (
            ordered.left != 0
            and fault.app_id in ("", target.app_id)
            and fault.report in ("", target.report)
            and fault.processing_date in ("", target.processing_date)
            and re.search(fault.route, target.route) is not None
            and (fault.probability >= 1.0 or self._random.random() < fault.probability)
        )

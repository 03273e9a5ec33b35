"""What needs somebody, one line per app, table and cause: who does what about it, and until when that helps."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from appstore_analytics.rules.date_verdicts import DateVerdict


@dataclass(frozen=True, slots=True)
class RepairRun:
    """A run that repairs it: the operation and its arguments, as a plan takes them."""

    operation: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Attention:
    """One thing that is not well. Without a `table_name` it is about the whole app.

    `first` and `last` are the Dates that are missing, `dates` how many. It is so `since` then, and Apple keeps what
    repairs it until `kept_until`. `ruled_out` are the causes that were looked at and are not it. `repair` is None where
    no run repairs it, or the next daily one does by itself; `docs` is the place in the documentation.
    """

    verdict: DateVerdict
    account: str
    app_id: str
    app_name: str
    table_name: str
    reason: str
    ruled_out: tuple[str, ...]
    who: str
    do: str
    since: date | None
    first: date | None
    last: date | None
    dates: int
    kept_until: date | None
    repair: RepairRun | None
    run_id: str
    docs: str

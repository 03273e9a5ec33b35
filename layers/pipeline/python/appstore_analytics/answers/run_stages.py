"""The progress of a run: its stages, its proof, the Dates that Apple replaced, and its apps × tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from appstore_analytics.answers.facts import counted
from appstore_analytics.contract.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class StageWait:
    """The run did nothing else from `since` to `until`, because it waited for something."""

    waits_for: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Stage:
    """One Map of the run, `name` in lower case. `state` is waiting, running or done; `total` counts `unit`s.

    `started_at` is when its items were planned, `ended_at` when the next Map's were, or the run ended.
    """

    name: str
    state: str
    unit: str
    total: int
    done: int
    failed: int
    started_at: datetime | None
    ended_at: datetime | None
    waits: tuple[StageWait, ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """Two pairs that must be equal. Numbers of different pairs must not be compared.

    A run's files hold a part of a Date: `rows_raw` less `rows_dropped`, of Dates that were not requested, equals
    `rows_converted`. Athena is queried for whole Dates: `rows_published` equals `rows_athena` once Verify is done.
    """

    rows_raw: int
    rows_dropped: int
    rows_converted: int
    rows_published: int
    rows_athena: int
    dates_published: int


@dataclass(frozen=True, slots=True)
class RunCalls:
    """Calls to Apple: of this run, and in the rolling hour of all keys together. Some become available again at
    `more_at`."""

    made: int
    used_this_hour: int
    per_hour: int
    left: int
    more_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReplacedDate:
    """One Date of one table that the run wrote again. `was_final`: Apple corrected it after it was complete.

    `sums_before` and `sums_now` are the exact sums of the additive measures, as text.
    """

    table_name: str
    day: date
    apps: int
    rows_before: int
    rows_now: int
    sums_before: Mapping[str, str]
    sums_now: Mapping[str, str]
    was_final: bool


@dataclass(frozen=True, slots=True)
class RunApp:
    """One app in a run. `cells` are in the order of the answer's tables; None if the run did not process the table."""

    app_id: str
    app_name: str
    account: str
    verdict: Verdict
    reason: str
    cells: tuple[Verdict | None, ...]


@dataclass(frozen=True, slots=True)
class RunItems:
    """The apps × tables of a run, failures first. `exceptions` counts the apps that ended worse than most."""

    run_id: str
    tables: tuple[str, ...]
    total: int
    exceptions: int
    offset: int
    apps: tuple[RunApp, ...]
    next: str = ""
    previous: str = ""

    @property
    def is_good(self) -> bool:
        """Whether none of these apps failed."""
        return not any(app.verdict.is_failure for app in self.apps)

    @property
    def sentence(self) -> str:
        """The number of apps, and of those without an exception."""
        rest = self.total - self.exceptions
        return f"{counted(self.exceptions, 'app')} of {self.total:,} to look at; the other {rest:,} have no exception."

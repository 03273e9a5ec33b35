"""How far a run has come: its stages, what it proves, what Apple replaced, and its apps × tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from appstore_analytics.answers.facts import counted
from appstore_analytics.contract.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class StageWait:
    """The run did nothing else from `since` to `until`, because something was not ready."""

    waits_for: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Stage:
    """One Map of the run, `name` in small letters. `state` is waiting, running or done; `unit` is what `total` counts.

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
    """Two pairs that must be equal, never to be compared crosswise.

    A run's files are a part of a Date: `rows_raw` less `rows_dropped`, of Dates that were not asked for, are
    `rows_converted`. Athena is asked for whole Dates: `rows_published` are `rows_athena` once Verify is done.
    """

    rows_raw: int
    rows_dropped: int
    rows_converted: int
    rows_published: int
    rows_athena: int
    dates_published: int


@dataclass(frozen=True, slots=True)
class RunCalls:
    """Calls to Apple: of this run, and of the rolling hour of all keys together. `more_at`: when some come back."""

    made: int
    used_this_hour: int
    per_hour: int
    left: int
    more_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReplacedDate:
    """One Date of one table that the run wrote anew; `was_final`: Apple corrected it after it was complete.

    `sums_before` and `sums_now` are of the additive measures, exact, as text.
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
    """One app in a run. `cells` are in the order of the answer's tables; None where the run has nothing of it."""

    app_id: str
    app_name: str
    account: str
    verdict: Verdict
    reason: str
    cells: tuple[Verdict | None, ...]


@dataclass(frozen=True, slots=True)
class RunItems:
    """The apps of a run × tables, failures first. `exceptions` is how many apps ended worse than most."""

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
        """How many apps, and how many are no exception."""
        rest = self.total - self.exceptions
        return f"{counted(self.exceptions, 'app')} of {self.total:,} to look at; the other {rest:,} are no exception."

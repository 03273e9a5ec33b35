"""The facts about runs: a line for each, or one run with its stages, failures and proof."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from appstore_analytics.answers.executions import RUNNING
from appstore_analytics.answers.facts import counted
from appstore_analytics.answers.repair_runs import RepairRun
from appstore_analytics.answers.run_stages import Proof, ReplacedDate, RunCalls, Stage
from appstore_analytics.contract.operations import UNKNOWN_STARTER

SUCCEEDED, FAILED = "SUCCEEDED", "FAILED"


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run. Without a run report (`operation` empty) its input was refused, or it has not ended.

    `files` counts Apple's instances that it converted or tried to convert. `waited_seconds` is the time it waited for
    Apple or for its call budget. `worst_verdict` is the worst verdict of its apps. `share` is the completed share of a
    run that is under way, from 0 to 1.
    """

    run_id: str
    operation: str
    status: str
    started_at: datetime
    seconds: float | None = None
    apps: int | None = None
    apps_failed: int | None = None
    rows_raw: int | None = None
    dates_published: int | None = None
    apple_calls: int | None = None
    started_by: str = UNKNOWN_STARTER
    cause: str = ""
    files: int | None = None
    waited_seconds: float | None = None
    worst_verdict: str = ""
    share: float | None = None


@dataclass(frozen=True, slots=True)
class RunList:
    """The newest runs, newest first, or a page of them.

    `total` counts the runs that match the search. `counts` covers all runs that are listed: `all`, `failed` and each
    operation. `next_run_at` is the schedule's next start; None if there is no schedule or its next start is unknown.
    """

    runs: tuple[RunLine, ...]
    total: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    next_run_at: datetime | None = None
    next: str = ""
    previous: str = ""

    @property
    def is_good(self) -> bool:
        """Whether the newest run that has ended succeeded."""
        return self._newest_ended is None or self._newest_ended.status == SUCCEEDED

    @property
    def sentence(self) -> str:
        """The status of the newest run."""
        if not self.runs:
            return "No run yet: start one with ./manage.py daily."
        running = sum(run.status == RUNNING for run in self.runs)
        ended = self._newest_ended
        how = f"The newest run that has ended {ended.status}." if ended else "None has ended yet."
        return f"{how} {counted(running, 'run')} under way." if running else how

    @property
    def _newest_ended(self) -> RunLine | None:
        return next((run for run in self.runs if run.status != RUNNING), None)


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """The number of apps that ended with a verdict, and their ids with names (at most twenty)."""

    verdict: str
    apps: int
    app_ids: str


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """One item that failed. `reason` ends with the next step; `repair` is None if no run can repair it."""

    item: str
    table: str
    verdict: str
    reason: str
    app_name: str = ""
    app_id: str = ""
    repair: RepairRun | None = None
    docs: str = ""


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """One sentence about something that did not fail but that people should know."""

    notice: str


@dataclass(frozen=True, slots=True)
class Links:
    """Links to the details: the run report and its page, the execution, and its page in the AWS console."""

    report: str = ""
    page: str = ""
    execution: str = ""
    console: str = ""


@dataclass(frozen=True, slots=True)
class RunDetails:
    """One run: its report. `totals` are the report's numbers, by their names there.

    `judged_on` is the day for which it decided what is due. While it is under way, `verdicts` and `errors` cover the
    items that have ended.
    """

    run_id: str
    operation: str
    status: str
    started_at: datetime
    started_by: str = UNKNOWN_STARTER
    judged_on: str = ""
    seconds: float | None = None
    cause: str = ""
    links: Links = Links()
    apps: int | None = None
    apps_failed: int | None = None
    stages: tuple[Stage, ...] = ()
    proof: Proof | None = None
    calls: RunCalls | None = None
    totals: Mapping[str, int] | None = None
    unknown_columns: Mapping[str, list[str]] | None = None
    missing_columns: Mapping[str, list[str]] | None = None
    skipped_dates: Mapping[str, Mapping[str, list[str]]] | None = None
    notices: tuple[NoticeLine, ...] = ()
    verdicts: tuple[VerdictLine, ...] = ()
    errors: tuple[ErrorLine, ...] = ()
    replaced: tuple[ReplacedDate, ...] = ()

    @property
    def is_good(self) -> bool:
        """Whether it succeeded, or is still running."""
        return self.status in (SUCCEEDED, RUNNING)

    @property
    def sentence(self) -> str:
        """Its status in one sentence."""
        if self.status == RUNNING:
            waits = f"It {self.cause}. " if self.cause else ""
            return f"Under way: ./manage.py run {self.run_id} --follow. {waits}".strip()
        return self.cause or f"{self.status} in {self.seconds or 0:.0f} s."

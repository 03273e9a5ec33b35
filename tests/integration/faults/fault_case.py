"""One of Apple's faults as data: the fault to simulate, and the expected result."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from appstore_analytics.contract.errors import (
    PipelineError,
)
from appstore_analytics.contract.schema_modes import SchemaMode
from appstore_analytics.contract.verdicts import Verdict
from local.apple.faults import Fault, FaultKind

HURT = "1000000001"

CREATE = "^POST /v1/analyticsReportRequests$"
REQUESTS = "^GET /v1/apps/.*/analyticsReportRequests"
REPORTS = "^GET /v1/analyticsReportRequests/.*/reports"
INSTANCES = "^GET /v1/analyticsReports/.*/instances"
SEGMENTS = "^GET /v1/analyticsReportInstances/.*/segments"
FILES = "^GET /segments/"

ALWAYS = None
MIDDLE_OF_THE_MONTH = date(2025, 6, 18)
BEGINNING_OF_THE_MONTH = date(2025, 6, 5)


class Healing(StrEnum):
    """The repair of the fault's damage."""

    IN_THE_RUN = "nothing is left to repair"
    NEXT_RUN = "lands the remaining instances"
    NEXT_INSTANCE = "the next instance brings the Date"
    NEXT_DAY = "makes the request; the first data comes a day later"
    QUARANTINE = "leaves it in quarantine, and the Dates as they were; the next instance brings the Dates it covers"
    REFETCH = "leaves it in quarantine, and the Dates as they were; `./manage.py refetch` gets them while Apple has it"
    SNAPSHOT = "leaves the Dates as they were; the next instance brings those that it covers, a snapshot the others"


@dataclass(frozen=True, slots=True)
class FaultCase:
    """One bad day of one app, `HURT`, among healthy ones.

    `error` is the class of the error that ends the app's step: a transient one is retried, CallsUnavailable is waited
    for. The app's reason in the run report contains `words`. The report also names unknown and missing columns, and the
    Date before the newest one if the file skips it. `is_new`: the app has no report request yet on that day.
    `schema_mode` applies to every report. `attempts` is the number of failed attempts, if it is not one per fault.
    """

    fault: str
    orders: tuple[Fault, ...]
    what_happens: str
    error: type[PipelineError] | None = None
    verdict: Verdict = Verdict.VERIFIED
    words: str = ""
    healing: Healing = Healing.IN_THE_RUN
    unknown_column: str = ""
    missing_column: str = ""
    skips_a_date: bool = False
    is_new: bool = False
    schema_mode: SchemaMode = SchemaMode.EVOLVE
    attempts: int | None = None
    today: date = MIDDLE_OF_THE_MONTH

    @property
    def id(self) -> str:
        """The test's id: the fault, in lower case with dashes."""
        words = "".join(letter if letter.isalnum() else " " for letter in self.fault.lower().replace("'", ""))
        return "-".join(words.split())


def order(kind: FaultKind, route: str, times: int | None = 1, **more: object) -> tuple[Fault, ...]:
    return (Fault(kind, route, times, app_id=HURT, **more),)  # type: ignore[arg-type]


def status(status: int, route: str, times: int | None = 1, **more: object) -> tuple[Fault, ...]:
    return order(FaultKind.STATUS, route, times, status=status, **more)


RETRIED = "The step is retried after a pause and continues where it stopped."
WAITED = "No function uses the key for a while; the children wait, then continue where they stopped."
FAILED = "After five more attempts the item fails."
QUARANTINED = "Nothing of the file reaches the tables; its raw bytes are kept and the ledger keeps the reason."

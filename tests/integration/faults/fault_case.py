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

    IN_THE_RUN = "nothing is left to heal"
    NEXT_RUN = "lands what was left over"
    NEXT_INSTANCE = "the next instance brings the Date"
    NEXT_DAY = "makes the request; the first data come a day after it"
    QUARANTINE = "leaves it in quarantine, the Dates as they were; the next instance brings those it reaches back to"
    REFETCH = "leaves it in quarantine, the Dates as they were; `./manage.py refetch` brings them while Apple has it"
    SNAPSHOT = "leaves the Dates as they were; the next instance brings those it reaches back to, a snapshot the others"


@dataclass(frozen=True, slots=True)
class FaultCase:
    """One bad day of one app, `HURT`, among healthy ones.

    `error` is the class that the app's step ends with; a transient one is retried, CallsUnavailable waited for. `words`
    stand in the app's reason in the run report, which names the columns as well that the catalogue does not know,
    those that the file lacks and the Date before the newest if the file skips it. `is_new`: the app has no report
    request yet on that day. `schema_mode` is every report's. `attempts`: how many fail, if not
    one per fault.
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
FAILED = "After five more attempts the item has failed."
QUARANTINED = "Nothing of the file reaches the tables; its raw bytes are kept and the ledger keeps the reason."

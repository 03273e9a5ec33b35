"""Apple's faults as data: the fault to simulate, and the expected result.

The table of faults in docs/reliability.md is generated from this list.

This module does not import pytest, because `docs/generate.py` reads it as well.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from appstore_analytics.contract.errors import (
    AppleRefused,
    AppleUnavailable,
    CallsUnavailable,
    DownloadBroken,
    GhostRequest,
    InstanceQuarantined,
    KeyDoubted,
    NotFound,
    PipelineError,
    RoleMissing,
    SegmentUrlExpired,
)
from appstore_analytics.contract.schema_modes import SchemaMode
from appstore_analytics.contract.verdicts import Verdict
from local.apple.faults import Fault, FaultKind
from local.apple.files import NEW_HEADER

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


def _order(kind: FaultKind, route: str, times: int | None = 1, **more: object) -> tuple[Fault, ...]:
    return (Fault(kind, route, times, app_id=HURT, **more),)  # type: ignore[arg-type]


def _status(status: int, route: str, times: int | None = 1, **more: object) -> tuple[Fault, ...]:
    return _order(FaultKind.STATUS, route, times, status=status, **more)


_RETRIED = "The step is retried after a pause and continues where it stopped."
_WAITED = "No function uses the key for a while; the children wait, then continue where they stopped."
_FAILED = "After five more attempts the item fails."
_QUARANTINED = "Nothing of the file reaches the tables; its raw bytes are kept and the ledger keeps the reason."

THROTTLED = (
    FaultCase(
        "429 with `Retry-After`",
        _status(429, INSTANCES, retry_after_seconds=30),
        _WAITED,
        CallsUnavailable,
    ),
    FaultCase(
        "429 without `Retry-After`, twice",
        _status(429, SEGMENTS, 2),
        f"{_WAITED} The pause doubles with every refusal in a row.",
        CallsUnavailable,
    ),
    FaultCase(
        "429 with only the minute in `X-Rate-Limit`",
        _status(429, SEGMENTS, minute_header=True),
        _WAITED,
        CallsUnavailable,
    ),
    FaultCase(
        "429 when creating a report request",
        _status(429, CREATE, retry_after_seconds=30),
        f"{_WAITED} Then the app is checked again before anything is created.",
        CallsUnavailable,
        Verdict.NOT_READY,
        healing=Healing.NEXT_DAY,
        is_new=True,
    ),
)

UNAVAILABLE = (
    FaultCase("503 once", _status(503, INSTANCES), _RETRIED, AppleUnavailable),
    FaultCase("a burst of 5xx", _status(500, SEGMENTS, 4), _RETRIED, AppleUnavailable),
    FaultCase(
        "503 all day",
        _status(503, INSTANCES, ALWAYS),
        _FAILED,
        AppleUnavailable,
        Verdict.FAILED,
        "answered 503",
        Healing.NEXT_RUN,
    ),
    FaultCase(
        "503 when looking for a report request",
        _status(503, REQUESTS),
        f"{_RETRIED} Nothing was created meanwhile.",
        AppleUnavailable,
        Verdict.NOT_READY,
        healing=Healing.NEXT_DAY,
        is_new=True,
    ),
    FaultCase("503 for the list of reports", _status(503, REPORTS), _RETRIED, AppleUnavailable),
    FaultCase("503 from the storage host", _status(503, FILES, 2), _RETRIED, AppleUnavailable),
    FaultCase(
        "503 although the report request was created",
        _status(503, CREATE, after_effect=True),
        "The retry looks first, finds the request and adopts it: none is created twice.",
        AppleUnavailable,
        is_new=True,
    ),
    FaultCase("a time-out", _order(FaultKind.DELAY, INSTANCES, seconds=120), _RETRIED, AppleUnavailable),
    FaultCase(
        "a time-out all day",
        _order(FaultKind.DELAY, SEGMENTS, ALWAYS, seconds=120),
        _FAILED,
        AppleUnavailable,
        Verdict.FAILED,
        "ReadTimeout",
        Healing.NEXT_RUN,
    ),
    FaultCase(
        "a time-out although the report request was created",
        _order(FaultKind.DELAY, CREATE, seconds=120),
        "The retry looks first, finds the request and adopts it: none is created twice.",
        AppleUnavailable,
        is_new=True,
    ),
    FaultCase("a time-out of a download", _order(FaultKind.DELAY, FILES, seconds=120), _RETRIED, DownloadBroken),
    FaultCase("a connection reset", _order(FaultKind.RESET, INSTANCES), _RETRIED, AppleUnavailable),
    FaultCase(
        "a connection reset although the report request was created",
        _order(FaultKind.RESET, CREATE, after_effect=True),
        "The retry looks first, finds the request and adopts it: none is created twice.",
        AppleUnavailable,
        is_new=True,
    ),
    FaultCase("a connection reset in a download", _order(FaultKind.RESET, FILES), _RETRIED, DownloadBroken),
    FaultCase(
        "an answer that is cut off although the report request was created",
        _order(FaultKind.TRUNCATED_BODY, CREATE),
        "The retry looks first, finds the request and adopts it: none is created twice.",
        AppleUnavailable,
        is_new=True,
    ),
    FaultCase("a list that is cut off", _order(FaultKind.TRUNCATED_BODY, SEGMENTS), _RETRIED, AppleUnavailable),
    FaultCase("a download that is cut off", _order(FaultKind.TRUNCATED_BODY, FILES, 2), _RETRIED, DownloadBroken),
    FaultCase(
        "a download that is cut off all day",
        _order(FaultKind.TRUNCATED_BODY, FILES, ALWAYS),
        f"Nothing is written. {_FAILED}",
        DownloadBroken,
        Verdict.FAILED,
        "ended early",
        Healing.NEXT_RUN,
    ),
)

REFUSED = (
    FaultCase(
        "401: the token expires on the way",
        _order(FaultKind.TOKEN_EXPIRED, INSTANCES),
        "The call is repeated once with a fresh token; the step does not notice.",
    ),
    FaultCase(
        "401: the token expires before the report request is created",
        _order(FaultKind.TOKEN_EXPIRED, CREATE),
        "Nothing was created, so the call is repeated once with a fresh token; the step does not notice.",
        verdict=Verdict.NOT_READY,
        healing=Healing.NEXT_DAY,
        is_new=True,
    ),
    FaultCase(
        "401 three times for a valid key",
        _status(401, INSTANCES, 3),
        f"A fresh token is refused as well. {_RETRIED}",
        KeyDoubted,
        attempts=1,
    ),
    FaultCase(
        "401 even for fresh tokens",
        _status(401, INSTANCES, ALWAYS),
        "The step is retried with pauses, because valid keys get 401 now and then. A key that gets only 401 for a "
        "minute is revoked or mistyped, and is not tried again.",
        KeyDoubted,
        Verdict.KEY_REJECTED,
        "put a valid key into its secret",
        Healing.NEXT_RUN,
    ),
    FaultCase(
        "403: the role may not read",
        _status(403, INSTANCES, ALWAYS),
        "No retry; the reason names the roles that can.",
        RoleMissing,
        Verdict.FORBIDDEN,
        "Admin, Finance or Sales and Reports",
        Healing.NEXT_RUN,
    ),
    FaultCase(
        "403: the role may not create",
        _status(403, CREATE, ALWAYS),
        "No retry; the reason asks for a key with the role Admin.",
        RoleMissing,
        Verdict.FORBIDDEN,
        "use a key with the role Admin",
        Healing.NEXT_DAY,
        is_new=True,
    ),
    FaultCase(
        "409 for a report request that no list shows (ghost)",
        _order(FaultKind.GHOST, CREATE, ALWAYS),
        "No retry loop: the requests are listed again, then the verdict is recorded. Every run checks again.",
        GhostRequest,
        Verdict.CONFLICT,
        "developer support",
        Healing.NEXT_DAY,
        is_new=True,
    ),
    FaultCase(
        "404 for an instance that is still listed",
        _status(404, SEGMENTS),
        "This is an answer, not an error: the ledger marks the instance as expired, and no run asks for it again.",
        verdict=Verdict.EXPIRED,
        words="run ./manage.py backfill for them",
        healing=Healing.SNAPSHOT,
    ),
    FaultCase(
        "403 whose code leaves the cause open",
        _status(403, INSTANCES, ALWAYS, code="FORBIDDEN"),
        "No retry; the reason names both causes, an agreement and the role.",
        RoleMissing,
        Verdict.FORBIDDEN,
        "either an agreement is missing or has expired",
        Healing.NEXT_RUN,
    ),
    FaultCase(
        "409 with another cause than an existing request",
        _status(409, CREATE, code="ENTITY_ERROR.RELATIONSHIP.INVALID"),
        "The requests are listed again; if there is none, the reason contains Apple's code. Every run tries again.",
        AppleRefused,
        Verdict.FAILED,
        "409 ENTITY_ERROR.RELATIONSHIP.INVALID",
        Healing.NEXT_DAY,
        is_new=True,
    ),
    FaultCase(
        "404 for the app: mistyped, deleted or moved",
        _status(404, REQUESTS, ALWAYS),
        "The reason names the app and what to do about it. If Apple knows it again, the next run continues.",
        NotFound,
        Verdict.FAILED,
        "remove it from accounts in cdk.json",
        Healing.NEXT_DAY,
        is_new=True,
    ),
    FaultCase(
        "404 for a report that was known",
        _status(404, INSTANCES),
        "The report request is forgotten, because it may have been replaced: the next run looks for it.",
        NotFound,
        Verdict.FAILED,
        "does not know the requested resource",
        Healing.NEXT_RUN,
    ),
    FaultCase(
        "an unexpected status",
        _status(422, SEGMENTS),
        "No retry.",
        AppleRefused,
        Verdict.FAILED,
        "422",
        Healing.NEXT_RUN,
    ),
    FaultCase(
        "a redirect to another host",
        _order(FaultKind.REDIRECT, INSTANCES),
        "It is not followed, so no token leaves Apple's host; the app's other tables continue.",
        None,
        Verdict.FAILED,
        "302",
        Healing.NEXT_RUN,
    ),
)

LISTS_AND_LINKS = (
    FaultCase(
        "a page that links to itself",
        _order(FaultKind.SELF_LINK, INSTANCES),
        "The second visit of a page ends the listing of this table; the app's other tables continue.",
        None,
        Verdict.FAILED,
        "links to itself",
        Healing.NEXT_RUN,
    ),
    FaultCase(
        "an instance listed twice",
        _order(FaultKind.DUPLICATE, INSTANCES),
        "It is one instance, in the ledger and in the tables.",
    ),
    FaultCase(
        "a segment listed twice",
        _order(FaultKind.DUPLICATE, SEGMENTS),
        "It is one segment: its rows count once.",
    ),
    FaultCase(
        "a segment's URL has expired",
        _order(FaultKind.EXPIRED_URL, SEGMENTS),
        "The retry lists the segments again, which gives fresh URLs.",
        SegmentUrlExpired,
    ),
    FaultCase(
        "every segment's URL has expired",
        _order(FaultKind.EXPIRED_URL, SEGMENTS, ALWAYS),
        _FAILED,
        SegmentUrlExpired,
        Verdict.FAILED,
        "signed URL has expired",
        Healing.NEXT_RUN,
    ),
    FaultCase(
        "a segment on another host",
        _order(FaultKind.FOREIGN_HOST, SEGMENTS),
        "The host is not contacted.",
        AppleRefused,
        Verdict.FAILED,
        "segment_hosts does not allow",
        Healing.NEXT_RUN,
    ),
    FaultCase(
        "a download that is redirected to another host",
        _order(FaultKind.REDIRECT, FILES),
        "It is not followed.",
        AppleRefused,
        Verdict.FAILED,
        "302",
        Healing.NEXT_RUN,
    ),
    FaultCase(
        "a wrong checksum once",
        _order(FaultKind.WRONG_CHECKSUM, SEGMENTS),
        f"Nothing is written. {_RETRIED}",
        DownloadBroken,
    ),
    FaultCase(
        "a wrong checksum all day",
        _order(FaultKind.WRONG_CHECKSUM, SEGMENTS, ALWAYS),
        f"Nothing is written. {_FAILED}",
        DownloadBroken,
        Verdict.FAILED,
        "announces MD5",
        Healing.NEXT_RUN,
    ),
    FaultCase(
        "a wrong size once",
        _order(FaultKind.WRONG_SIZE, SEGMENTS),
        f"Nothing is written. {_RETRIED}",
        DownloadBroken,
    ),
    FaultCase(
        "a wrong size all day",
        _order(FaultKind.WRONG_SIZE, SEGMENTS, ALWAYS),
        f"Nothing is written. {_FAILED}",
        DownloadBroken,
        Verdict.FAILED,
        "bytes",
        Healing.NEXT_RUN,
    ),
)

FILES_INSIDE = (
    FaultCase(
        "a corrupt gzip",
        _order(FaultKind.CORRUPT_GZIP, SEGMENTS),
        _QUARANTINED,
        InstanceQuarantined,
        Verdict.QUARANTINED,
        "gzip is broken",
        Healing.REFETCH,
    ),
    FaultCase(
        "a gzip bomb",
        _order(FaultKind.GZIP_BOMB, SEGMENTS),
        f"Unpacking stops at the first row that is longer than any report's. {_QUARANTINED}",
        InstanceQuarantined,
        Verdict.QUARANTINED,
        "a row is longer than",
        Healing.QUARANTINE,
    ),
    FaultCase(
        "a required header renamed",
        _order(FaultKind.HEADER_RENAMED, SEGMENTS),
        _QUARANTINED,
        InstanceQuarantined,
        Verdict.QUARANTINED,
        "has no column 'Counts'",
        Healing.QUARANTINE,
    ),
    FaultCase(
        "a required header removed",
        _order(FaultKind.HEADER_REMOVED, SEGMENTS),
        _QUARANTINED,
        InstanceQuarantined,
        Verdict.QUARANTINED,
        "has no column 'Counts'",
        Healing.QUARANTINE,
    ),
    FaultCase(
        "another header renamed",
        _order(FaultKind.HEADER_RENAMED, SEGMENTS, column="Device"),
        "The rows count; the column is null, its cells are in `extra` by the new header. The run report names both.",
        unknown_column="Device Total",
        missing_column="Device",
    ),
    FaultCase(
        "a header added",
        _order(FaultKind.HEADER_ADDED, SEGMENTS, column=NEW_HEADER),
        "The rows count, the column is kept in `extra` and named in the run report.",
        unknown_column=NEW_HEADER,
    ),
    FaultCase(
        "a header added, schema mode `strict`",
        _order(FaultKind.HEADER_ADDED, SEGMENTS, column=NEW_HEADER),
        f"The reason names the column. {_QUARANTINED} Once the catalogue knows the column, or the mode is `evolve`, a "
        "reprocess brings it in.",
        InstanceQuarantined,
        Verdict.QUARANTINED,
        f"does not know the column '{NEW_HEADER}'",
        Healing.QUARANTINE,
        schema_mode=SchemaMode.STRICT,
    ),
    FaultCase(
        "headers reordered",
        _order(FaultKind.HEADER_REORDERED, SEGMENTS),
        "Columns are found by name.",
    ),
    FaultCase(
        "a row with too few fields",
        _order(FaultKind.SHORT_ROW, SEGMENTS),
        f"The reason names the row. {_QUARANTINED}",
        InstanceQuarantined,
        Verdict.QUARANTINED,
        "columns, got",
        Healing.QUARANTINE,
    ),
    FaultCase(
        "MM/DD/YYYY dates",
        _order(FaultKind.US_DATES, SEGMENTS),
        "They are read, because a day after the 12th shows which number is the month.",
    ),
    FaultCase(
        "MM/DD/YYYY dates that could also be DD/MM/YYYY",
        _order(FaultKind.US_DATES, SEGMENTS),
        _QUARANTINED,
        InstanceQuarantined,
        Verdict.QUARANTINED,
        "month/day or day/month",
        Healing.QUARANTINE,
        today=BEGINNING_OF_THE_MONTH,
    ),
    FaultCase(
        "another app's id in the file",
        _order(FaultKind.OTHER_APP, SEGMENTS),
        _QUARANTINED,
        InstanceQuarantined,
        Verdict.QUARANTINED,
        "rows of another app, 1005000001",
        Healing.QUARANTINE,
    ),
    FaultCase(
        "a Date skipped",
        _order(FaultKind.DATE_SKIPPED, SEGMENTS),
        "The run report and its page name app, table and Date. Rows of an older instance stay, "
        "because the newer one says nothing about the Date; nothing fails, because a small app has days without a row.",
        healing=Healing.NEXT_INSTANCE,
        skips_a_date=True,
    ),
)

CHAPTERS = {
    "Throttling": THROTTLED,
    "Apple does not answer": UNAVAILABLE,
    "Apple refuses": REFUSED,
    "Lists and links": LISTS_AND_LINKS,
    "Files": FILES_INSIDE,
}
CASES = tuple(case for cases in CHAPTERS.values() for case in cases)

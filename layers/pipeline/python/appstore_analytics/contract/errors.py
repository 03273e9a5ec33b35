"""Every error of the pipeline, by what to do next.

    PipelineError
    ├── TransientError            Retry: the same call may succeed in a moment
    │   ├── AppleUnavailable        5xx, time-out, connection reset
    │   ├── AwsUnavailable          an answer from AWS broke off, or did not come, more than once
    │   ├── DownloadBroken          a segment arrived truncated, or its MD5 or size differs
    │   ├── KeyDoubted              401 to fresh tokens of a key that may work again in a moment
    │   ├── ObjectContended         other writers replaced an S3 object too many times
    │   ├── QueryInterrupted        Athena read an object while it was replaced
    │   └── SegmentUrlExpired       a signed URL outlived its five minutes
    ├── PermanentError            Catch: recorded with its sentence, retrying cannot help
    │   ├── AppleRefused            Apple says the call itself is wrong (400, 409, 422, …)
    │   ├── ConfigurationRefused    the deployed configuration cannot work
    │   ├── DiskFull                the disk of a function is full
    │   ├── GhostRequest            Apple says that a report request exists, and lists none
    │   ├── InputRefused            the execution input is wrong
    │   ├── InstanceQuarantined     a file breaks the contract of its report
    │   ├── InstanceTooLarge        an instance needs more disk than its function has
    │   ├── KeyRejected             401 for longer than a moment: the API key is revoked or mistyped
    │   ├── NotFound                404: the requested resource does not exist (any more)
    │   ├── ObjectExpired           required bytes have expired in S3
    │   ├── QueryFailed             Athena refuses or fails the query
    │   └── RoleMissing             403: the API key's role does not allow this
    └── NotReady                  Wait: not an error, only too early; come back at `available_at`
        ├── CallsUnavailable        the API key's hourly quota is used up, or Apple throttles it
        ├── ClaimHeld               another execution registers this app right now
        └── TimeUsedUp              Apple answers slowly: the step stops before its time-out, and continues at once

The state machine's Retry lists are the leaves below TransientError; a test compares them.
"""

from datetime import datetime

from appstore_analytics.contract.waits import WaitFor

TRANSIENT_RETRIES = 5
"""Step Functions' retries after a TransientError, over about two minutes."""


class PipelineError(Exception):
    """Root of all errors that the pipeline raises itself."""


class TransientError(PipelineError):
    """The same call may succeed in a moment; Step Functions retries it."""


class AppleUnavailable(TransientError):
    """App Store Connect answered 5xx, not in time, or not at all."""


class AwsUnavailable(TransientError):
    """An AWS service broke off its answers or gave none, even on an immediate retry."""


class DownloadBroken(TransientError):
    """A segment's bytes are not those that Apple announced."""


class KeyDoubted(TransientError):
    """App Store Connect answered 401 to fresh tokens, which valid keys occasionally get for a moment."""


class ObjectContended(TransientError):
    """A compare-and-swap lost too often; the next attempt starts from the current object."""


class QueryInterrupted(TransientError):
    """An Athena query met an object that was replaced while it ran."""


class SegmentUrlExpired(TransientError):
    """The storage host refused a signed URL; listing the segments again gives a fresh one."""


class PermanentError(PipelineError):
    """Retrying cannot help; the sentence says what can."""


class AppleRefused(PermanentError):
    """App Store Connect refused a call for a reason that no retry changes."""


class ConfigurationRefused(PermanentError):
    """The deployed configuration cannot work as it is."""


class DiskFull(PermanentError):
    """A function's disk is full; the sentence names the setting to raise."""


class GhostRequest(PermanentError):
    """Apple answers 409 to a new report request, but lists none: only Apple's support can help."""


class InputRefused(PermanentError):
    """The execution input is wrong; the sentence names the field."""


class InstanceQuarantined(PermanentError):
    """A file breaks the contract of its report; the Dates in the lake stay as they are.

    `bytes_are_broken`: only other bytes from Apple can help, not a change of the catalogue or the converter.
    """

    def __init__(self, sentence: str, *, bytes_are_broken: bool = False) -> None:
        super().__init__(sentence)
        self.bytes_are_broken = bytes_are_broken


class InstanceTooLarge(PermanentError):
    """An instance does not fit on the disk of the function that handles it; nothing is wrong with it."""


class KeyRejected(PermanentError):
    """App Store Connect keeps refusing the API key (401)."""


class NotFound(PermanentError):
    """App Store Connect does not know the requested resource (404)."""


class ObjectExpired(PermanentError):
    """A lifecycle rule has expired bytes that this needs: raw ones to reprocess, replaced ones to roll back."""


class QueryFailed(PermanentError):
    """Athena refused or failed a query."""


class RoleMissing(PermanentError):
    """The API key's role does not allow the call (403)."""


class NotReady(PipelineError):
    """Nothing is wrong, it is only too early: come back at `available_at` (UTC). `waits_for` says what for."""

    waits_for = WaitFor.NOTHING

    def __init__(self, sentence: str, available_at: datetime) -> None:
        super().__init__(sentence)
        self.available_at = available_at


class CallsUnavailable(NotReady):
    """The API key has no calls left in this hour, or Apple throttles it."""

    def __init__(self, sentence: str, available_at: datetime, waits_for: WaitFor = WaitFor.APPLES_HOUR) -> None:
        super().__init__(sentence, available_at)
        self.waits_for = waits_for


class ClaimHeld(NotReady):
    """Another execution holds the claim on this app's report request."""

    waits_for = WaitFor.OTHER_EXECUTION


class TimeUsedUp(NotReady):
    """The step has used up its time; it continues where it stopped."""


def leaves(root: type[PipelineError]) -> tuple[str, ...]:
    """The class names below `root` that are raised, sorted, for a Retry or Catch list."""
    below = root.__subclasses__()
    return tuple(sorted(name for child in below for name in (leaves(child) or (child.__name__,))))

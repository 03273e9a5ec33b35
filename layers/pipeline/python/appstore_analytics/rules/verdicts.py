"""An app's verdict, from the verdicts of its items."""

import json
from collections.abc import Iterable

from appstore_analytics.contract.errors import (
    TRANSIENT_RETRIES,
    AppleRefused,
    AppleUnavailable,
    AwsUnavailable,
    DownloadBroken,
    GhostRequest,
    InstanceQuarantined,
    KeyDoubted,
    KeyRejected,
    ObjectContended,
    PipelineError,
    QueryFailed,
    QueryInterrupted,
    RoleMissing,
    SegmentUrlExpired,
    leaves,
)
from appstore_analytics.contract.verdicts import Verdict
from appstore_analytics.model.items import ItemRecord

_BY_ERROR = {
    RoleMissing.__name__: Verdict.FORBIDDEN,
    KeyDoubted.__name__: Verdict.KEY_REJECTED,
    KeyRejected.__name__: Verdict.KEY_REJECTED,
    GhostRequest.__name__: Verdict.CONFLICT,
    InstanceQuarantined.__name__: Verdict.QUARANTINED,
}

_SENTENCE_CHARACTERS = 500

_TRIED = f"It was tried {TRANSIENT_RETRIES + 1} times;"
_NEXT_STEPS = {
    AppleUnavailable.__name__: f"{_TRIED} the next run tries again. https://developer.apple.com/system-status/ says "
    "whether Apple has an outage.",
    AwsUnavailable.__name__: f"{_TRIED} the next run tries again. https://health.aws.amazon.com/ says whether "
    "AWS has an outage.",
    DownloadBroken.__name__: f"{_TRIED} nothing of it was stored. The next run downloads it again while Apple has it.",
    SegmentUrlExpired.__name__: f"{_TRIED} the next run lists the segments again.",
    ObjectContended.__name__: f"{_TRIED} the next run continues with it.",
    QueryInterrupted.__name__: f"{_TRIED} the next run asks again.",
    QueryFailed.__name__: "The next run asks again; the workgroup's query history has the query.",
    AppleRefused.__name__: "The next run asks again; if this does not change for days, ask Apple's developer support.",
}
"""The next step for an error whose sentence says only what happened. Other sentences name the next step."""
_NEXT_STEP_OF_A_CRASH = "The next run continues with it; see the log of its function."
_NEXT_STEPS_OF_VERDICTS = {
    Verdict.QUARANTINED: "Its raw bytes are kept: ./manage.py gaps says what brings its Dates back.",
    Verdict.MISMATCH: "The next run publishes these Dates and compares again; appstore.verification has each of them.",
}

_WORST_FIRST = (
    Verdict.FAILED,
    Verdict.MISMATCH,
    Verdict.QUARANTINED,
    Verdict.KEY_REJECTED,
    Verdict.FORBIDDEN,
    Verdict.CONFLICT,
    Verdict.SUPERSEDED,
    Verdict.ROLLED_BACK,
    Verdict.VERIFIED,
    Verdict.PUBLISHED,
    Verdict.CONVERTED,
    Verdict.EXPIRED,
    Verdict.UNCHANGED,
    Verdict.NOT_READY,
    Verdict.READY,
)


def app_verdict(verdicts: Iterable[Verdict], without_items: Verdict = Verdict.NOT_READY) -> Verdict:
    """The verdict of an app: its worst failure, otherwise the furthest stage of its data, otherwise that nothing was
    ready.

    `verdicts` are those of the app's own items and of the tables with its data; `without_items` is the verdict of an
    app without items.
    """
    found = set(verdicts)
    return next((verdict for verdict in _WORST_FIRST if verdict in found), without_items)


def item_verdict(record: ItemRecord) -> Verdict:
    """The verdict of an item: without one it has failed, and a caught error says how."""
    if record.error:
        return _BY_ERROR.get(record.error, Verdict.FAILED)
    return record.verdict or Verdict.FAILED


def item_reason(record: ItemRecord) -> str:
    """The reason for people: what happened, from the caught error or the step, and what to do next.

    Empty if there is nothing to say about the item.
    """
    if record.error:
        happened = error_sentence(record.error, record.reason)
    elif record.verdict:
        happened = record.reason
    else:
        happened = "It ended without a record: a crash, a time-out or an aborted run."
    return f"{happened} {_next_step(record)}".strip() if happened else ""


def run_reason(error: PipelineError) -> str:
    """The sentence for a person about an error that ends a whole run before it has items: what happened, and what to do
    next."""
    return f"{error} {_NEXT_STEPS.get(type(error).__name__, '')}".strip()


def _next_step(record: ItemRecord) -> str:
    """The next step, if the item's sentence does not name one itself; otherwise empty."""
    verdict = item_verdict(record)
    if verdict in _NEXT_STEPS_OF_VERDICTS:
        return _NEXT_STEPS_OF_VERDICTS[verdict]
    if record.error in _NEXT_STEPS:
        return _NEXT_STEPS[record.error]
    is_known = record.error in leaves(PipelineError) or (record.verdict and not record.error)
    return "" if is_known else _NEXT_STEP_OF_A_CRASH


def error_sentence(error: str, cause: str) -> str:
    """The sentence in an error that Step Functions caught, which Lambda wraps into JSON with its stack trace."""
    try:
        return str(json.loads(cause)["errorMessage"] or error)[:_SENTENCE_CHARACTERS]
    except (ValueError, LookupError, TypeError):
        return f"{error}: {cause}"[:_SENTENCE_CHARACTERS]

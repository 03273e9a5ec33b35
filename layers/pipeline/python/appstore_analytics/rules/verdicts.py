"""How an app's day ended, from how its items ended."""

import json
from collections.abc import Iterable

from appstore_analytics.contract.errors import GhostRequest, InstanceQuarantined, KeyDoubted, KeyRejected, RoleMissing
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
    """The one word for an app: its worst failure; else the farthest its data came; else that nothing was ready.

    `verdicts` are those of the app's own items and of the tables that its data went into; `without_items` is the word
    for an app that has none.
    """
    found = set(verdicts)
    return next((verdict for verdict in _WORST_FIRST if verdict in found), without_items)


def item_verdict(record: ItemRecord) -> Verdict:
    """How an item ended; one that never ended has failed, and an error that was caught says how."""
    if record.error:
        return _BY_ERROR.get(record.error, Verdict.FAILED)
    return record.verdict or Verdict.FAILED


def item_reason(record: ItemRecord) -> str:
    """The sentence for a person: of the error that was caught, without its stack trace, or of the step."""
    if record.error:
        return error_sentence(record.error, record.reason)
    return record.reason if record.verdict else "It ended without a record: a crash, a time-out or an aborted run."


def error_sentence(error: str, cause: str) -> str:
    """The sentence in an error that Step Functions caught; Lambda wraps it into JSON beside its stack trace."""
    try:
        return str(json.loads(cause)["errorMessage"] or error)[:_SENTENCE_CHARACTERS]
    except (ValueError, LookupError, TypeError):
        return f"{error}: {cause}"[:_SENTENCE_CHARACTERS]

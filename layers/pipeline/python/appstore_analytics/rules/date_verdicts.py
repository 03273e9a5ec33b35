"""The verdict on one Date of one table: a word for people, whatever record it comes from."""

from collections.abc import Collection, Mapping
from enum import StrEnum

from appstore_analytics.model.instances import InstanceStatus
from appstore_analytics.rules.freshness import Freshness


class DateVerdict(StrEnum):
    """The verdict on a Date, for one app or the worst of several. Verdicts that need action most come first."""

    FORBIDDEN = "forbidden"
    KEY_REJECTED = "key rejected"
    MISMATCH = "mismatch"
    QUARANTINED = "quarantined"
    EXPIRED = "expired"
    STOPPED = "stopped"
    LATE = "late"
    NOT_OFFERED = "not offered"
    NOT_READY = "not ready"
    PRELIMINARY = "preliminary"
    BELOW_THRESHOLD = "below threshold"
    FRESH = "fresh"
    ZERO = "zero"
    NONE = "none"
    """Before the first Date of the app, or of the table."""

    @property
    def needs_action(self) -> bool:
        """Whether the verdict needs action."""
        return self in _NEED_ACTION

    @property
    def is_complete(self) -> bool:
        """Whether the Date has everything that Apple has for it."""
        return self in (self.FRESH, self.ZERO)


_NEED_ACTION = frozenset(
    {
        DateVerdict.FORBIDDEN,
        DateVerdict.KEY_REJECTED,
        DateVerdict.MISMATCH,
        DateVerdict.QUARANTINED,
        DateVerdict.EXPIRED,
        DateVerdict.STOPPED,
        DateVerdict.LATE,
        DateVerdict.NOT_OFFERED,
    }
)

_RANK = {verdict: rank for rank, verdict in enumerate(DateVerdict)}

_OF_FRESHNESS: Mapping[Freshness, DateVerdict] = {
    Freshness.FRESH: DateVerdict.FRESH,
    Freshness.ZERO: DateVerdict.ZERO,
    Freshness.NOT_READY: DateVerdict.NOT_READY,
    Freshness.BELOW_THRESHOLD: DateVerdict.BELOW_THRESHOLD,
    Freshness.NOT_OFFERED: DateVerdict.NOT_OFFERED,
    Freshness.LATE: DateVerdict.LATE,
    Freshness.STOPPED: DateVerdict.STOPPED,
    Freshness.FORBIDDEN: DateVerdict.FORBIDDEN,
    Freshness.KEY_EXPIRED: DateVerdict.KEY_REJECTED,
    Freshness.QUARANTINED: DateVerdict.QUARANTINED,
}

_OF_INSTANCE: Mapping[InstanceStatus, DateVerdict] = {
    InstanceStatus.QUARANTINED: DateVerdict.QUARANTINED,
    InstanceStatus.EXPIRED: DateVerdict.EXPIRED,
}


def of_freshness(verdict: Freshness) -> DateVerdict:
    """The corresponding verdict on a Date."""
    return _OF_FRESHNESS[verdict]


def of_missing(status: InstanceStatus | None, checked: DateVerdict | None) -> DateVerdict:
    """The reason why a due Date is not complete.

    `status` is the status of the newest instance that covers it, None if Apple has listed none. `checked` is the result
    of the last freshness check, None if the check does not cover this Date.
    """
    if status is not None and status in _OF_INSTANCE:
        return _OF_INSTANCE[status]
    return checked or DateVerdict.LATE


def worst(verdicts: Collection[DateVerdict]) -> DateVerdict:
    """The verdict of several: the one that needs action most; ZERO only if all are ZERO, NONE for an empty list."""
    return min(verdicts, key=_RANK.__getitem__, default=DateVerdict.NONE)


def rank(verdict: DateVerdict) -> int:
    """Its place in the order; the verdict that needs action most is first."""
    return _RANK[verdict]

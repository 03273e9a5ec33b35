"""The verdicts of items, apps and key checks, which functions, state machine and tables share."""

from enum import StrEnum


class Verdict(StrEnum):
    """The verdict of an item or an app."""

    READY = "ready"
    CONVERTED = "converted"
    PUBLISHED = "published"
    VERIFIED = "verified"
    UNCHANGED = "unchanged"
    ROLLED_BACK = "rolled back"
    SUPERSEDED = "superseded"
    NOT_READY = "not ready"
    EXPIRED = "expired"
    FORBIDDEN = "forbidden"
    KEY_REJECTED = "key rejected"
    CONFLICT = "conflict"
    QUARANTINED = "quarantined"
    MISMATCH = "mismatch"
    FAILED = "failed"

    @property
    def is_failure(self) -> bool:
        """Whether a run with such an app ends FAILED."""
        return self in _FAILURES

    @property
    def section(self) -> str:
        """The anchor in docs/operations.md that says what to do: a section, or the table of all verdicts."""
        return _OWN_SECTIONS.get(self, "verdicts")


_FAILURES = frozenset(
    {
        Verdict.FORBIDDEN,
        Verdict.KEY_REJECTED,
        Verdict.CONFLICT,
        Verdict.QUARANTINED,
        Verdict.MISMATCH,
        Verdict.FAILED,
    }
)
_OWN_SECTIONS = {Verdict.QUARANTINED: "quarantined", Verdict.MISMATCH: "mismatch"}


class KeyVerdict(StrEnum):
    """The verdict on an API key, which check_key returns to the doctor."""

    ADMIN = "admin"
    NOT_ADMIN = "not admin"
    REJECTED = "rejected"
    UNUSABLE = "unusable"  # the secret holds no key
    UNKNOWN = "unknown"  # Apple did not say

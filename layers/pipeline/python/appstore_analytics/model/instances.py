"""Instances as the ledger knows them."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Self

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.model.vintage import Vintage


class InstanceStatus(StrEnum):
    """The state of an instance in the ledger."""

    LISTED = "listed"
    LANDED = "landed"
    CONVERTED = "converted"
    QUARANTINED = "quarantined"
    ROLLED_BACK = "rolled back"
    EXPIRED = "expired"


_HAVE_LANDED = frozenset(
    {InstanceStatus.LANDED, InstanceStatus.CONVERTED, InstanceStatus.QUARANTINED, InstanceStatus.ROLLED_BACK}
)


@dataclass(frozen=True, slots=True)
class SegmentRecord:
    """One segment in the raw bucket."""

    segment_id: str
    key: str
    size_bytes: int
    checksum: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """An unfinished attempt of a run to read the files of an instance, with its start (UTC): running, or died."""

    begun_at: datetime
    run_id: str

    def __str__(self) -> str:
        return f"{self.begun_at.isoformat()} {self.run_id}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The attempt in a text that `str` wrote."""
        begun_at, run_id = text.split(" ", 1)
        return cls(datetime.fromisoformat(begun_at), run_id)


@dataclass(frozen=True, slots=True)
class Refetch:
    """Segments that a run has downloaded again, and the former entry of the instance in the ledger.

    `taken_back_by` is the run that took them back, empty while they count. The other fields are those of the instance.
    """

    run_id: str
    status: InstanceStatus
    converted_by: str = ""
    landed_again_by: str = ""
    raw_has_expired: bool = False
    reason: str = ""
    bytes_are_broken: bool = False
    taken_back_by: str = ""


@dataclass(frozen=True, slots=True)
class LedgerInstance:
    """One instance of one app, as the ledger knows it. `table` is the curated table that its rows belong to.

    `converted_dates` are the ranges that backfills had converted of a snapshot; a daily instance is converted whole.
    `quarantined_dates` are the requested ranges of a snapshot that were quarantined, not to be tried before a
    reprocess. `converted_by` is the run that owns its parts; `refused_dates` are those for which a newer vintage was
    there. `raw_has_expired`: its parts exist, but it cannot be converted again. `attempts` are conversions that have
    not ended. `reason` says why it is quarantined, expired or rolled back; `bytes_are_broken` says that only other
    bytes can help. `segments` are those of the newest of its `refetches` (oldest first) that counts, otherwise those of
    its first download; `landed_again_by` is the run of a refetch that has landed and is not converted yet. `part_dates`
    are the Dates of its parts, including parts that were replaced since; it is empty for an instance that 0.1.0
    converted.
    """

    app_id: str
    table: str
    granularity: Granularity
    vintage: Vintage
    status: InstanceStatus = InstanceStatus.LISTED
    segments: tuple[SegmentRecord, ...] = ()
    converted_dates: frozenset[str] = frozenset()
    quarantined_dates: frozenset[str] = frozenset()
    converted_by: str = ""
    refused_dates: frozenset[date] = frozenset()
    raw_has_expired: bool = False
    attempts: frozenset[Attempt] = frozenset()
    reason: str = ""
    bytes_are_broken: bool = False
    refetches: tuple[Refetch, ...] = ()
    landed_again_by: str = ""
    part_dates: frozenset[date] = frozenset()

    @property
    def has_landed(self) -> bool:
        """Whether the ledger says that its raw bytes are stored, so that Apple is not needed."""
        return self.status in _HAVE_LANDED and not self.raw_has_expired

    def landed(self, segments: tuple[SegmentRecord, ...]) -> Self:
        """The same instance with its segments in the raw bucket."""
        return replace(self, status=InstanceStatus.LANDED, segments=segments)

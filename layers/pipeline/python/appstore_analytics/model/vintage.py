"""The age order of instances."""

from dataclasses import dataclass
from datetime import date
from functools import total_ordering
from typing import Self

from appstore_analytics.contract.catalogue.definition import AccessType

_RANK = {AccessType.ONE_TIME_SNAPSHOT: 0, AccessType.ONGOING: 1}


@total_ordering
@dataclass(frozen=True, slots=True)
class Vintage:
    """The version of a Date that comes from one instance. A total order, so any sequence of writers has the same
    winner.

    With equal processing dates ONGOING wins over a snapshot, because its last days are never incomplete. The instance
    id only breaks ties between instances that Apple lists twice.
    """

    processing_date: date
    access_type: AccessType
    instance_id: str

    def __lt__(self, other: Self) -> bool:
        return self._key < other._key

    @property
    def _key(self) -> tuple[date, int, str]:
        return (self.processing_date, _RANK[self.access_type], self.instance_id)

    def __str__(self) -> str:
        return f"{self.processing_date.isoformat()}/{self.access_type}/{self.instance_id}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The vintage in a text that `str` wrote, as in an object's metadata."""
        processing_date, access_type, instance_id = text.split("/", 2)
        return cls(date.fromisoformat(processing_date), AccessType(access_type), instance_id)

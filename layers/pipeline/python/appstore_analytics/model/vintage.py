"""How new an instance is."""

from dataclasses import dataclass
from datetime import date
from functools import total_ordering
from typing import Self

from appstore_analytics.contract.catalogue.definition import AccessType

_RANK = {AccessType.ONE_TIME_SNAPSHOT: 0, AccessType.ONGOING: 1}


@total_ordering
@dataclass(frozen=True, slots=True)
class Vintage:
    """How new an instance is. A total order, so that any sequence of writers ends with the same winner.

    At equal processing dates ONGOING beats a snapshot: its last days are never half filled. The instance id only
    breaks ties between instances that Apple lists twice.
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
        """The vintage that `str` wrote, as it stands in an object's metadata."""
        processing_date, access_type, instance_id = text.split("/", 2)
        return cls(date.fromisoformat(processing_date), AccessType(access_type), instance_id)

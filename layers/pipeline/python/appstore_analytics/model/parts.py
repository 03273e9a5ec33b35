"""Parts: what one vintage holds of one Date, and the writes that stood at a part's key."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from appstore_analytics.contract.layout import TableDate
from appstore_analytics.model.vintage import Vintage


@dataclass(frozen=True, slots=True)
class Batch:
    """What one vintage holds of one Date of one table of one app; `sums` as in PartFile."""

    app_id: int
    vintage: Vintage
    rows: int
    sums: Mapping[str, str]


class PartOutcome(StrEnum):
    """What became of a part."""

    WRITTEN = "written"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class PartVersion:
    """One write of a part as S3 keeps it: which run wrote which vintage, and the version and ETag it got."""

    run_id: str
    vintage: Vintage
    version_id: str
    etag: str

    def is_write_of(self, run_id: str, vintage: Vintage) -> bool:
        """Whether this is what that run wrote of that vintage, whatever version S3 calls it after a rollback."""
        return (self.run_id, self.vintage) == (run_id, vintage)


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One write, noted before it happened. `before` is what stood then; None where nothing did.

    `taken_back_by` is the rollback's run, empty while the write counts.
    """

    run_id: str
    app_id: str
    vintage: Vintage
    table_date: TableDate
    before: PartVersion | None
    taken_back_by: str = ""

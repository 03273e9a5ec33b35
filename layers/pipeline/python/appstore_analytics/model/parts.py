"""Parts: the content of one vintage for one Date, and the writes at a part's key."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from appstore_analytics.contract.layout import TableDate
from appstore_analytics.model.vintage import Vintage


@dataclass(frozen=True, slots=True)
class Batch:
    """The counts of one vintage for one Date of one table of one app; `sums` as in PartFile."""

    app_id: int
    vintage: Vintage
    rows: int
    sums: Mapping[str, str]


class PartOutcome(StrEnum):
    """The outcome of writing a part."""

    WRITTEN = "written"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class PartVersion:
    """One write of a part as stored in S3: its run and vintage, and the version and ETag it got."""

    run_id: str
    vintage: Vintage
    version_id: str
    etag: str

    def is_write_of(self, run_id: str, vintage: Vintage) -> bool:
        """Whether this is that run's write of that vintage, even if a rollback gave it another S3 version."""
        return (self.run_id, self.vintage) == (run_id, vintage)


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One write, recorded before it happened. `before` is the version that it replaces; None if there was none.

    `taken_back_by` is the rollback's run, empty while the write counts.
    """

    run_id: str
    app_id: str
    vintage: Vintage
    table_date: TableDate
    before: PartVersion | None
    taken_back_by: str = ""

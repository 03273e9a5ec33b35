"""What stood at a part's key, write after write, and what a rollback lets stand there again.

    nothing ◄── run 1, vintage 20 ◄── run 2, vintage 21 ◄── run 3, vintage 22      each write knows the one before it
                                      taken back            taken back             vintage 20 is put back

A write is taken back when its run is rolled back, also where a later run had replaced it by then. What stands and is
taken back gives way to the nearest write before it that is not: so rollbacks in any order end in the same.
"""

from collections.abc import Callable
from dataclasses import dataclass

from appstore_analytics.contract.layout import TableDate
from appstore_analytics.rules.vintage import Vintage


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


def to_put_back(line: JournalLine, line_of: Callable[[PartVersion], JournalLine | None]) -> PartVersion | None:
    """What is to stand in the place of a write that is taken back; None for nothing.

    `line_of` finds the line of a write; None where it is too old to be remembered, and then it was never taken back.
    """
    before = line.before
    while before is not None and (earlier := line_of(before)) is not None and earlier.taken_back_by:
        before = earlier.before
    return before

"""The history of writes at a part's key, and the version that a rollback restores.

    nothing ◄── run 1, vintage 20 ◄── run 2, vintage 21 ◄── run 3, vintage 22      each write knows the one before it
                                      taken back            taken back             vintage 20 is put back

A write is taken back when its run is rolled back, even if a later run has replaced it by then. If the current version
is taken back, the latest earlier write that is not taken back is restored, so rollbacks in any order have the same
result.
"""

from collections.abc import Callable, Iterator

from appstore_analytics.model.parts import JournalLine, PartVersion
from appstore_analytics.model.vintage import Vintage


def to_put_back(line: JournalLine, line_of: Callable[[PartVersion], JournalLine | None]) -> PartVersion | None:
    """The write to restore instead of one that is taken back; None if there is none.

    `line_of` finds the line of a write; None if the line has expired, and then the write was never taken back.
    """
    before = line.before
    for earlier in _earlier(before, line_of):
        if not earlier.taken_back_by:
            break
        before = earlier.before
    return before


def writes_of(
    vintage: Vintage, stands: PartVersion | None, line_of: Callable[[PartVersion], JournalLine | None]
) -> list[JournalLine]:
    """The writes of this vintage at a part's key that count, newest first, beginning with the current one."""
    return [line for line in _earlier(stands, line_of) if line.vintage == vintage and not line.taken_back_by]


def _earlier(
    version: PartVersion | None, line_of: Callable[[PartVersion], JournalLine | None]
) -> Iterator[JournalLine]:
    """The lines from a write down to the oldest that is remembered.

    A run that writes a part again over another run's write has one line for both of its writes, so a chain can lead
    back to a visited line: it ends there.
    """
    seen: set[tuple[str, Vintage]] = set()
    while version is not None and (version.run_id, version.vintage) not in seen:
        seen.add((version.run_id, version.vintage))
        line = line_of(version)
        if line is None:
            return
        yield line
        version = line.before

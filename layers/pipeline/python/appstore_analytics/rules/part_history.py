"""What stood at a part's key, write after write, and what a rollback lets stand there again.

    nothing ◄── run 1, vintage 20 ◄── run 2, vintage 21 ◄── run 3, vintage 22      each write knows the one before it
                                      taken back            taken back             vintage 20 is put back

A write is taken back when its run is rolled back, also where a later run had replaced it by then. What stands and is
taken back gives way to the nearest write before it that is not: so rollbacks in any order end in the same.
"""

from collections.abc import Callable

from appstore_analytics.model.parts import JournalLine, PartVersion


def to_put_back(line: JournalLine, line_of: Callable[[PartVersion], JournalLine | None]) -> PartVersion | None:
    """What is to stand in the place of a write that is taken back; None for nothing.

    `line_of` finds the line of a write; None where it is too old to be remembered, and then it was never taken back.
    """
    before = line.before
    while before is not None and (earlier := line_of(before)) is not None and earlier.taken_back_by:
        before = earlier.before
    return before

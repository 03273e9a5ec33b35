"""Which segments of an instance count when runs have downloaded it again, and what taking them back leaves.

    first download ◄── refetch of run 1 ◄── refetch of run 2      each knows how the ledger had the instance before it
                       taken back                                 the newest that is not taken back counts

So rollbacks of refetches in any order end in the same.
"""

from collections.abc import Sequence

from appstore_analytics.model.instances import Refetch


def counting(refetches: Sequence[Refetch]) -> Refetch | None:
    """The refetch whose segments count, of these (oldest first); None for those of the first download."""
    return next((each for each in reversed(refetches) if not each.taken_back_by), None)


def state_without(refetches: Sequence[Refetch], place: int) -> Refetch | None:
    """How the ledger had the instance before the refetch at `place`, which is taken back: it is so again.

    None where a newer refetch counts, because then only the bytes of this one go. What was taken back earlier does not
    count either, so the state is the one before the oldest in a row of those.
    """
    if counting(refetches[place + 1 :]) is not None:
        return None
    while place and refetches[place - 1].taken_back_by:
        place -= 1
    return refetches[place]

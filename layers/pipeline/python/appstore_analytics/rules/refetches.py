"""The current segments of an instance that runs have downloaded again, and its state after they are taken back.

    first download ◄── refetch of run 1 ◄── refetch of run 2      each knows how the ledger had the instance before it
                       taken back                                 the newest that is not taken back counts

So rollbacks of refetches have the same result in any order.
"""

from collections.abc import Sequence

from appstore_analytics.model.instances import Refetch


def counting(refetches: Sequence[Refetch]) -> Refetch | None:
    """The refetch whose segments count, of these (oldest first); None for those of the first download."""
    return next((each for each in reversed(refetches) if not each.taken_back_by), None)


def state_without(refetches: Sequence[Refetch], place: int) -> Refetch | None:
    """The ledger's entry for the instance before the refetch at `place`, which is taken back: this entry is restored.

    None if a newer refetch counts, because then only the bytes of this one are dropped. If refetches directly before it
    were taken back too, the entry is the one before the oldest of them.
    """
    if counting(refetches[place + 1 :]) is not None:
        return None
    while place and refetches[place - 1].taken_back_by:
        place -= 1
    return refetches[place]

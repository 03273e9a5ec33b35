"""The number of items of a Map that are processed at once."""

from dataclasses import dataclass

_LANES_OF_A_BATCH = 2  # with one, a slow item holds up nine others; with ten, nine lanes wait for the slowest


@dataclass(frozen=True, slots=True)
class Lanes:
    """The number of children of a Map that run at once, and of items that each processes at a time."""

    children: int
    in_a_child: int = 1

    @classmethod
    def of_batches(cls, items_at_once: int) -> "Lanes":
        """At most `items_at_once` items in all. Never 0, which Step Functions reads as "without limit"."""
        in_a_child = min(_LANES_OF_A_BATCH, items_at_once)
        return cls(items_at_once // in_a_child, in_a_child)

"""A cache for objects that do not change: the least recently used is dropped first."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import TypeVar

_T = TypeVar("_T")


class Remembered:
    """At most `most` values by name. A name includes the version, so no value is ever outdated."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[Hashable, object] = OrderedDict()
        self._lock = Lock()

    def get(self, name: Hashable, make: Callable[[], _T]) -> _T:
        """The value with this name; `make` computes a missing one. Two threads can compute the same value."""
        with self._lock:
            if name in self._values:
                self._values.move_to_end(name)
                return self._values[name]  # type: ignore[return-value]
        made = make()
        self.put(name, made)
        return made

    def put(self, name: Hashable, value: object) -> None:
        """Store a value."""
        with self._lock:
            self._values[name] = value
            self._values.move_to_end(name)
            while len(self._values) > self._most:
                self._values.popitem(last=False)

"""The number of calls to each route, and their results."""

import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field


@dataclass
class CallStatistics:
    """Calls per route ("POST /v1/analyticsReportRequests") and status ("201"; "reset" without one). Thread safe."""

    _counts: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, route: str, status: str) -> None:
        """One more call."""
        with self._lock:
            self._counts[route][status] += 1

    def calls(self, route: str) -> int:
        """All calls of a route, however they ended."""
        with self._lock:
            return self._counts[route].total() if route in self._counts else 0

    def by_route(self) -> dict[str, dict[str, int]]:
        """Everything counted so far."""
        with self._lock:
            return {route: dict(counts) for route, counts in sorted(self._counts.items())}

    def reset(self) -> None:
        """Starts at zero."""
        with self._lock:
            self._counts.clear()

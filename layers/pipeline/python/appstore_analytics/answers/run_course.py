"""The states and times of a run's stages, from the times at which their items were planned, and from the run's waits.

A backfill goes through all Maps again every hour until Apple has built its snapshot. Each round overwrites the times of
the one before, and before the snapshot has come the later Maps are planned without items:

    Register ── Land, Publish, Verify: no items ── waits ── Register ── Land ── Publish ── Verify
    └── Register ──────────────────────────────┘└── Land ──────────────────────┘└─ …             as a stage
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from appstore_analytics.answers.run_stages import Stage, StageWait
from appstore_analytics.contract.maps import MapName
from appstore_analytics.contract.waits import WaitFor

WAITING, UNDER_WAY, DONE = "waiting", "running", "done"


@dataclass(frozen=True, slots=True)
class Counts:
    """The items of one Map. `is_known`: whether their number is known before the run has ended."""

    unit: str
    total: int = 0
    done: int = 0
    failed: int = 0
    is_known: bool = True

    @property
    def has_nothing_left(self) -> bool:
        """Whether every item has ended."""
        return self.is_known and self.done == self.total


@dataclass(frozen=True)
class Course:
    """One run. `planned` has the time at which the items of each Map were last planned; `ended_at` is None until the
    run has ended."""

    names: Sequence[MapName]
    counts: Mapping[MapName, Counts]
    planned: Mapping[MapName, datetime]
    started_at: datetime
    ended_at: datetime | None
    waits: tuple[StageWait, ...]

    def stages(self) -> tuple[Stage, ...]:
        """The stages in order."""
        return tuple(map(self._stage, self.names))

    def _stage(self, name: MapName) -> Stage:
        counts = self.counts[name]
        started, ended = self._started(name), self._ended(name)
        waits = (
            wait for wait in self.waits if started and wait.until > started and (ended is None or wait.since < ended)
        )
        return Stage(
            name.lower(),
            self._state(name),
            counts.unit,
            counts.total,
            counts.done,
            counts.failed,
            started,
            ended if started else None,
            tuple(waits),
        )

    @cached_property
    def _snapshot(self) -> StageWait | None:
        """The wait of a backfill for its snapshot, past or current."""
        return next((wait for wait in self.waits if wait.waits_for == WaitFor.SNAPSHOT), None)

    @cached_property
    def _round(self) -> Mapping[MapName, datetime]:
        """The Maps that were planned since the first one was planned last."""
        found: dict[MapName, datetime] = {}
        for name in self.names:
            if name not in self.planned or self.planned[name] < max(found.values(), default=self.planned[name]):
                break
            found[name] = self.planned[name]
        return found

    def _state(self, name: MapName) -> str:
        """Without items a Map has nothing to do, or in a backfill whose snapshot has not come, nothing to do yet."""
        if self.ended_at:
            return DONE
        counts = self.counts[name]
        without = WAITING if self._snapshot or name not in self._round else DONE
        if counts.has_nothing_left:
            return DONE if counts.total else without
        if name not in self._round:
            return WAITING
        return DONE if self._next(name) else UNDER_WAY

    def _next(self, name: MapName) -> datetime | None:
        """When the next Map was planned."""
        following = self.names[self.names.index(name) + 1 :]
        return next((self._round[each] for each in following if each in self._round), None)

    def _started(self, name: MapName) -> datetime | None:
        if self._snapshot and name is MapName.REGISTER:
            return self.started_at
        if self._snapshot and name is MapName.LAND:
            return self._snapshot.since
        return self._round.get(name) if self.ended_at or self._state(name) != WAITING else None

    def _ended(self, name: MapName) -> datetime | None:
        if self._snapshot and name is MapName.REGISTER:
            return self._snapshot.since
        return None if self._state(name) == WAITING else self._next(name) or self.ended_at

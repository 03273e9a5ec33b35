"""A wait of a run: its reason and its end."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from appstore_analytics.contract.waits import WaitFor


@dataclass(frozen=True, slots=True)
class Wait:
    """Steps of a run that wait until `until` for something that was not ready at `since`; `times` counts the tries."""

    waits_for: WaitFor
    since: datetime
    until: datetime
    times: int = 1

    @property
    def now(self) -> str:
        """The wait of a run that is under way."""
        return f"waits for {self.waits_for} until {_instant(self.until)}"

    @property
    def past(self) -> str:
        """The waits of a run that has ended."""
        times = "once" if self.times == 1 else f"{self.times:,} times"
        return f"It waited for {self.waits_for} {times}, from {_instant(self.since)} until {_instant(self.until)}."


def longest(waits: Iterable[Wait], now: datetime) -> Wait | None:
    """The wait that ends last among those in progress; None if the run waits for nothing."""
    return max((wait for wait in waits if wait.until > now), key=lambda wait: wait.until, default=None)


def by_cause(waits: Iterable[Wait]) -> tuple[Wait, ...]:
    """The waits of a run, one per reason."""
    found: dict[WaitFor, Wait] = {}
    for wait in waits:
        known = found.get(wait.waits_for, Wait(wait.waits_for, wait.since, wait.until, 0))
        since, until = min(known.since, wait.since), max(known.until, wait.until)
        found[wait.waits_for] = Wait(wait.waits_for, since, until, known.times + wait.times)
    return tuple(found[waits_for] for waits_for in WaitFor if waits_for in found)


def _instant(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"

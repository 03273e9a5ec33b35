"""The crash matrix: every point of the day's run at which a function can die, and a sample of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from tests.integration.crash.day import Death, Ending, Moment, Seen, Sequel, live_through, losses, morning
from tests.integration.morning import Morning


@dataclass(frozen=True, slots=True)
class Case:
    """One cell of the matrix: the place of a function's death, also as text, and what follows."""

    step: str
    call: str
    death: Death
    sequel: Sequel


WRITES = ("PutObject", "PutItem", "UpdateItem", "DeleteItem", "POST")


def every_case(undisturbed: Ending) -> list[Case]:
    """Before and after every call of every function, with both sequels.

    After one call and before the next of the same function is one point: no other process can see a difference.
    """
    return [
        Case(seen.step, str(seen.call), Death(seen.invocation, seen.position, moment), sequel)
        for seen, following in zip(undisturbed.calls, [*undisturbed.calls[1:], None], strict=True)
        for moment in _moments(seen, following)
        for sequel in Sequel
    ]


def _moments(seen: Seen, following: Seen | None) -> tuple[Moment, ...]:
    is_last = following is None or following.invocation != seen.invocation
    return (Moment.BEFORE, Moment.AFTER) if is_last else (Moment.BEFORE,)


def sample(cases: Sequence[Case]) -> list[Case]:
    """Every kind of write of every step and every step's end, given up: the first and the last of its kind, in turn."""
    kinds: dict[tuple[str, str, Moment], list[Case]] = {}
    for case in cases:
        _, operation, _ = case.call.split(" ", 2)
        if case.sequel is Sequel.GIVEN_UP and (operation in WRITES or case.death.moment is Moment.AFTER):
            kinds.setdefault((case.step, operation, case.death.moment), []).append(case)
    return [of_kind[-(number % 2)] for number, of_kind in enumerate(kinds.values())]


@cache
def the_morning() -> Morning:
    """Computed once per process."""
    return morning()


@cache
def undisturbed_day() -> Ending:
    """The result that every case is compared with."""
    return live_through(the_morning())


def losses_of(case: Case) -> list[str]:
    """The losses of a case; empty if there are none."""
    return losses(undisturbed_day(), live_through(the_morning(), case.death, case.sequel), case.sequel)

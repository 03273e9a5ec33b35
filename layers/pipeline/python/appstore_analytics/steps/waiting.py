"""The outcome `wait` of a step that is too early: its Map child waits and calls it again. No function sleeps."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from appstore_analytics.contract.errors import NotReady
from appstore_analytics.contract.maps import Outcome, step_result
from appstore_analytics.contract.waits import WaitFor
from appstore_analytics.model.items import Item
from appstore_analytics.registry import Registry

_Arguments = ParamSpec("_Arguments")


def waits_when_not_ready(step: Callable[_Arguments, dict[str, str]]) -> Callable[_Arguments, dict[str, str]]:
    """Turn NotReady into the outcome `wait`, with the time at which to come back; the registry records the reason.

    The step's first argument is its item; one of the others is the registry.
    """

    @wraps(step)
    def step_or_wait(*arguments: _Arguments.args, **named: _Arguments.kwargs) -> dict[str, str]:
        try:
            return step(*arguments, **named)
        except NotReady as early:
            _note(early, *arguments)  # type: ignore[arg-type]
            return step_result(Outcome.WAIT, early.available_at)

    return step_or_wait


def _note(early: NotReady, item: Item, *others: object) -> None:
    registry = next((each for each in others if isinstance(each, Registry)), None)
    if registry is not None and early.waits_for is not WaitFor.NOTHING:
        registry.waits.note(item.run_id, early.waits_for, early.available_at, registry.clock())

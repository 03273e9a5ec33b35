"""How a step says that it is only too early: its Map child waits and calls it again. No Lambda sleeps for a quota."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from appstore_analytics.contract.errors import NotReady
from appstore_analytics.contract.maps import Outcome, step_result

_Arguments = ParamSpec("_Arguments")


def waits_when_not_ready(step: Callable[_Arguments, dict[str, str]]) -> Callable[_Arguments, dict[str, str]]:
    """Turn NotReady into the outcome `wait`, with the time at which to come back."""

    @wraps(step)
    def step_or_wait(*arguments: _Arguments.args, **named: _Arguments.kwargs) -> dict[str, str]:
        try:
            return step(*arguments, **named)
        except NotReady as early:
            return step_result(Outcome.WAIT, early.available_at)

    return step_or_wait

"""When an instance is to blame for the deaths of the function that converts it."""

from collections.abc import Collection
from datetime import datetime, timedelta

from appstore_analytics.model.instances import Attempt

_LONGEST_LIFE = timedelta(minutes=15)
"""AWS ends every function by then."""

_DEATHS_FORGIVEN = 1
"""A host can fail once; two deaths in the same file are its doing."""


def died_too_often(attempts: Collection[Attempt], run_id: str, now: datetime) -> bool:
    """Whether the instance must not be tried again by `run_id`, `attempts` being those that have not ended.

    One of the same run has died, because a run tries an instance again only after the attempt before. One of another
    run may be under way until it is older than any function.
    """
    died = [each for each in attempts if each.run_id == run_id or each.begun_at < now - _LONGEST_LIFE]
    return len(died) > _DEATHS_FORGIVEN

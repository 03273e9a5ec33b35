"""The rule by which an instance is to blame for the deaths of the function that converts it."""

from collections.abc import Collection
from datetime import datetime, timedelta

from appstore_analytics.model.instances import Attempt

_LONGEST_LIFE = timedelta(minutes=15)
"""The longest life of a function on AWS."""

_DEATHS_FORGIVEN = 1
"""One death can be the host's; two deaths in the same file are the file's fault."""


def died_too_often(attempts: Collection[Attempt], run_id: str, now: datetime) -> bool:
    """Whether the instance must not be tried again by `run_id`, `attempts` being those that have not ended.

    An attempt of the same run has died, because a run retries an instance only after the previous attempt. One of
    another run can still be running until it is older than any function.
    """
    died = [each for each in attempts if each.run_id == run_id or each.begun_at < now - _LONGEST_LIFE]
    return len(died) > _DEATHS_FORGIVEN

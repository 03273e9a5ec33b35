"""The rule that decides whether an instance caused the deaths of the function that converts it."""

from collections.abc import Collection
from datetime import datetime, timedelta

from appstore_analytics.model.instances import Attempt

_LONGEST_LIFE = timedelta(minutes=15)
"""The longest life of a function on AWS."""

_DEATHS_FORGIVEN = 1
"""One death can be the host's fault; two deaths on the same file are the file's fault."""


def died_too_often(attempts: Collection[Attempt], run_id: str, now: datetime) -> bool:
    """Whether `run_id` must not try the instance again; `attempts` are the attempts that have not ended.

    An attempt of the same run has died, because a run retries an instance only after the previous attempt. An attempt
    of another run can still be running until it is older than any function can be.
    """
    died = [each for each in attempts if each.run_id == run_id or each.begun_at < now - _LONGEST_LIFE]
    return len(died) > _DEATHS_FORGIVEN

"""The Distributed Maps, and what their children and functions tell each other.

Rows, keys, tokens and signed URLs never enter a state. Facts live in DynamoDB and S3; a Map's child ends with `{}`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum


class MapName(StrEnum):
    """The five Distributed Maps, in order; each operation runs some of them."""

    REGISTER = "REGISTER"
    RESTORE = "RESTORE"
    LAND = "LAND"
    PUBLISH = "PUBLISH"
    VERIFY = "VERIFY"


DISPENSABLE: Mapping[str, str] = {"list_releases": "Releases were not read"}
"""Steps behind the Maps that no data depends on, and what it means when one fails: a notice, and the run goes on.

The state machine keeps the error under `error_of(step)` in the state that summarize_run gets.
"""


def error_of(step: str) -> str:
    """Where the state has the error of a dispensable step."""
    return f"{step}_error"


MOST_ITEMS_OF_A_PASS = 50_000
"""How many items a Map is handed at once. A run passes through the Map again until every item has been handed out.

A Map answers with its children's outputs, `{}` each, and 256 KiB at most (Step Functions quotas): 87,381 of them. Less
than that, because plan_items holds the items of a pass in its memory.
"""

FROM_THE_BEGINNING = ""
"""What `after` is before the first pass of a Map, and again when nothing is left for another one."""


ITEMS_OF_A_BATCH = 10
"""Items of an Express child, which costs one state transition whatever it holds.

Twenty would save another $0.03 a month for 100 apps, and come nearer to the five minutes that the child lives.
"""


class Outcome(StrEnum):
    """What a Map's child does after a step."""

    NEXT = "next"
    DONE = "done"
    WAIT = "wait"  # until `available_at`, then the same step again


def step_result(outcome: Outcome, available_at: datetime | None = None) -> dict[str, str]:
    """What a step returns to its child; a Wait state reads `available_at`."""
    return {"outcome": outcome, **({"available_at": utc_text(available_at)} if available_at else {})}


def utc_text(instant: datetime) -> str:
    """What a Wait state reads (UTC, ISO 8601 with Z).

    In whole seconds, and up: who comes back a moment too early waits once more.
    """
    return (instant + timedelta(microseconds=999_999)).strftime("%Y-%m-%dT%H:%M:%SZ")

"""The cost of a run on AWS, from quantities that are known before it starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from appstore_analytics.contract.maps import ITEMS_OF_A_BATCH
from appstore_analytics.contract.prices import (
    ATHENA_LEAST_MB,
    ATHENA_MB,
    DYNAMODB_WRITES,
    EXPRESS_REQUESTS,
    LAMBDA_CALLS,
    LAMBDA_GB_SECONDS,
    S3_READS,
    S3_WRITES,
    TRANSITIONS,
    Price,
)

TRANSITIONS_OF_A_RUN = 28
TRANSITIONS_OF_A_LOOK = 14
"""The states that an execution itself enters: in a run whose Maps all have items, and in each check for a snapshot that
is not ready. A test counts them in the template."""

LOOKS_FOR_A_SNAPSHOT = 48
"""Apple builds a snapshot in 24 to 48 hours, and the execution looks for it every hour."""

_CALLS_OF_A_LOOK = 5  # plan_items for Register twice, and for each of the Maps after it
_TRANSITIONS_PER_STANDARD_CHILD = 4  # its start, and the three states that it enters
_WRITES_PER_INSTANCE = 10
_WRITES_PER_PART = 2  # its line in the journal, and the dirty mark of its Date
_GIGABYTE_SECONDS_PER_CALL = 1
_GIGABYTE_SECONDS_PER_PART = 0.2
"""More than `python -m benchmarks.cost` counts for a usual day, because a snapshot's files are larger."""


@dataclass(frozen=True, slots=True)
class CostLine:
    """One line of the bill."""

    what: str
    count: int
    us_dollars: float


@dataclass(frozen=True, slots=True)
class Work:
    """The work of a run: `instances` is at least one per app and table, `parts` one per app, table and Date.

    `snapshots` are those that it requests; it then looks for each of them every hour.
    """

    apps: int
    tables: int
    instances: int
    parts: int
    dates: int
    snapshots: int = 0


def cost_of(work: Work) -> tuple[CostLine, ...]:
    """The lines of the bill for this work, without storage, which depends on Apple's files."""
    items = work.apps + work.instances
    express_children = ceil(work.apps / ITEMS_OF_A_BATCH) + ceil(work.instances / ITEMS_OF_A_BATCH)
    standard_children = work.dates + work.tables
    looks = LOOKS_FOR_A_SNAPSHOT if work.snapshots else 0
    express_children += looks * ceil(work.snapshots / ITEMS_OF_A_BATCH)
    calls = 2 * items + standard_children  # two functions per app and per instance
    calls += looks * (2 * work.snapshots + _CALLS_OF_A_LOOK)
    counts: Mapping[Price, int] = {
        S3_WRITES: work.instances + work.parts + 5 * work.dates,
        S3_READS: 2 * calls + 2 * work.parts,
        LAMBDA_CALLS: calls,
        LAMBDA_GB_SECONDS: round(calls * _GIGABYTE_SECONDS_PER_CALL + work.parts * _GIGABYTE_SECONDS_PER_PART),
        EXPRESS_REQUESTS: express_children,
        TRANSITIONS: TRANSITIONS_OF_A_RUN
        + looks * TRANSITIONS_OF_A_LOOK
        + express_children
        + standard_children * _TRANSITIONS_PER_STANDARD_CHILD,
        DYNAMODB_WRITES: (items + looks * work.snapshots + standard_children) * _WRITES_PER_INSTANCE
        + work.parts * _WRITES_PER_PART,
        ATHENA_MB: work.tables * ATHENA_LEAST_MB,
    }
    return tuple(CostLine(price.what, count, round(price.of(count), 4)) for price, count in counts.items())

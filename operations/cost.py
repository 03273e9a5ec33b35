"""What work costs on AWS, from things that can be counted before it is done."""

from collections.abc import Mapping
from dataclasses import dataclass

_US_DOLLARS = {
    "S3 writes and listings": 0.005 / 1_000,
    "S3 reads": 0.0004 / 1_000,
    "Lambda calls": 0.20 / 1_000_000,
    "Lambda GB-seconds": 0.0000166667,
    "Step Functions transitions": 0.025 / 1_000,
    "DynamoDB writes": 0.625 / 1_000_000,
    "Athena MB scanned": 5.0 / 1_000_000,
}
"""On-demand list prices of us-east-1 without any free tier (AWS's price pages). Other regions differ a little."""

_GIGABYTE_SECONDS_PER_CALL = 4
"""Two seconds with 2 GB: an assumption, on the safe side for files of some MB."""

_TRANSITIONS_PER_ITEM = 6
_WRITES_PER_INSTANCE = 8
_ATHENA_LEAST_MB = 10
"""Athena bills at least so much per query."""


@dataclass(frozen=True, slots=True)
class CostLine:
    """One thing that AWS counts."""

    what: str
    count: int
    us_dollars: float


@dataclass(frozen=True, slots=True)
class Work:
    """What a run does, counted: `instances` at least one per app and table, `parts` one per app, table and Date."""

    apps: int
    tables: int
    instances: int
    parts: int
    dates: int


def cost_of(work: Work) -> tuple[CostLine, ...]:
    """The lines of a bill for this work. Storage is not among them: it depends on what Apple sends."""
    items = work.apps + work.instances + work.dates + work.tables
    calls = items + work.apps + work.instances  # two functions per app and per instance, one per Date and table
    counts: Mapping[str, int] = {
        "S3 writes and listings": work.instances + work.parts + 4 * work.dates,
        "S3 reads": work.instances + 2 * work.parts + 2 * work.dates,
        "Lambda calls": calls,
        "Lambda GB-seconds": calls * _GIGABYTE_SECONDS_PER_CALL,
        "Step Functions transitions": items * _TRANSITIONS_PER_ITEM,
        "DynamoDB writes": items * _WRITES_PER_INSTANCE,
        "Athena MB scanned": work.tables * _ATHENA_LEAST_MB,
    }
    return tuple(CostLine(what, count, round(count * _US_DOLLARS[what], 4)) for what, count in counts.items())

"""The Distributed Maps, and the messages between their children and functions.

Rows, keys, tokens and signed URLs never enter a state. Facts live in DynamoDB and S3; a Map's child ends with `{}`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class MapName(StrEnum):
    """The Distributed Maps, in order; each operation runs some of them."""

    REGISTER = "REGISTER"
    RESTORE = "RESTORE"
    LAND = "LAND"
    PUBLISH = "PUBLISH"
    VERIFY = "VERIFY"

    @property
    def traits(self) -> "MapTraits":
        """Its row of `MAPS`."""
        return MAPS[self]


@dataclass(frozen=True, slots=True)
class MapTraits:
    """The properties of one Map.

    `steps`: the steps of an item, in order. `unit`: what an item is, for people. `only_begins`: whether it runs only as
    the first Map of an operation. `is_of_apps`: whether an item belongs to one app, whose id is in its record's key.
    `shown_sums`: the facts of the items whose sums a run's progress shows.
    """

    steps: tuple[str, ...]
    unit: str
    only_begins: bool = False
    is_of_apps: bool = False
    shown_sums: tuple[str, ...] = ()


MAPS: Mapping[MapName, MapTraits] = {
    MapName.REGISTER: MapTraits(
        ("register_request", "list_instances"), "apps", only_begins=True, is_of_apps=True, shown_sums=("calls",)
    ),
    MapName.RESTORE: MapTraits(("restore_parts",), "instances", only_begins=True, is_of_apps=True),
    MapName.LAND: MapTraits(
        ("download_segments", "convert_instance"),
        "instances",
        is_of_apps=True,
        shown_sums=("calls", "rows_raw", "rows_dropped"),
    ),
    MapName.PUBLISH: MapTraits(("publish_date",), "Dates", shown_sums=("rows",)),
    MapName.VERIFY: MapTraits(("verify_table",), "tables", shown_sums=("rows",)),
}

MAPS_OF_APPS = tuple(name for name in MapName if name.traits.is_of_apps)


DISPENSABLE: Mapping[str, str] = {
    "compact_months": "Months of KPIs were not compacted",
    "list_releases": "Releases were not read",
}
"""Steps after the Maps that no data depends on, in order, each with the notice for its failure; the run continues.

The state machine keeps the error under `error_of(step)` in the state that summarize_run gets.
"""


def error_of(step: str) -> str:
    """The field of the state with the error of a dispensable step."""
    return f"{step}_error"


MOST_ITEMS_OF_A_PASS = 50_000
"""The most items that one pass hands to a Map. A run repeats the Map until every item has been handed out.

A Map's result is its children's outputs, `{}` each, of at most 256 KiB (Step Functions quotas): 87,381 of them. The
limit is lower, because plan_items holds the items of a pass in its memory.
"""

FROM_THE_BEGINNING = ""
"""The value of `after` before the first pass of a Map, and after its last pass."""


ITEMS_OF_A_BATCH = 10
"""Items of an Express child, which costs one state transition regardless of their number.

Twenty would save another $0.03 a month for 100 apps, but come closer to the child's limit of five minutes.
"""


class Outcome(StrEnum):
    """The action of a Map's child after a step."""

    NEXT = "next"
    DONE = "done"
    WAIT = "wait"  # until `available_at`, then the same step again


def step_result(outcome: Outcome, available_at: datetime | None = None) -> dict[str, str]:
    """The result of a step for its child; a Wait state reads `available_at`."""
    return {"outcome": outcome, **({"available_at": utc_text(available_at)} if available_at else {})}


def utc_text(instant: datetime) -> str:
    """A time for a Wait state (UTC, ISO 8601 with Z).

    Rounded up to whole seconds, because coming back a moment too early costs another wait.
    """
    return (instant + timedelta(microseconds=999_999)).strftime("%Y-%m-%dT%H:%M:%SZ")

"""The data in Step Functions, read from the histories of executions: sizes in bytes, and events."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MOST_EVENTS = 25_000
"""The maximum in the history of one execution (Step Functions quotas)."""

_DATA = ("input", "output", "parameters")
_EVENTS_OF_A_MAP = 4  # started, run started, run succeeded, succeeded: ministack writes none of these

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Largest:
    """The largest value, and its subject."""

    size: int = 0
    where: str = ""

    def or_larger(self, size: int, where: str) -> "Largest":
        """The larger of the two."""
        return Largest(size, where) if size > self.size else self


@dataclass(frozen=True, slots=True)
class MapRun:
    """One Map: its items and children, how long it ran, and the children's results as they reach the Map, in bytes."""

    name: str
    items: int
    children: int
    failed: int
    seconds: float
    result_bytes: int


@dataclass
class Travelled:
    """One execution with its children: the largest data of a state, the largest payload of a task, and the events."""

    data: Largest = Largest()
    payload: Largest = Largest()
    events_of_parent: int = 0
    events_of_child: Largest = Largest()
    maps: tuple[MapRun, ...] = ()

    def look_at(self, events: list[Event]) -> None:
        """Measure all data in an execution's events."""
        state = ""
        for event in events:
            for details in (value for value in event.values() if isinstance(value, dict)):
                state = str(details.get("name", state))
                for name in _DATA:
                    size = len((details.get(name) or "").encode())
                    self.data = self.data.or_larger(size, f"{name} of {state or 'an execution'}")
                    if event["type"] == "TaskScheduled":
                        self.payload = self.payload.or_larger(size, state)


def read_travelled(step_functions: Any, execution_arn: str) -> Travelled:
    """Reads the history of an execution and of every child of its Maps."""
    travelled = Travelled()
    parent = events_of(step_functions, execution_arn)
    travelled.look_at(parent)
    travelled.events_of_parent = _count(parent)
    names = [str(event["stateEnteredEventDetails"]["name"]) for event in parent if event["type"] == "MapStateEntered"]
    runs = sorted(step_functions.list_map_runs(executionArn=execution_arn)["mapRuns"], key=lambda run: run["startDate"])
    travelled.maps = tuple(
        _read_map(step_functions, run["mapRunArn"], name, travelled) for name, run in zip(names, runs, strict=True)
    )
    return travelled


def _read_map(step_functions: Any, arn: str, name: str, travelled: Travelled) -> MapRun:
    result_bytes = len("[")
    for child in children_of(step_functions, arn):
        events = events_of(step_functions, child)
        travelled.look_at(events)
        travelled.events_of_child = travelled.events_of_child.or_larger(_count(events), name)
        result_bytes += len(events[-1].get("executionSucceededEventDetails", {}).get("output", "")) + len(",")  # or "]"
    run = step_functions.describe_map_run(mapRunArn=arn)
    seconds = (run["stopDate"] - run["startDate"]).total_seconds()
    items, children = run["itemCounts"], run["executionCounts"]
    return MapRun(name, items["total"], children["total"], items["failed"], seconds, result_bytes)


def children_of(step_functions: Any, map_run_arn: str) -> Iterator[str]:
    """The ARNs of the children of a Map."""
    pages = step_functions.get_paginator("list_executions").paginate(mapRunArn=map_run_arn)
    return (execution["executionArn"] for page in pages for execution in page["executions"])


def events_of(step_functions: Any, execution_arn: str) -> list[Event]:
    """The whole history of an execution."""
    pages = step_functions.get_paginator("get_execution_history").paginate(
        executionArn=execution_arn, PaginationConfig={"PageSize": 1000}
    )
    return [event for page in pages for event in page["events"]]


def _count(events: list[Event]) -> int:
    """The events as AWS counts them: it also writes that a task has started, and four more for a Map."""
    types = [str(event["type"]) for event in events]
    return len(types) + types.count("TaskScheduled") + types.count("MapStateEntered") * _EVENTS_OF_A_MAP

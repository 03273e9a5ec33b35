"""Where an execution's time went, from its own history and the histories of its Maps' children."""

import json
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.load.histories import Event, children_of, events_of


@dataclass(frozen=True, slots=True)
class MapTime:
    """One Map: its items, its concurrency, its duration, and the seconds of its children's tasks by state."""

    name: str
    items: int
    lanes: int
    seconds: float
    task_seconds: Mapping[str, float]

    def wall_seconds(self) -> dict[str, float]:
        """The Map's own seconds by state: those of the tasks, divided by the concurrency."""
        return {state: seconds / self.lanes for state, seconds in self.task_seconds.items()}


@dataclass(frozen=True, slots=True)
class Timeline:
    """One execution: from its start to its end, its own tasks by state, and its Maps, which ran one after another."""

    seconds: float
    task_seconds: Mapping[str, float]
    maps: tuple[MapTime, ...]


def read_timeline(step_functions: Any, execution_arn: str) -> Timeline:
    """The timeline of an execution that has ended."""
    parent = events_of(step_functions, execution_arn)
    tasks = _seconds_by_state(parent, "Task")
    runs = sorted(step_functions.list_map_runs(executionArn=execution_arn)["mapRuns"], key=lambda run: run["startDate"])
    maps = zip(_stays(parent, "Map"), runs, strict=True)
    seconds = (parent[-1]["timestamp"] - parent[0]["timestamp"]).total_seconds()
    return Timeline(
        seconds,
        tasks,
        tuple(_map_time(step_functions, name, seconds, run["mapRunArn"]) for (name, seconds), run in maps),
    )


def _map_time(step_functions: Any, name: str, seconds: float, arn: str) -> MapTime:
    histories = [events_of(step_functions, child) for child in children_of(step_functions, arn)]
    run = step_functions.describe_map_run(mapRunArn=arn)
    items, children_at_once = run["itemCounts"]["total"], run["maxConcurrency"] or len(histories)
    lanes = min(items, children_at_once * _items_at_once_of_a_child(step_functions, run["executionArn"], name))
    tasks: dict[str, float] = defaultdict(float)
    for history in histories:
        for state, stay in _seconds_by_state(history, "Task").items():
            tasks[state] += stay
    return MapTime(name, items, lanes, seconds, dict(tasks))


def _items_at_once_of_a_child(step_functions: Any, execution_arn: str, name: str) -> int:
    """One, or the number of concurrent items in the inline Map of a child with a batch."""
    answer = step_functions.describe_state_machine_for_execution(executionArn=execution_arn)
    states = json.loads(answer["definition"])["States"][name]["ItemProcessor"]["States"].values()
    return max((int(state.get("MaxConcurrency", 1)) for state in states if state["Type"] == "Map"), default=1)


def _seconds_by_state(events: Iterable[Event], kind: str) -> dict[str, float]:
    seconds: dict[str, float] = defaultdict(float)
    for name, stay in _stays(events, kind):
        seconds[name] += stay
    return dict(seconds)


def _stays(events: Iterable[Event], kind: str) -> Iterator[tuple[str, float]]:
    """Each visit of a state of this kind: its name and duration.

    The items of a batch visit one state at the same time. The history does not say which item leaves; a sum does not
    need it.
    """
    entered: dict[str, deque[datetime]] = defaultdict(deque)
    for event in events:
        if event["type"] == f"{kind}StateEntered":
            entered[event["stateEnteredEventDetails"]["name"]].append(event["timestamp"])
        elif event["type"] == f"{kind}StateExited":
            name = event["stateExitedEventDetails"]["name"]
            yield name, (event["timestamp"] - entered[name].popleft()).total_seconds()

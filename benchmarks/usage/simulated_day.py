"""A usual day for a virtual run: the functions' answers and durations, and Apple's quota.

All keys have the same number of apps, so all keys together are one budget.
"""

import random
import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from appstore_analytics.contract.maps import (
    DISPENSABLE,
    FROM_THE_BEGINNING,
    MOST_ITEMS_OF_A_PASS,
    MapName,
    Outcome,
    utc_text,
)
from appstore_analytics.contract.operations import Operation
from appstore_analytics.rules.call_budget import available_at, ceiling, is_given_back, minute_of
from benchmarks.usage.bill import Model
from benchmarks.usage.deployment import State
from benchmarks.usage.virtual_run import now

_SPREAD = 0.3
"""The time of a call varies by up to this share."""

_REFUSED_SECONDS = 0.1
_LAST_STEPS = frozenset({"list_instances", "convert_instance", "publish_date", "verify_table"})


class SimulatedDay:
    """The world of a run: every app has a new instance for each report, and nothing goes wrong."""

    def __init__(self, model: Model, apps: int) -> None:
        reports = len(model.reports)
        self._counts = {
            MapName.REGISTER: apps,
            MapName.LAND: apps * reports,
            MapName.PUBLISH: model.dates,
            MapName.VERIFY: reports,
        }
        self._random = random.Random(apps)  # noqa: S311 (how long a call takes)
        self._seconds = {step: model.seconds_of_a_call(step, apps) for step in model.deployed.memory_gb}
        self._calls = {"list_instances": reports, "download_segments": 1}
        self._most = model.keys(apps) * ceiling(model.deployed.configuration.calls_per_hour, Operation.DAILY)
        self._used: Counter[int] = Counter()
        self._open: dict[MapName, dict[int, None]] = {}
        self._manifests: dict[str, list[State]] = {}
        self.planned_at: dict[str, datetime] = {}
        self.apple_calls = 0
        self.waited = timedelta()

    @property
    def items(self) -> int:
        """The items of all Maps."""
        return sum(self._counts.values())

    def seconds(self, function: str) -> float:
        """The duration of this call; one that finds no Apple calls left ends soon."""
        step = _step(function)
        if self._is_used_up(step):
            return _REFUSED_SECONDS
        return self._seconds[step] * self._random.uniform(1 - _SPREAD, 1 + _SPREAD)

    def call(self, function: str, payload: Any) -> Any:
        """The function's answer."""
        step = _step(function)
        if step == "plan_run":
            return {"run_id": "r1", "operation": "daily", "plan": {"after": FROM_THE_BEGINNING}}
        if step == "plan_items":
            map_name = MapName(payload["map"])
            plan = self._plan_left if payload.get("left") else self._plan
            return {"waiting": False, **plan(map_name, str(payload["after"]))}
        if step in DISPENSABLE:
            return {}
        if step == "summarize_run":
            left = {name: items for name, items in self._open.items() if items}
            return {
                "status": "FAILED" if left else "SUCCEEDED",
                "cause": f"{len(left)} Maps have items without a verdict.",
            }
        return self._item(step, payload)

    def record_failure(self, data: State) -> None:
        """An item whose step has failed: none does."""
        raise AssertionError(f"{data['record']} failed: {data['error']}")

    def manifest(self, key: str) -> list[State]:
        """The items of a Map."""
        return self._manifests[key]

    # plan_items, with numbers as items

    def _plan(self, map_name: MapName, after: str) -> State:
        if after == FROM_THE_BEGINNING:
            self._open[map_name] = dict.fromkeys(range(self._counts[map_name]))
            self.planned_at.setdefault(map_name, now())
        return self._pass(map_name, after)

    def _plan_left(self, map_name: MapName, after: str) -> State:
        most = self._most // self._calls_of_an_item(map_name)
        left = len(self._open[map_name])
        instant = self._available_at(min(left, most) * self._calls_of_an_item(map_name)) if left else now()
        if instant <= now():
            return self._pass(map_name, after)
        self.waited += instant - now()
        answer = self._handed_out(map_name, list(islice(self._open[map_name], most)))
        return {**answer, "after": FROM_THE_BEGINNING, "available_at": utc_text(instant)}

    def _pass(self, map_name: MapName, after: str) -> State:
        ahead = [item for item in self._open[map_name] if after == FROM_THE_BEGINNING or item > int(after)]
        items = ahead[:MOST_ITEMS_OF_A_PASS]
        following = str(items[-1]) if len(ahead) > len(items) else FROM_THE_BEGINNING
        return {**self._handed_out(map_name, items), "after": following}

    def _handed_out(self, map_name: MapName, items: list[int]) -> State:
        key = f"{map_name}-{len(self._manifests)}"
        self._manifests[key] = [{"run_id": "r1", "map": map_name, "record": item} for item in items]
        return {"manifest_key": key, "items": len(items)}

    def _calls_of_an_item(self, map_name: MapName) -> int:
        return self._calls["list_instances" if map_name is MapName.REGISTER else "download_segments"]

    # The steps of an item

    def _item(self, step: str, payload: Mapping[str, Any]) -> State:
        if self._is_used_up(step):
            return {"outcome": Outcome.WAIT, "available_at": utc_text(self._available_at(self._calls[step]))}
        calls = self._calls.get(step, 0)
        self._used[minute_of(now())] += calls
        self.apple_calls += calls
        if step not in _LAST_STEPS:
            return {"outcome": Outcome.NEXT}
        self._open[payload["map"]].pop(payload["record"], None)
        return {"outcome": Outcome.DONE}

    def _is_used_up(self, step: str) -> bool:
        calls = self._calls.get(step, 0)
        return calls > 0 and self._available_at(calls) > now()

    def _available_at(self, calls: int) -> datetime:
        for minute in [minute for minute in self._used if is_given_back(minute, now())]:
            del self._used[minute]
        if sum(self._used.values()) + calls <= self._most:
            return now()
        return available_at(self._used, calls, self._most, now())


def _step(function: str) -> str:
    """`PlanRun` → `plan_run`."""
    return re.sub(r"(?<!^)([A-Z])", r"_\1", function).lower()

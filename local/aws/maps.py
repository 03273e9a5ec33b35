"""Step Functions: batches of a Distributed Map, the item counts of its Map Run, and the limits of an inline Map."""

import contextvars
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.aws.ministack import module, original, replace

PATCH = "maps"
MOST_ITERATIONS_AT_ONCE = 40
"""The concurrency limit of an inline Map (Developer Guide, "Inline mode")."""

_READS_ITEMS = ("ItemReader", "ItemsPath", "ItemSelector", "ItemBatcher")
_BATCHER_FIELDS = frozenset({"MaxItemsPerBatch", "BatchInput"})

State = dict[str, Any]

_items_of_batches: dict[str, int] = {}
"""The number of items of a Map Run with batches, by the label in its children's ARNs."""


@dataclass(frozen=True, slots=True)
class _Iterations:
    """The iterations of one inline Map: the states that each of them runs, and whether one of them has failed."""

    states: Mapping[str, Any]
    failed: threading.Event = field(default_factory=threading.Event)


_iterations: contextvars.ContextVar[_Iterations | None] = contextvars.ContextVar("iterations", default=None)


def patch() -> None:
    """Replace the functions that run a Map of either mode, run one of its iterations, and describe a Map Run."""
    service = module("services.stepfunctions")
    error = original(service, "_ExecutionError", patch=PATCH)
    replace(service, "_run_distributed_map", lambda run: _with_batches(run, service, error), patch=PATCH)
    replace(service, "_map_run_view", lambda view: _with_items_counted(view, service), patch=PATCH)
    replace(service, "_run_map_items", _with_inline_limit, patch=PATCH)
    replace(service, "_run_sub_machine", lambda run: _stopping_after_a_failure(run, error), patch=PATCH)


def _with_batches(run: Callable[..., Any], service: Any, error: type[Exception]) -> Callable[..., Any]:
    """ItemBatcher: a child's input is `{"BatchInput": …, "Items": […]}`; ministack would start a child per item."""

    def run_distributed_map(
        state: State, raw_input: Any, effective: Any, child: State, execution: State, context: State
    ) -> Any:
        batcher = state.get("ItemBatcher")
        if batcher is None:
            return run(state, raw_input, effective, child, execution, context)
        unknown = batcher.keys() - _BATCHER_FIELDS
        if unknown or "MaxItemsPerBatch" not in batcher:
            raise error(
                "States.Runtime", f"The embedded AWS batches by MaxItemsPerBatch only, not by {sorted(unknown)}."
            )
        items = _selected(state, _items(state, effective, context, service), effective, context, service)
        shared = {}
        if "BatchInput" in batcher:
            shared["BatchInput"] = service._resolve_params_obj(batcher["BatchInput"], effective, context)
        size = int(batcher["MaxItemsPerBatch"])
        batches = [{**shared, "Items": items[first : first + size]} for first in range(0, len(items), size)]
        label = state.get("Label") or service.new_uuid()
        _items_of_batches[label] = len(items)
        plain = {name: value for name, value in state.items() if name not in _READS_ITEMS}
        return run({**plain, "Label": label}, raw_input, batches, child, execution, context)

    return run_distributed_map


def _items(state: State, effective: Any, context: State, service: Any) -> list[Any]:
    if "ItemReader" in state:
        items = service._read_map_items(state["ItemReader"], effective, context)
    else:
        items = service._resolve_path_or_ctx(state.get("ItemsPath", "$"), effective, context)
    return items if isinstance(items, list) else [items]


def _selected(state: State, items: list[Any], effective: Any, context: State, service: Any) -> list[Any]:
    """ItemSelector shapes each item before it is put into a batch."""
    selector = state.get("ItemSelector")
    if selector is None:
        return items
    return [
        service._resolve_params_obj(selector, effective, {**context, "Map": {"Item": {"Index": index, "Value": item}}})
        for index, item in enumerate(items)
    ]


def _with_items_counted(view: Callable[[State], State], service: Any) -> Callable[[State], State]:
    """`itemCounts` counts items, `executionCounts` children; a failed child fails all its items."""

    def map_run_view(run: State) -> State:
        shown = view(run)
        total = _items_of_batches.get(run["_stateMachineArn"].rpartition("/")[2])
        if total is None:
            return shown
        counts = dict.fromkeys(run["itemCounts"], 0) | {"total": total, "pending": total}
        for child in list(service._executions.values()):
            if child.get("mapRunArn") == run["mapRunArn"]:
                items = len(json.loads(child["input"])["Items"])
                counts["pending"] -= items
                counts[child["status"].lower()] += items
        return {**shown, "itemCounts": counts}

    return map_run_view


def _with_inline_limit(run: Callable[..., Any]) -> Callable[..., Any]:
    """An inline Map runs at most 40 iterations at once; ministack runs all of them if MaxConcurrency is 0."""

    def run_map_items(state: State, raw_input: Any, execution: State, context: State) -> Any:
        processor = state.get("ItemProcessor") or state["Iterator"]
        if (processor.get("ProcessorConfig") or {}).get("Mode") == "DISTRIBUTED":
            return run(state, raw_input, execution, context)
        at_once = min(state.get("MaxConcurrency") or MOST_ITERATIONS_AT_ONCE, MOST_ITERATIONS_AT_ONCE)
        before = _iterations.set(_Iterations(processor["States"]))
        try:
            return run({**state, "MaxConcurrency": at_once}, raw_input, execution, context)
        finally:
            _iterations.reset(before)

    return run_map_items


def _stopping_after_a_failure(run: Callable[..., Any], error: type[Exception]) -> Callable[..., Any]:
    """A failed iteration fails its inline Map, which then starts no others; ministack would run all of them."""

    def run_sub_machine(
        states: Mapping[str, Any], start_at: str, input_data: Any, execution: State, context: State
    ) -> Any:
        iterations = _iterations.get()
        if iterations is None or iterations.states is not states:
            return run(states, start_at, input_data, execution, context)
        if iterations.failed.is_set():
            raise error("States.Aborted", "Another iteration of the Map failed before this one began.")
        try:
            return run(states, start_at, input_data, execution, context)
        except BaseException:
            iterations.failed.set()
            raise

    return run_sub_machine

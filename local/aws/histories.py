"""Step Functions: AWS's size limits, and the histories of a Map's children, which show how close a run comes to
them."""

import contextvars
import json
import threading
from collections.abc import Callable
from typing import Any

from local.aws.ministack import module, original, replace

PATCH = "histories"
LARGEST_DATA_BYTES = 256 * 1024
"""The maximum input or output of a state, a task or an execution, as UTF-8 (Step Functions quotas)."""

_DATA = ("input", "output", "parameters")

_running: contextvars.ContextVar[dict[str, Any]] = contextvars.ContextVar("running_execution")
_scheduled: contextvars.ContextVar[dict[str, Any] | None] = contextvars.ContextVar("scheduled_task", default=None)
_writing = threading.Lock()  # the iterations of an inline Map write into one history


def patch() -> None:
    """Replace the functions that write an event, run a child and its states, and call a task's resource."""
    service = module("services.stepfunctions")
    error = original(service, "_ExecutionError", patch=PATCH)
    replace(service, "_add_event", lambda add: _with_limit(add, error), patch=PATCH)
    replace(service, "_apply_result_selector", lambda select: _with_limited_result(select, error), patch=PATCH)
    replace(service, "_run_execution", lambda run: _known_as_running(run, service), patch=PATCH)
    replace(service, "_run_sub_machine", lambda run: _with_a_childs_events(run, service), patch=PATCH)
    for execute in ("_execute_pass", "_execute_choice", "_execute_wait", "_execute_task", "_execute_map"):
        replace(service, execute, lambda execute: _with_a_childs_states(execute, service), patch=PATCH)
    replace(service, "_invoke_resource", lambda invoke: _with_parameters(invoke, error), patch=PATCH)


def _refuse_too_large(text: str, what: str, error: type[Exception]) -> None:
    size = len(text.encode())
    if size > LARGEST_DATA_BYTES:
        raise error("States.DataLimitExceeded", f"{what} has {size:,} bytes, {LARGEST_DATA_BYTES:,} are allowed.")


def _with_limit(add_event: Callable[..., Any], error: type[Exception]) -> Callable[..., Any]:
    """An event whose data is larger than AWS allows ends the execution."""

    def add_event_within_limit(execution: dict[str, Any], event_type: str, details: Any = None) -> Any:
        for each in (details or {}).values():
            for name in _DATA:
                _refuse_too_large(each.get(name) or "", f"The {name} of {event_type}", error)
        with _writing:
            event = add_event(execution, event_type, details)
        if event_type == "TaskScheduled":
            _scheduled.set(event)
        return event

    return add_event_within_limit


def _with_limited_result(select: Callable[..., Any], error: type[Exception]) -> Callable[..., Any]:
    """The results of a Map's children are its output before ResultPath drops them: they have the same limit."""

    def apply_result_selector(state_def: dict[str, Any], result: Any) -> Any:
        if state_def.get("Type") == "Map":
            _refuse_too_large(json.dumps(result, separators=(",", ":")), "The result of the Map", error)
        return select(state_def, result)

    return apply_result_selector


def _known_as_running(run: Callable[[str], None], service: Any) -> Callable[[str], None]:
    def run_execution(arn: str) -> None:
        _running.set(service._executions.get(arn) or {})
        run(arn)

    return run_execution


def _with_a_childs_events(run: Callable[..., Any], service: Any) -> Callable[..., Any]:
    """A child execution has its own history from its start to its end; ministack writes only its tasks."""

    def run_sub_machine(states: Any, start_at: str, input_data: Any, execution: dict[str, Any], ctx: Any) -> Any:
        if not _is_child(execution) or execution["events"]:  # an iteration writes into the history of its child
            return run(states, start_at, input_data, execution, ctx)
        _running.set(execution)
        started = {"executionStartedEventDetails": {"input": execution["input"]}}
        service._add_event(execution, "ExecutionStarted", started)
        output = run(states, start_at, input_data, execution, ctx)
        ended = {"executionSucceededEventDetails": {"output": json.dumps(output)}}
        service._add_event(execution, "ExecutionSucceeded", ended)
        return output

    return run_sub_machine


def _with_a_childs_states(execute: Callable[..., Any], service: Any) -> Callable[..., Any]:
    """Entering and leaving a child's state are events with the state's input and output."""

    def execute_state(state_def: dict[str, Any], raw_input: Any, *context: Any) -> Any:
        execution = _running.get({})
        if not _is_child(execution):
            return execute(state_def, raw_input, *context)
        kind, name = state_def["Type"], context[-1]["State"]["Name"]
        entered = {"stateEnteredEventDetails": {"name": name, "input": json.dumps(raw_input)}}
        service._add_event(execution, f"{kind}StateEntered", entered)
        output, following = execute(state_def, raw_input, *context)
        exited = {"stateExitedEventDetails": {"name": name, "output": json.dumps(output)}}
        service._add_event(execution, f"{kind}StateExited", exited)
        return output, following

    return execute_state


def _with_parameters(invoke: Callable[[str, Any], Any], error: type[Exception]) -> Callable[[str, Any], Any]:
    """The input of a task's resource is in the event that scheduled it."""

    def invoke_resource(resource: str, input_data: Any) -> Any:
        event = _scheduled.get()
        if event is not None:
            parameters = json.dumps(input_data)
            _refuse_too_large(parameters, "The payload of the task", error)
            event["taskScheduledEventDetails"]["parameters"] = parameters
        return invoke(resource, input_data)

    return invoke_resource


def _is_child(execution: dict[str, Any]) -> bool:
    return "mapRunArn" in execution

"""Step Functions: retry delays, time-outs, throttled functions and missing paths, handled as on AWS."""

import contextvars
import json
import random
import threading
from collections.abc import Callable
from typing import Any

from local.aws.ministack import module, original, replace

PATCH = "step_functions"


def patch() -> None:
    """Replace the six functions of ministack's interpreter that differ from AWS in a way that affects our state
    machine."""
    service = module("services.stepfunctions")
    error = original(service, "_ExecutionError", patch=PATCH)
    replace(service, "_find_matching_retrier", with_capped_jittered_delay, patch=PATCH)
    replace(service, "_run_execution", lambda run: _with_time_out(run, service), patch=PATCH)
    replace(service, "_fail_execution", _unless_it_has_ended, patch=PATCH)
    replace(service, "_resolve_path", lambda resolve: _with_missing_paths_refused(resolve, error), patch=PATCH)
    replace(service, "_call_lambda", lambda call: _with_throttles_named(call, error), patch=PATCH)
    replace(service, "_evaluate_rule", lambda evaluate: _with_is_present(evaluate, service), patch=PATCH)


def with_capped_jittered_delay(find: Callable[..., tuple[Any, int]]) -> Callable[..., tuple[Any, int]]:
    """MaxDelaySeconds and JitterStrategy, converted to the plain interval that ministack sleeps."""

    def find_matching_retrier(retriers: Any, error: str, counts: dict[int, int]) -> tuple[Any, int]:
        retrier, index = find(retriers, error, counts)
        if retrier is None:
            return retrier, index
        delay = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** counts.get(index, 0)
        delay = min(delay, retrier.get("MaxDelaySeconds", delay))
        if retrier.get("JitterStrategy") == "FULL":
            delay = random.uniform(0, delay)  # noqa: S311 (spreads retries, guards nothing)
        return {**retrier, "IntervalSeconds": delay, "BackoffRate": 1}, index

    return find_matching_retrier


def _with_throttles_named(call: Callable[..., Any], error: type[Exception]) -> Callable[..., Any]:
    """A function beyond the account's concurrency is Lambda.TooManyRequestsException; ministack says Lambda.Unknown."""

    def call_lambda(function: str, event: Any) -> Any:
        try:
            return call(function, event)
        except error as failure:
            cause = getattr(failure, "cause", "")
            if '"TooManyRequestsException"' not in cause:
                raise
            raise error("Lambda.TooManyRequestsException", json.loads(cause)["message"]) from failure

    return call_lambda


def _with_time_out(run: Callable[[str], None], service: Any) -> Callable[[str], None]:
    """TimeoutSeconds of the state machine: the execution is TIMED_OUT at once, its work ends at the next state."""

    def run_execution(arn: str) -> None:
        execution = service._executions.get(arn) or {}
        machine = service._state_machines.get(execution.get("stateMachineArn"))
        seconds = json.loads(machine["definition"]).get("TimeoutSeconds") if machine else None
        if seconds is None:
            run(arn)
            return
        # The timer's thread must see the account and the region of the request that started the execution.
        context = contextvars.copy_context()
        timer = threading.Timer(seconds, context.run, args=(_time_out, execution, service))
        timer.daemon = True
        timer.start()
        try:
            run(arn)
        finally:
            timer.cancel()

    return run_execution


def _time_out(execution: dict[str, Any], service: Any) -> None:
    if execution["status"] == "RUNNING":
        execution.update(status="TIMED_OUT", stopDate=service.now_iso(), error="States.Timeout")
        details = {"executionTimedOutEventDetails": {"error": "States.Timeout"}}
        service._add_event(execution, "ExecutionTimedOut", details)
        service._emit_execution_status_event(execution)


def _unless_it_has_ended(fail: Callable[..., None]) -> Callable[..., None]:
    """A state that fails after its execution was stopped or timed out changes nothing."""

    def fail_execution(execution: dict[str, Any], error: str, cause: str) -> None:
        if execution["status"] == "RUNNING":
            fail(execution, error, cause)

    return fail_execution


def _with_missing_paths_refused(resolve: Callable[..., Any], error: type[Exception]) -> Callable[..., Any]:
    """A path that selects nothing ends the execution with States.Runtime; ministack continues with null."""

    def resolve_path(path: str, data: Any) -> Any:
        value = resolve(path, data)
        if value is None and not _is_present(resolve, path, data):
            raise error("States.Runtime", f"The JSONPath '{path}' could not be found in the input.")
        return value

    resolve_path.resolve = resolve  # type: ignore[attr-defined]
    return resolve_path


def _is_present(resolve: Callable[..., Any], path: str, data: Any) -> bool:
    """Whether a path whose value is null exists: its parent then holds the last name."""
    parent, _, name = path.rpartition(".")
    if not parent:
        return path in ("", "$")
    holder = resolve(parent, data)
    return isinstance(holder, dict) and name in holder


def _with_is_present(evaluate: Callable[..., bool], service: Any) -> Callable[..., bool]:
    """IsPresent can test a missing path, and an existing null is present."""
    resolve = service._resolve_path.resolve

    def evaluate_rule(rule: dict[str, Any], data: Any, ctx: Any = None) -> bool:
        if "IsPresent" not in rule:
            return evaluate(rule, data, ctx)
        path, source = rule["Variable"], data
        if path.startswith("$$."):
            path, source = path[1:], ctx or {}
        found = resolve(path, source) is not None or _is_present(resolve, path, source)
        return found == bool(rule["IsPresent"])

    return evaluate_rule

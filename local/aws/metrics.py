"""CloudWatch: metrics from log lines, from functions and executions, and from queues when an alarm reads them."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local.aws.ministack import module, original, replace

PATCH = "metrics"
_BY_STATUS = {
    "RUNNING": "ExecutionsStarted",
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}

Record = Callable[..., None]


def patch() -> None:
    """Record the metrics that AWS records: ministack does not read log lines, and counts only functions that a client
    invokes."""
    functions, states = module("services.lambda_svc"), module("services.stepfunctions")
    record = original(module("services.cloudwatch"), "record_metric", patch=PATCH)
    replace(functions, "_emit_lambda_logs", lambda emit: _with_metrics(emit, record), patch=PATCH)
    replace(functions, "_emit_lambda_metrics", lambda _: _nothing, patch=PATCH)
    replace(states, "_emit_execution_status_event", lambda emit: _with_status(emit, record), patch=PATCH)


def embedded_metrics(log: str) -> Iterator[tuple[str, str, float, str, dict[str, str]]]:
    """Namespace, name, value, unit and dimensions of every metric in the embedded format (EMF) in these lines."""
    for line in log.splitlines():
        if '"_aws"' not in line:
            continue
        try:
            document = json.loads(line)
            yield from _of_document(document)
        except (ValueError, LookupError, TypeError, AttributeError):
            continue  # any other line is an ordinary log line


def _of_document(document: Mapping[str, Any]) -> Iterator[tuple[str, str, float, str, dict[str, str]]]:
    for directive in document["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = {name: str(document[name]) for name in names}
            for metric in directive["Metrics"]:
                values = document[metric["Name"]]
                for value in values if isinstance(values, list) else [values]:
                    yield directive["Namespace"], metric["Name"], value, metric.get("Unit", "None"), dimensions


def sample_queue(name: str, record: Record) -> None:
    """Record the number of messages that wait in a queue, as SQS does every few minutes."""
    for url, queue in list(module("services.sqs")._queues.items()):
        if url.rsplit("/", 1)[-1] == name:
            now = time.time()
            waiting = sum(message.get("visible_at", 0) <= now for message in queue["messages"])
            record("AWS/SQS", "ApproximateNumberOfMessagesVisible", waiting, "Count", {"QueueName": name})


def _with_metrics(emit: Callable[..., None], record: Record) -> Callable[..., None]:
    def emit_lambda_logs(
        func: dict[str, Any], request_id: str, log_text: str, error: bool, duration_ms: int, **more: Any
    ) -> None:
        emit(func, request_id, log_text, error, duration_ms, **more)
        configuration = func.get("config") or func
        dimensions = {"FunctionName": configuration["FunctionName"]}
        record("AWS/Lambda", "Invocations", 1, "Count", dimensions)
        record("AWS/Lambda", "Errors", int(error), "Count", dimensions)
        record("AWS/Lambda", "Duration", duration_ms, "Milliseconds", dimensions)
        for namespace, name, value, unit, of in embedded_metrics(log_text):
            record(namespace, name, value, unit, of)

    return emit_lambda_logs


def _with_status(emit: Callable[[dict[str, Any]], None], record: Record) -> Callable[[dict[str, Any]], None]:
    def emit_status(execution: dict[str, Any]) -> None:
        emit(execution)
        dimensions = {"StateMachineArn": execution["stateMachineArn"]}
        record("AWS/States", _BY_STATUS[execution["status"]], 1, "Count", dimensions)

    return emit_status


def _nothing(*_: object, **__: object) -> None:
    """Every invocation is counted when its log is written."""

"""CloudFormation's custom resources: it invokes the function, and waits for a response at a URL in the event."""

import json
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from appstore_analytics.contract.errors import PipelineError

_FAILED, _SUCCESS = "FAILED", "SUCCESS"
_SECONDS = 10


def answer(event: Mapping[str, Any], run: Callable[[], Sequence[str]]) -> list[str]:
    """Run when a resource is created or updated, and report the outcome to CloudFormation. Returns the result of `run`.

    Every error is reported at once, so that CloudFormation rolls back instead of waiting for its time-out. Deleting the
    resource does nothing: data outlives the stack.
    """
    status, reason = _FAILED, "It ended unexpectedly: the function's log has the error."
    try:
        done = [] if event["RequestType"] == "Delete" else list(run())
        status, reason = _SUCCESS, ""
    except PipelineError as error:
        reason = str(error)
        raise
    finally:
        _tell(event, status, reason)
    return done


def _tell(event: Mapping[str, Any], status: str, reason: str) -> None:
    answered = {
        "Status": status,
        "Reason": reason,
        "PhysicalResourceId": event.get("PhysicalResourceId") or event["LogicalResourceId"],
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    # A pre-signed S3 URL, which CloudFormation itself puts into the event.
    request = urllib.request.Request(event["ResponseURL"], json.dumps(answered).encode(), method="PUT")  # noqa: S310
    with urllib.request.urlopen(request, timeout=_SECONDS):  # noqa: S310
        pass

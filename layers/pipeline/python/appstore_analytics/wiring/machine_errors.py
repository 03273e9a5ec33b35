"""Errors below a step, from AWS or the function's disk, under names that the state machine handles."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from botocore.exceptions import ClientError

from appstore_analytics.contract.capacities import is_full, no_room
from appstore_analytics.contract.errors import AwsUnavailable, DiskFull
from appstore_analytics.lake.broken_answers import BROKEN

_THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
"""The codes that botocore's standard mode retries (botocore/retries/standard.py) before it gives up."""

Handler = Callable[[dict[str, Any], Any], Any]


def names_machine_errors(step: str) -> Callable[[Handler], Handler]:
    """Turns transient AWS errors into AwsUnavailable, and errors of a full disk into DiskFull."""

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def named(event: dict[str, Any], context: Any) -> Any:
            try:
                return handler(event, context)
            except BROKEN as error:
                raise AwsUnavailable(f"{step}: AWS did not send a complete answer ({type(error).__name__}).") from error
            except ClientError as error:
                if not _may_pass(error):
                    raise
                code = error.response["Error"]["Code"]
                raise AwsUnavailable(f"{step}: AWS answered {error.operation_name} with {code}.") from error
            except OSError as error:
                if not is_full(error):
                    raise
                raise DiskFull(no_room(step)) from error

        return named

    return decorate


def _may_pass(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 or error.response["Error"]["Code"] in _THROTTLED

"""What the state machine tries again, and how often: each list of errors has a Retry of its own."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn

from appstore_analytics.contract.errors import TRANSIENT_RETRIES, TransientError, leaves

LAMBDA_ERRORS = (
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
)
"""What Lambda itself may throw on a bad day: the function did not run, or did not answer."""

THROTTLED = "Lambda.TooManyRequestsException"
"""The account runs as many functions as it may, ten in a new one. Nothing is wrong, and only time helps.

A patient child asks for two hours and a half (300 attempts after half a minute each, with full jitter between nothing
and a minute). An item that still finds no room then fails by name, and the next run takes it. An Express child asks for
some ten seconds, because nine other items share its five minutes; what it leaves goes to a patient one.
"""

FUNCTION_DEATHS = (
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Runtime.OutOfMemory",
    "Sandbox.Timedout",
)
"""How Step Functions names a function that ended in the middle: killed, out of memory, or out of time.

`Lambda.Unknown` is the name in the Developer Guide ("Handle Lambda service exceptions"), the others are those that the
runtimes of today report. Every step may be done again, so it is; but twice only, because what lacks memory or time
mostly lacks it again.
"""

_RETRIED = (*leaves(TransientError), *LAMBDA_ERRORS)
_DEATHS_FORGIVEN = 2
THROTTLES_FORGIVEN = 300
_EXPRESS_THROTTLES_FORGIVEN = 4
_EXPRESS_RETRIES = 2  # the five minutes of an Express child are soon over; the patient one takes up what is left


def retry_step(task: sfn.TaskStateBase, *, express: bool) -> None:
    """The retries of a Task that calls a step; those of an Express child fit into its five minutes."""
    if express:
        retry(task, _RETRIED, max_attempts=_EXPRESS_RETRIES)
        retry(task, [THROTTLED], max_attempts=_EXPRESS_THROTTLES_FORGIVEN)
        return
    retry(task, _RETRIED)
    retry(task, [THROTTLED], max_attempts=THROTTLES_FORGIVEN)
    retry(task, FUNCTION_DEATHS, max_attempts=_DEATHS_FORGIVEN)


def retry(task: sfn.TaskStateBase, errors: Sequence[str], max_attempts: int = TRANSIENT_RETRIES) -> None:
    """Retry on these errors with exponential backoff and full jitter, from 2 seconds to a minute."""
    task.add_retry(
        errors=[*errors],
        interval=Duration.seconds(2),
        backoff_rate=2,
        max_attempts=max_attempts,
        max_delay=Duration.seconds(60),
        jitter_strategy=sfn.JitterType.FULL,
    )

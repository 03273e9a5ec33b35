"""The errors that the state machine retries, and how often: each list of errors has a separate Retry."""

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
"""Errors of the Lambda service: the function did not run, or did not answer."""

THROTTLED = "Lambda.TooManyRequestsException"
"""The account has reached its concurrency limit, which is ten in a new account. Only waiting helps.

A patient child retries for two and a half hours (300 attempts, half a minute apart on average, with full jitter up to a
minute). An item that is still throttled after that fails by name, and the next run takes it. An Express child retries
for about ten seconds, because nine other items share its five minutes; its unfinished items go to a patient child.
"""

FUNCTION_DEATHS = (
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Runtime.OutOfMemory",
    "Sandbox.Timedout",
)
"""The errors by which Step Functions reports a function that was killed, or ran out of memory or time.

`Lambda.Unknown` is the name in the Developer Guide ("Handle Lambda service exceptions"), the others are those that
today's runtimes report. Every step can be repeated safely, so it is retried; but only twice, because a function that
ran out of memory or time usually does so again.
"""

_RETRIED = (*leaves(TransientError), *LAMBDA_ERRORS)
_DEATHS_FORGIVEN = 2
THROTTLES_FORGIVEN = 300
_EXPRESS_THROTTLES_FORGIVEN = 4
_EXPRESS_RETRIES = 2  # an Express child has five minutes; the patient one takes the items that are left


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

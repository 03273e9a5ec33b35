"""The names that the pipeline has on AWS: what a person meets in the console, and what functions and template share."""

import re

SERVICE = "appstore-analytics"
"""The state machine, the workgroup, the dashboard and the schedules; each function's name begins with it."""

STACK = "AppStoreAnalytics"
"""The CloudFormation stack, and the namespace of the CloudWatch metrics."""

API_KEY_SECRET_PREFIX = f"{SERVICE}/"
"""The secret of an API key is `appstore-analytics/<key name>`."""


def function_name(step: str) -> str:
    """The Lambda function of a step: `plan_run` → `appstore-analytics-plan-run`."""
    return f"{SERVICE}-{step.replace('_', '-')}"


def step_of(function: str) -> str:
    """The step of a Lambda function's name, the reverse of `function_name`."""
    return function.removeprefix(f"{SERVICE}-").replace("-", "_")


def api_key_output(key_name: str) -> str:
    """The stack output that names the secret of an API key: `main/reader` → `ApiKeySecretMainReader`."""
    return "ApiKeySecret" + "".join(word.capitalize() for word in re.split("[-/]", key_name))

"""Logs, metrics and time of a Lambda: JSON lines with the run and the item, metrics in CloudWatch's embedded format."""

from collections.abc import Callable

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.typing import LambdaContext

from appstore_analytics.contract.metrics import DIMENSION, Metric

logger = Logger()


def emit(metric: Metric, value: float) -> None:
    """Emit one metric, with the same dimension in every function.

    The template sets its namespace in Powertools' own variable, POWERTOOLS_METRICS_NAMESPACE.
    """
    name, service = DIMENSION
    with single_metric(name=metric, unit=MetricUnit.Count, value=value) as one:
        one.add_dimension(name=name, value=service)


def seconds_left(context: LambdaContext) -> Callable[[], float]:
    """A function that returns the seconds left in this invocation."""
    return lambda: context.get_remaining_time_in_millis() / 1000

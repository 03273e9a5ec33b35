"""Logs and metrics of a Lambda: JSON lines with the run and the item, metrics in CloudWatch's embedded format."""

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from appstore_analytics.contract.metrics import DIMENSION, NAMESPACE, Metric

logger = Logger()


def emit(metric: Metric, value: float) -> None:
    """Emit one metric, under the same dimension whichever function emits it."""
    name, service = DIMENSION
    with single_metric(name=metric, unit=MetricUnit.Count, value=value, namespace=NAMESPACE) as one:
        one.add_dimension(name=name, value=service)

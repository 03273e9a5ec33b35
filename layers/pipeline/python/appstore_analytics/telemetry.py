"""Logs and metrics of a Lambda: JSON lines with the run and the item, metrics in CloudWatch's embedded format."""

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from appstore_analytics.contract.metrics import NAMESPACE, Metric

logger = Logger()


def emit(metric: Metric, value: float) -> None:
    """Emit one metric, without dimensions beyond the service: a dimension per app would cost more than the pipeline."""
    with single_metric(name=metric, unit=MetricUnit.Count, value=value, namespace=NAMESPACE):
        pass

"""Two more alarms on the pipeline's topic: failed requests and throttled requests."""

from aws_cdk import Duration
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from appstore_analytics.contract.names import SERVICE, Names
from infra.console.installed_pipeline import InstalledPipeline

_CHAPTER = f"docs/console.md#{SERVICE}"  # the metric filters have the default names
_FIVE_MINUTES = Duration.minutes(5)
_FAILURES = 3  # a single one is an accident: a killed function, or a broken connection
_TURNED_AWAY = 20  # a page sends several requests at once


class ConsoleAlarms(Construct):
    """Each costs $0.10 a month. Requests that Lambda throttles count as failed: the gateway answers them with 503."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        names: Names,
        pipeline: InstalledPipeline,
        api: apigateway.HttpApi,
        access_log: logs.ILogGroup,
    ) -> None:
        super().__init__(scope, id_)
        self._names = names
        self._topic = sns.Topic.from_topic_arn(self, "Topic", pipeline.alarm_topic_arn)
        failed = api.metric_server_error(period=_FIVE_MINUTES, statistic="Sum")
        self._alarm("ConsoleFailed", "The console answered requests with a server error.", failed, _FAILURES)
        throttled = logs.MetricFilter(
            self,
            "Throttled",
            log_group=access_log,
            filter_pattern=logs.FilterPattern.number_value("$.status", "=", 429),
            metric_namespace=names.metrics_namespace,
            metric_name="ConsoleThrottled",
            metric_value="1",
        ).metric(period=_FIVE_MINUTES, statistic="Sum")
        self._alarm("ConsoleThrottled", "The console throttled requests.", throttled, _TURNED_AWAY)

    def _alarm(self, name: str, meaning: str, metric: cloudwatch.IMetric, threshold: int) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=self._names.prefixed(name),
            alarm_description=f"{meaning} {_CHAPTER}-{name.lower()}",
            metric=metric,
            threshold=threshold,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self._topic))

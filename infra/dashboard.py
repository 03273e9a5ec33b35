"""One dashboard that answers five questions, from top to bottom: is it fresh, did it run, what failed, what does it
cost, is Apple throttling us?

Our functions and AWS emit all its metrics in every run; a test compares them with the metrics that a run really
emitted.
"""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from appstore_analytics.contract.metrics import Metric
from appstore_analytics.contract.names import Names
from appstore_analytics.contract.prices import ATHENA_MB, LAMBDA_GB_SECONDS
from infra.alarms import own_metric
from infra.functions import CAPACITIES

_DAY = Duration.days(1)
_HOUR = Duration.hours(1)
_WIDTH = 24
_HEIGHT = 6

_DOLLARS_PER_BYTE = f"{ATHENA_MB.us_dollars:g} / ({ATHENA_MB.per} * 1000000)"
_DOLLARS_PER_GIBIBYTE_MILLISECOND = f"{LAMBDA_GB_SECONDS.us_dollars:.10f} / 1000"


class Dashboard(Construct):
    """The dashboard, named like the installation; it shows the last two weeks."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        names: Names,
        alarms: Sequence[cloudwatch.Alarm],
        state_machine: sfn.IStateMachine,
        functions: Mapping[str, lambda_.IFunction],
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, id_)
        self._namespace = names.metrics_namespace
        self._state_machine = state_machine
        self._functions = functions
        self._dead_letters = dead_letters
        answers: dict[str, list[cloudwatch.IWidget]] = {
            "Is it fresh?": self._is_it_fresh(alarms),
            "Did it run?": self._did_it_run(),
            "What failed?": self._what_failed(),
            "What does it cost?": self._what_does_it_cost(),
            "Is Apple throttling us?": self._is_apple_throttling_us(),
        }
        dashboard = cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=names.name, default_interval=Duration.days(14)
        )
        for question, widgets in answers.items():
            dashboard.add_widgets(cloudwatch.TextWidget(markdown=f"# {question}", width=_WIDTH, height=1))
            dashboard.add_widgets(*widgets)

    def _is_it_fresh(self, alarms: Sequence[cloudwatch.Alarm]) -> list[cloudwatch.IWidget]:
        return [
            cloudwatch.AlarmStatusWidget(title="Alarms", alarms=[*alarms], width=12, height=_HEIGHT),
            _graph(
                "Tables of apps: complete, or stale (why: appstore.freshness)",
                _named("complete", self._own(Metric.FEEDS_FRESH, "Maximum")),
                _named("stale", self._own(Metric.FEEDS_STALE, "Maximum")),
            ),
        ]

    def _did_it_run(self) -> list[cloudwatch.IWidget]:
        machine = self._state_machine
        return [
            _graph(
                "Runs",
                _named("started", machine.metric_started(statistic="Sum", period=_DAY)),
                _named("succeeded", machine.metric_succeeded(statistic="Sum", period=_DAY)),
            ),
            _graph(
                "Apps by the end of a run",
                _named("verified", self._own(Metric.APPS_VERIFIED, "Maximum", _DAY)),
                _named("not ready", self._own(Metric.APPS_NOT_READY, "Maximum", _DAY)),
            ),
        ]

    def _what_failed(self) -> list[cloudwatch.IWidget]:
        return [
            _graph(
                "Runs, apps, files, tables (why: appstore.apps)",
                _named("runs", self._state_machine.metric_failed(statistic="Sum", period=_DAY)),
                _named("apps", self._own(Metric.APPS_FAILED, "Maximum", _DAY)),
                _named("files quarantined", self._own(Metric.INSTANCES_QUARANTINED, "Maximum", _DAY)),
                _named("tables mismatched", self._own(Metric.TABLES_MISMATCHED, "Maximum", _DAY)),
                _named("Dates with every row repeated", self._own(Metric.DATES_REPEATED, "Maximum", _DAY)),
            ),
            _graph(
                "Functions, by their errors (Step Functions tries again), and dead letters",
                *(_named(step, each.metric_errors(statistic="Sum", period=_HOUR)) for step, each in self._by_step()),
                _named("throttled, all of the account's", _throttles()),
                _named("dead letters", self._dead_letters.metric_approximate_number_of_messages_visible(period=_HOUR)),
            ),
        ]

    def _what_does_it_cost(self) -> list[cloudwatch.IWidget]:
        durations = {f"{step}_ms": each.metric_duration(statistic="Sum", period=_DAY) for step, each in self._by_step()}
        gibibyte_milliseconds = " + ".join(
            f"{step}_ms * {CAPACITIES[step].memory_megabytes / 1024}" for step, _ in self._by_step()
        )
        return [
            _graph(
                "Dollars a day, at the list prices of us-east-1",
                cloudwatch.MathExpression(
                    expression=f"({gibibyte_milliseconds}) * {_DOLLARS_PER_GIBIBYTE_MILLISECOND}",
                    using_metrics=durations,
                    label="Lambda",
                    period=_DAY,
                ),
                cloudwatch.MathExpression(
                    expression=f"bytes * {_DOLLARS_PER_BYTE}",
                    using_metrics={"bytes": self._own(Metric.ATHENA_BYTES_SCANNED, "Sum", _DAY)},
                    label="Athena, of runs (it bills at least 10 MB a query)",
                    period=_DAY,
                ),
            ),
            _graph("Rows published", _named("rows", self._own(Metric.ROWS_PUBLISHED, "Sum", _DAY))),
        ]

    def _is_apple_throttling_us(self) -> list[cloudwatch.IWidget]:
        return [
            _graph("Calls to Apple", _named("calls", self._own(Metric.APPLE_CALLS, "Sum", _DAY))),
            _graph(
                "Answered with 429, and waits for the hour's quota",
                _named("429", self._own(Metric.APPLE_REFUSALS, "Sum")),
                _named("waits", self._own(Metric.BUDGET_EXHAUSTED, "Sum")),
            ),
        ]

    def _own(self, metric: Metric, statistic: str, period: Duration = _HOUR) -> cloudwatch.Metric:
        return own_metric(self._namespace, metric, statistic, period)

    def _by_step(self) -> list[tuple[str, lambda_.IFunction]]:
        return sorted(self._functions.items())


def _throttles() -> cloudwatch.Metric:
    """Calls beyond the account's limit of concurrent functions."""
    return cloudwatch.Metric(namespace="AWS/Lambda", metric_name="Throttles", statistic="Sum", period=_HOUR)


def _graph(title: str, *metrics: cloudwatch.IMetric) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=title,
        left=[*metrics],
        left_y_axis=cloudwatch.YAxisProps(min=0, show_units=False),
        width=_WIDTH // 2,
        height=_HEIGHT,
    )


def _named(label: str, metric: cloudwatch.Metric) -> cloudwatch.Metric:
    return metric.with_(label=label)

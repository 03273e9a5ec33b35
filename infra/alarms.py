"""Alarm topic, its e-mail and Slack subscriptions, and the alarms.

Each costs $0.10 a month and reads one metric; a composite alarm would cost $0.50. Each has a chapter in
docs/operations.md with its meaning, the first look and the fix, and its description ends with the link.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from appstore_analytics.contract.metrics import DIMENSION, Metric
from appstore_analytics.contract.names import SERVICE
from infra.acknowledgements import acknowledge
from infra.configuration import DeploymentConfiguration

HOURS_WITHOUT_A_RUN = 26  # a day, and two hours for the run itself
_REFUSALS = 3  # a single one can be a coincidence
_HOURS_EXHAUSTED = 3  # a daily run of many apps uses up an hour, and another

_CHAPTER = f"docs/operations.md#{SERVICE}"  # its headings have the default names
_HOUR = Duration.hours(1)
_MISSING = cloudwatch.TreatMissingData


@dataclass(frozen=True)
class _Rule:
    """An alarm's condition. `says_when_over`: its end means that the problem is solved, not just that time passed."""

    name: str
    meaning: str
    metric: cloudwatch.IMetric
    threshold: int = 1
    periods: int = 1
    missing: cloudwatch.TreatMissingData = _MISSING.NOT_BREACHING
    below: bool = False
    says_when_over: bool = False


class Alarms(Construct):
    """`topic` receives every alarm; `alarms` are all of them."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        configuration: DeploymentConfiguration,
        state_machine: sfn.IStateMachine,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, id_)
        self._names = configuration.names
        self.topic = self._topic(configuration.alarm_email)
        namespace = self._names.metrics_namespace
        rules = (*_of_runs(state_machine), *_of_data(namespace), *_of_means(namespace, dead_letters))
        self.alarms = [self._alarm(rule) for rule in rules]

    def tell_slack(self, function: lambda_.IFunction, dead_letters: sqs.IQueue) -> None:
        """Subscribe the function to the topic."""
        self.topic.add_subscription(subscriptions.LambdaSubscription(function, dead_letter_queue=dead_letters))

    def _alarm(self, rule: _Rule) -> cloudwatch.Alarm:
        operators = cloudwatch.ComparisonOperator
        alarm = cloudwatch.Alarm(
            self,
            rule.name,
            alarm_name=self._names.prefixed(rule.name),
            alarm_description=f"{rule.meaning} {_CHAPTER}-{rule.name.lower()}",
            metric=rule.metric,
            threshold=rule.threshold,
            comparison_operator=(
                operators.LESS_THAN_THRESHOLD if rule.below else operators.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
            ),
            evaluation_periods=rule.periods,
            treat_missing_data=rule.missing,
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        if rule.says_when_over:
            alarm.add_ok_action(actions.SnsAction(self.topic))
        return alarm

    def _topic(self, e_mail: str) -> sns.Topic:
        topic = sns.Topic(self, "Topic", topic_name=self._names.prefixed("alarms"), enforce_ssl=True)
        # A custom topic policy, as created by enforcing TLS, replaces the default one that lets the account's alarms
        # publish.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        if e_mail:
            topic.add_subscription(subscriptions.EmailSubscription(e_mail))
        acknowledge(
            topic,
            "SNS2",
            "Alarms contain names and states, no data. If the topic were encrypted, CloudWatch could publish to it "
            "only with a customer-managed key.",
        )
        return topic


def own_metric(namespace: str, metric: Metric, statistic: str, period: Duration = _HOUR) -> cloudwatch.Metric:
    """A metric that our functions emit."""
    name, value = DIMENSION
    return cloudwatch.Metric(
        namespace=namespace, metric_name=metric, dimensions_map={name: value}, statistic=statistic, period=period
    )


def _of_runs(state_machine: sfn.IStateMachine) -> Iterator[_Rule]:
    five_minutes = Duration.minutes(5)
    ends = {
        "RunFailed": (state_machine.metric_failed, "A run failed; its cause says why."),
        "RunTimedOut": (state_machine.metric_timed_out, "A run was ended by its time-out."),
        "RunAborted": (state_machine.metric_aborted, "Someone stopped a run."),
    }
    for name, (metric, meaning) in ends.items():
        yield _Rule(name, meaning, metric(period=five_minutes, statistic="Sum"))
    # With periods of an hour CloudWatch looks back up to seven days (shorter ones: one day), so 26 periods without a
    # success are 26 hours. No data means no success: the alarm is also in ALARM after the first deployment, until the
    # first run.
    yield _Rule(
        "NoRunSucceeded",
        f"No run has succeeded for {HOURS_WITHOUT_A_RUN} hours.",
        state_machine.metric_succeeded(period=_HOUR, statistic="Sum"),
        periods=HOURS_WITHOUT_A_RUN,
        missing=_MISSING.BREACHING,
        below=True,
        says_when_over=True,
    )


def _of_data(namespace: str) -> Iterator[_Rule]:
    # A missing check is a problem too: two hours without one count like two hours of stale data.
    yield _Rule(
        "StaleData",
        "Data that is due is missing, or no check has run for two hours.",
        own_metric(namespace, Metric.FEEDS_STALE, "Maximum"),
        periods=2,
        missing=_MISSING.BREACHING,
        says_when_over=True,
    )
    # Every run reports both, so these alarms stay in ALARM until the next run.
    yield _Rule(
        "Quarantined",
        "A file breaks the contract of its report and was left out.",
        own_metric(namespace, Metric.INSTANCES_QUARANTINED, "Maximum"),
        missing=_MISSING.IGNORE,
    )
    yield _Rule(
        "Mismatched",
        "Athena's rows or sums differ from those that Apple sent.",
        own_metric(namespace, Metric.TABLES_MISMATCHED, "Maximum"),
        missing=_MISSING.IGNORE,
    )


def _of_means(namespace: str, dead_letters: sqs.IQueue) -> Iterator[_Rule]:
    yield _Rule(
        "Throttled",
        f"Apple answered 429 at least {_REFUSALS} times in an hour.",
        own_metric(namespace, Metric.APPLE_REFUSALS, "Sum"),
        threshold=_REFUSALS,
    )
    yield _Rule(
        "BudgetExhausted",
        f"Work has waited for Apple's hourly quota in each of {_HOURS_EXHAUSTED} hours.",
        own_metric(namespace, Metric.BUDGET_EXHAUSTED, "Sum"),
        periods=_HOURS_EXHAUSTED,
    )
    # An idle queue stops reporting, although its messages are still there.
    yield _Rule(
        "DeadLetters",
        "A scheduled start, a check or a message to Slack could not be delivered.",
        dead_letters.metric_approximate_number_of_messages_visible(period=Duration.minutes(5), statistic="Maximum"),
        missing=_MISSING.IGNORE,
        says_when_over=True,
    )

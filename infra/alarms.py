"""Who is told, and when: a topic, and the alarms about executions."""

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.configuration import DeploymentConfiguration
from infra.naming import NAME

_HOURS_WITHOUT_A_RUN = 26  # a day, and two hours for the run itself


class Alarms(Construct):
    """`topic` is told when an execution ends badly, and when none has ended well for 26 hours."""

    def __init__(
        self, scope: Construct, id_: str, configuration: DeploymentConfiguration, state_machine: sfn.StateMachine
    ) -> None:
        super().__init__(scope, id_)
        self.topic = self._topic(configuration.alarm_email)
        bad_ends = {
            "RunFailed": (state_machine.metric_failed, "A run failed; its cause says why."),
            "RunTimedOut": (state_machine.metric_timed_out, "A run was ended by its time-out."),
            "RunAborted": (state_machine.metric_aborted, "Somebody stopped a run."),
        }
        alarms = [
            cloudwatch.Alarm(
                self,
                name,
                alarm_name=f"{NAME}-{name}",
                alarm_description=meaning,
                metric=metric(period=Duration.minutes(5), statistic="Sum"),
                threshold=1,
                comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                evaluation_periods=1,
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            )
            for name, (metric, meaning) in bad_ends.items()
        ]
        for alarm in (*alarms, self._no_run_succeeded(state_machine)):
            alarm.add_alarm_action(actions.SnsAction(self.topic))

    def _no_run_succeeded(self, state_machine: sfn.StateMachine) -> cloudwatch.Alarm:
        # With periods of an hour CloudWatch looks back up to seven days (shorter ones: one day), so 26 periods without
        # a success are 26 hours. No data is no success: it rings after the first deployment too, until the first run.
        return cloudwatch.Alarm(
            self,
            "NoRunSucceeded",
            alarm_name=f"{NAME}-NoRunSucceeded",
            alarm_description=f"No run has succeeded for {_HOURS_WITHOUT_A_RUN} hours.",
            metric=state_machine.metric_succeeded(period=Duration.hours(1), statistic="Sum"),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            evaluation_periods=_HOURS_WITHOUT_A_RUN,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )

    def _topic(self, e_mail: str) -> sns.Topic:
        topic = sns.Topic(self, "Topic", topic_name=f"{NAME}-alarms", enforce_ssl=True)
        # A topic policy of one's own, as enforcing TLS makes, replaces the one that lets the account's alarms publish.
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
            "Alarms carry names and states, no data; CloudWatch could publish to a key of one's own only.",
        )
        return topic

"""The schedules: a run every day, a check of freshness every hour."""

from aws_cdk import Duration, TimeZone
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from appstore_analytics.contract.names import Names
from appstore_analytics.contract.operations import SCHEDULE, STARTED_BY, Operation
from infra.configuration import DeploymentConfiguration

_EVERY_HOUR = "cron(20 * * * ? *)"  # not on the full hour, when most schedules start


class DailySchedule(Construct):
    """Starts one execution a day, in UTC. A start that fails for good becomes a dead letter."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        configuration: DeploymentConfiguration,
        state_machine: sfn.IStateMachine,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, id_)
        scheduler.Schedule(
            self,
            "Daily",
            schedule_name=configuration.names.prefixed("daily"),
            description="Fetch what Apple published since yesterday",
            schedule=scheduler.ScheduleExpression.expression(configuration.schedule, TimeZone.ETC_UTC),
            time_window=scheduler.TimeWindow.off(),
            target=targets.StepFunctionsStartExecution(
                state_machine,
                input=scheduler.ScheduleTargetInput.from_object(
                    {"operation": Operation.DAILY.value, STARTED_BY: SCHEDULE}
                ),
                retry_attempts=5,
                max_event_age=Duration.hours(2),
                dead_letter_queue=dead_letters,
                role=schedule_role(self, "states:StartExecution", state_machine.state_machine_arn, dead_letters),
            ),
        )


class HourlyCheck(Construct):
    """Invokes check_freshness every hour. Retries end soon, because the next check makes up for one that fails."""

    def __init__(
        self, scope: Construct, id_: str, names: Names, function: lambda_.IFunction, dead_letters: sqs.IQueue
    ) -> None:
        super().__init__(scope, id_)
        role = schedule_role(self, "lambda:InvokeFunction", function.function_arn, dead_letters)
        scheduler.Schedule(
            self,
            "Hourly",
            schedule_name=names.prefixed("hourly"),
            description="Check whether the data that is due is there",
            schedule=scheduler.ScheduleExpression.expression(_EVERY_HOUR, TimeZone.ETC_UTC),
            time_window=scheduler.TimeWindow.off(),
            target=targets.LambdaInvoke(
                function,
                input=scheduler.ScheduleTargetInput.from_object({}),
                retry_attempts=2,
                max_event_age=Duration.minutes(30),
                dead_letter_queue=dead_letters,
                role=role,
            ),
        )


def schedule_role(scope: Construct, action: str, resource: str, dead_letters: sqs.IQueue) -> iam.IRole:
    """A schedule's role, below its construct. CDK's own permission includes every version of a function."""
    role = iam.Role(scope, "Role", assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com"))
    iam.Policy(
        scope,
        "Policy",
        roles=[role],
        statements=[
            iam.PolicyStatement(actions=[action], resources=[resource]),
            iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[dead_letters.queue_arn]),
        ],
    )
    return role.without_policy_updates()

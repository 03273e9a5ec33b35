"""The daily execution."""

from aws_cdk import Duration, TimeZone
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from appstore_analytics.contract.messages import Operation
from infra.configuration import DeploymentConfiguration
from infra.naming import NAME


class DailySchedule(Construct):
    """Starts one execution a day, in UTC. No dead-letter queue: a start that fails for good raises NoRunSucceeded."""

    def __init__(
        self, scope: Construct, id_: str, configuration: DeploymentConfiguration, state_machine: sfn.IStateMachine
    ) -> None:
        super().__init__(scope, id_)
        scheduler.Schedule(
            self,
            "Daily",
            schedule_name=f"{NAME}-daily",
            description="Fetch what Apple published since yesterday",
            schedule=scheduler.ScheduleExpression.expression(configuration.schedule, TimeZone.ETC_UTC),
            time_window=scheduler.TimeWindow.off(),
            target=targets.StepFunctionsStartExecution(
                state_machine,
                input=scheduler.ScheduleTargetInput.from_object({"operation": Operation.DAILY.value}),
                retry_attempts=5,
                max_event_age=Duration.hours(2),
            ),
        )

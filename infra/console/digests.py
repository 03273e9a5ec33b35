"""The optional weekly digest: its schedule, and the secret that signs its unsubscribe links."""

from aws_cdk import Duration, TimeZone
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.configuration import DeploymentConfiguration
from infra.console.installed_pipeline import InstalledPipeline
from infra.naming import arn
from infra.schedule import schedule_role

_MONDAYS = "cron(30 14 ? * MON *)"  # hours after the daily run, when Apple has completed the week before
_SIGNATURE_CHARACTERS = 32


class Digests(Construct):
    """`unsubscribe_secret` is its name, empty without digests."""

    def __init__(self, scope: Construct, id_: str, configuration: DeploymentConfiguration) -> None:
        super().__init__(scope, id_)
        self._configuration = configuration
        self.unsubscribe_secret = (
            f"{configuration.names.name}/console/unsubscribe" if configuration.console_digests else ""
        )
        if self.unsubscribe_secret:
            self._secret = self._signature()

    def grant_signature(self, *roles: iam.Role) -> None:
        """Let these functions sign and check links, if there are any."""
        for role in roles if self.unsubscribe_secret else ():
            _allow_reading(role, self._secret.secret_arn)

    def send(self, function: lambda_.Function, role: iam.Role, pipeline: InstalledPipeline) -> None:
        """Every Monday. A failed invocation goes to the pipeline's dead-letter queue."""
        slack = self._configuration.digest_slack_secret
        if slack:
            # Secrets Manager appends six characters to a secret's name in its ARN.
            _allow_reading(role, arn("secretsmanager", f"secret:{slack}-??????"))
        dead_letters = sqs.Queue.from_queue_arn(self, "DeadLetters", pipeline.dead_letters_arn)
        scheduler.Schedule(
            self,
            "Weekly",
            schedule_name=self._configuration.names.prefixed("console-digest"),
            description="Send the weekly digest",
            schedule=scheduler.ScheduleExpression.expression(_MONDAYS, TimeZone.ETC_UTC),
            time_window=scheduler.TimeWindow.off(),
            target=targets.LambdaInvoke(
                function,
                input=scheduler.ScheduleTargetInput.from_object({}),
                retry_attempts=2,
                max_event_age=Duration.hours(2),
                dead_letter_queue=dead_letters,
                role=schedule_role(self, "lambda:InvokeFunction", function.function_arn, dead_letters),
            ),
        )

    def _signature(self) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            "Unsubscribe",
            secret_name=self.unsubscribe_secret,
            description="Signs the unsubscribe links of digests",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=_SIGNATURE_CHARACTERS, exclude_punctuation=True
            ),
        )
        acknowledge(secret, "SMG4", "A new secret would break the unsubscribe links of digests that were sent.")
        return secret


def _allow_reading(role: iam.Role, secret_arn: str) -> None:
    role.add_to_policy(iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[secret_arn]))

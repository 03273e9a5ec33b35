"""A queue for what could not be delivered: starts of the schedules, failed checks, messages to Slack."""

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from appstore_analytics.contract.names import Names
from infra.acknowledgements import acknowledge


class DeadLetters(Construct):
    """All share one `queue`, because the alarm and a person's first step are the same."""

    def __init__(self, scope: Construct, id_: str, names: Names) -> None:
        super().__init__(scope, id_)
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=names.prefixed("dead-letters"),
            retention_period=Duration.days(14),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )
        acknowledge(self.queue, "SQS3", "It is the dead-letter queue.")

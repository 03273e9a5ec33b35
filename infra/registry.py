"""The DynamoDB table with what the pipeline remembers: requests, instances, dirty marks, call budgets, run records."""

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.configuration import DeploymentConfiguration
from infra.naming import removal_policy


class Registry(Construct):
    """One table with `pk` and `sk`; items expire via the TTL attribute `expires_at` (seconds since 1970).

    Its stream sends the keys of changed items. It is always on, so that adding or removing a console changes nothing
    here.
    """

    def __init__(self, scope: Construct, id_: str, configuration: DeploymentConfiguration) -> None:
        super().__init__(scope, id_)
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute="expires_at",
            stream=dynamodb.StreamViewType.KEYS_ONLY,
            deletion_protection=configuration.retain,
            removal_policy=removal_policy(retain=configuration.retain),
        )

    @property
    def stream_arn(self) -> str:
        """The ARN of the stream."""
        arn = self.table.table_stream_arn
        if arn is None:
            raise TypeError("The registry's table has no stream.")
        return arn

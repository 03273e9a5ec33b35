"""The DynamoDB table where the pipeline's facts live: requests, instances, dirty marks, call budgets, run records."""

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.configuration import DeploymentConfiguration
from infra.naming import removal_policy


class Registry(Construct):
    """One table, `pk` and `sk`; an item with `expires_at` (seconds since 1970) goes by itself."""

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
            deletion_protection=configuration.retain,
            removal_policy=removal_policy(retain=configuration.retain),
        )

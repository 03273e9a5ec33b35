"""Migrates the database whenever the console's code has changed; CloudFormation waits for it."""

from aws_cdk import CustomResource, Duration
from aws_cdk import aws_lambda as lambda_
from constructs import Construct, IDependable

from infra.functions import role_of

TYPE = "Custom::Migration"


class Migration(Construct):
    """Invokes console_migrate when the stack is created or `version` changes. If it fails, so does the deployment.

    Migrations only add, so functions of the previous version keep working meanwhile, and after a rollback.
    """

    def __init__(
        self, scope: Construct, id_: str, function: lambda_.Function, version: str, after: list[IDependable]
    ) -> None:
        super().__init__(scope, id_)
        resource = CustomResource(
            self,
            "Resource",
            resource_type=TYPE,
            service_token=function.function_arn,
            service_timeout=Duration.minutes(11),  # longer than the function, which has a time-out of its own
            properties={"version": version},
        )
        resource.node.add_dependency(*after, *role_of(function).node.find_all())

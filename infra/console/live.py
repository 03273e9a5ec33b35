"""The live page: a WebSocket API that only sends, and the event sources that make console_live send a nudge."""

from typing import cast

from aws_cdk import Aws, Duration
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_apigatewayv2_integrations import WebSocketLambdaIntegration
from aws_cdk.aws_events_targets import LambdaFunction
from constructs import Construct

from appstore_analytics.contract.layout import RUN_PARTITION
from appstore_analytics.contract.names import Names
from infra.acknowledgements import acknowledge
from infra.console.installed_pipeline import InstalledPipeline
from infra.functions import role_of
from infra.naming import arn

STAGE = "live"
CALLBACK_VARIABLE = "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"
"""The environment variable from which boto3 takes the endpoint for sending; every WebSocket API has its own."""

_CONNECTIONS_A_SECOND = apigateway.ThrottleSettings(rate_limit=10, burst_limit=20)
_WINDOW = Duration.seconds(1)
_MOST_RECORDS = 10_000
_STREAM_ACTIONS = ("DescribeStream", "GetRecords", "GetShardIterator")


class LiveApi(Construct):
    """A page opens `url` with a ticket. The API has two routes, connect and disconnect; other messages are ignored.

    API Gateway itself answers any message, so that a page can check that its connection is still open.
    """

    def __init__(self, scope: Construct, id_: str, names: Names) -> None:
        super().__init__(scope, id_)
        self.api = apigateway.WebSocketApi(
            self, "Api", api_name=names.prefixed("console-live"), route_selection_expression="$request.body.ask"
        )

    @property
    def url(self) -> str:
        """The URL of the stage."""
        return f"{self.api.api_endpoint}/{STAGE}"

    @property
    def connections_arn(self) -> str:
        """The ARN to which sending is allowed: any connection of the stage."""
        return arn("execute-api", f"{self.api.api_id}/{STAGE}/*/@connections/*")

    @property
    def callback_url(self) -> str:
        """The endpoint to which messages for connections are posted."""
        return f"https://{self.api.api_id}.execute-api.{Aws.REGION}.{Aws.URL_SUFFIX}/{STAGE}"

    def connect(self, function: lambda_.IFunction) -> None:
        """Route connect and disconnect to the function, and let it send to connections."""
        for key in ("$connect", "$disconnect"):
            route = self.api.add_route(key, integration=WebSocketLambdaIntegration(key.strip("$"), function))
            acknowledge(route, "APIG4", "WebSocket APIs have no JWT authorizer; the function checks a ticket.")
        stage = apigateway.WebSocketStage(
            self,
            "Stage",
            web_socket_api=self.api,
            stage_name=STAGE,
            auto_deploy=True,
            throttle=_CONNECTIONS_A_SECOND,
        )
        acknowledge(
            stage,
            "APIG1",
            "Access logs of a WebSocket API need an account-wide role; console_live logs connections.",
        )


class Nudges(Construct):
    """Invokes the function when a run's records change, at most once a second, and when a run starts or ends."""

    def __init__(
        self, scope: Construct, id_: str, pipeline: InstalledPipeline, function: lambda_.Function, names: Names
    ) -> None:
        super().__init__(scope, id_)
        self._read_stream(pipeline, function)
        self._hear_of_runs(pipeline, function, names)

    def _read_stream(self, pipeline: InstalledPipeline, function: lambda_.Function) -> None:
        """All records of a run are in one shard, and Lambda processes one batch per shard at a time.

        A late nudge is useless: it is dropped, and the page polls by itself.
        """
        role = role_of(function)
        role.add_to_policy(
            iam.PolicyStatement(
                actions=[f"dynamodb:{action}" for action in _STREAM_ACTIONS], resources=[pipeline.registry_stream_arn]
            )
        )
        role.add_to_policy(iam.PolicyStatement(actions=["dynamodb:ListStreams"], resources=["*"]))  # no resources
        mapping = lambda_.EventSourceMapping(
            self,
            "Stream",
            target=function,
            event_source_arn=pipeline.registry_stream_arn,
            starting_position=lambda_.StartingPosition.LATEST,
            batch_size=_MOST_RECORDS,
            max_batching_window=_WINDOW,
            max_record_age=Duration.minutes(1),
            retry_attempts=1,
            filters=[
                lambda_.FilterCriteria.filter(
                    {
                        "eventName": lambda_.FilterRule.or_("INSERT", "MODIFY"),  # not expired items
                        "dynamodb": {"Keys": {"pk": {"S": lambda_.FilterRule.begins_with(RUN_PARTITION.format(""))}}},
                    }
                )
            ],
        )
        mapping.node.add_dependency(cast(Construct, role.node.find_child("DefaultPolicy")))

    def _hear_of_runs(self, pipeline: InstalledPipeline, function: lambda_.Function, names: Names) -> None:
        events.Rule(
            self,
            "Runs",
            rule_name=names.prefixed("console-runs"),
            description="A run started or ended",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={"stateMachineArn": [pipeline.state_machine_arn]},
            ),
            targets=[LambdaFunction(function, retry_attempts=0, max_event_age=Duration.minutes(1))],
        )

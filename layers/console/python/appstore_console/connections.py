"""AWS clients of the console's functions, created once per Lambda process and reused while it is warm."""

from functools import cached_property
from typing import TYPE_CHECKING

from botocore import UNSIGNED
from botocore.config import Config

from appstore_analytics.contract.metrics import DIMENSION
from appstore_analytics.wiring.aws import aws

if TYPE_CHECKING:
    from mypy_boto3_apigatewaymanagementapi import ApiGatewayManagementApiClient
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_dsql import AuroraDSQLClient
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient

# Users wait for the answer and the gateway times out after 30 seconds: fewer retries and shorter time-outs than in a
# run.
_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 3},
    connect_timeout=3,
    read_timeout=8,
    max_pool_connections=32,
    user_agent=DIMENSION[1],
)


def open_login_cognito() -> "CognitoIdentityProviderClient":
    """Cognito for sign-in. Requests are unsigned: these calls need no permission, and console_web has none."""
    return aws().client("cognito-idp", config=_CONFIG.merge(Config(signature_version=UNSIGNED)))


def open_cognito() -> "CognitoIdentityProviderClient":
    """Cognito with admin permissions on users."""
    return aws().client("cognito-idp", config=_CONFIG)


def open_console_table(name: str) -> "Table":
    """The console's table."""
    return aws().resource("dynamodb", config=_CONFIG).Table(name)


def open_ses() -> "SESV2Client":
    """Amazon SES, for digests."""
    return aws().client("sesv2", config=_CONFIG)


def open_live_gateway() -> "ApiGatewayManagementApiClient":
    """The endpoint that sends to live connections; the template sets its address (infra/console/live.py)."""
    return aws().client("apigatewaymanagementapi", config=_CONFIG)


class PipelineClients:
    """The pipeline's resources, as `answers.Installation` uses them."""

    endpoint = None
    """boto3 finds the embedded AWS without help."""

    @cached_property
    def s3(self) -> "S3Client":
        """S3."""
        return aws().client("s3", config=_CONFIG)

    @cached_property
    def athena(self) -> "AthenaClient":
        """Athena."""
        return aws().client("athena", config=_CONFIG)

    @cached_property
    def glue(self) -> "GlueClient":
        """The data catalog."""
        return aws().client("glue", config=_CONFIG)

    @cached_property
    def lambda_(self) -> "LambdaClient":
        """Lambda."""
        return aws().client("lambda", config=_CONFIG)

    @cached_property
    def step_functions(self) -> "SFNClient":
        """Step Functions."""
        return aws().client("stepfunctions", config=_CONFIG)

    @cached_property
    def secrets_manager(self) -> "SecretsManagerClient":
        """Secrets Manager."""
        return aws().client("secretsmanager", config=_CONFIG)

    @cached_property
    def sts(self) -> "STSClient":
        """Security Token Service."""
        return aws().client("sts", config=_CONFIG)

    def table(self, name: str) -> "Table":
        """A table of DynamoDB."""
        return aws().resource("dynamodb", config=_CONFIG).Table(name)


class DatabaseClients:
    """AWS clients for a PostgreSQL login: Aurora DSQL's client signs tokens, Secrets Manager has passwords."""

    @cached_property
    def dsql(self) -> "AuroraDSQLClient":
        """Aurora DSQL."""
        return aws().client("dsql", config=_CONFIG)

    @cached_property
    def secrets_manager(self) -> "SecretsManagerClient":
        """Secrets Manager."""
        return aws().client("secretsmanager", config=_CONFIG)

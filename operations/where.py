"""The location of the stack: AWS or embedded, credentials, region and name."""

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from appstore_analytics.answers.errors import Refused, Unreachable
from appstore_analytics.answers.installation import Installation
from appstore_analytics.contract.names import CONSOLE_SUFFIX, SERVICE, STACK, Names
from appstore_analytics.wiring.clock import utc_now
from operations import embedded
from operations.console_api import ConsoleApi
from operations.console_copy import ConsoleCopy

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lakeformation import LakeFormationClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient

_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 4}, connect_timeout=5, read_timeout=30, max_pool_connections=32
)

_UNTIL_IT_ENDS = _CONFIG.merge(Config(retries={"total_max_attempts": 1}, read_timeout=900))
"""A function answers when it has ended, after 15 minutes at most; a retry before that would run it twice."""


CDK_JSON = Path(__file__).resolve().parents[1] / "cdk.json"


def cdk_context() -> dict[str, Any]:
    """The context in cdk.json; Refused if it is not JSON."""
    try:
        context: dict[str, Any] = json.loads(CDK_JSON.read_text(encoding="utf-8"))["context"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise Refused(f"cdk.json is not valid for the CDK ({error}): restore its object 'context'.") from None
    return context


def configured_stack() -> str:
    """The stack that cdk.json names, by its key `name`."""
    return Names(str(cdk_context().get("name") or SERVICE)).stack


def console_stack_of(stack: str) -> str:
    """The web console's stack that belongs to this one."""
    return f"{SERVICE if stack == STACK else stack}{CONSOLE_SUFFIX}"


@dataclass(frozen=True, slots=True)
class Where:
    """The AWS to connect to, and the stack in it. Without a profile or region boto3 finds them as the AWS CLI does."""

    local: bool = False
    profile: str | None = None
    region: str | None = None
    stack: str = STACK

    def session(self) -> boto3.Session:
        """A boto3 session; `--local` never uses the user's credentials."""
        if self.local:
            return embedded.session()
        return boto3.Session(profile_name=self.profile, region_name=self.region or os.environ.get("AWS_REGION"))

    def options(self) -> tuple[str, ...]:
        """The same as options of the command line."""
        named = (("--profile", self.profile), ("--region", self.region), ("--stack", self.stack))
        given = (word for name, value in named if value and value != STACK for word in (name, value))
        return (*(("--local",) if self.local else ()), *given)

    def connect(self) -> "Connection":
        """A connection to AWS, whether or not the stack exists."""
        return Connection(self.session(), embedded.address() if self.local else None)

    def open_console(self) -> ConsoleApi:
        """The API of the web console, called with AWS permissions; Unreachable if no console is deployed."""
        connection = self.connect()
        outputs = _outputs(connection.cloudformation, console_stack_of(self.stack))
        return ConsoleApi(connection.lambda_, outputs, connection.sts.get_caller_identity()["Arn"])

    def open_console_copy(self) -> ConsoleCopy:
        """The tables of the web console; Unreachable if no console is deployed."""
        connection = self.connect()
        return ConsoleCopy(connection.lambda_, _outputs(connection.cloudformation, console_stack_of(self.stack)))

    def console_url(self) -> str:
        """The web console's address, from the outputs of its stack."""
        return _outputs(self.connect().cloudformation, console_stack_of(self.stack))["ConsoleUrl"]

    def open(self) -> Installation:
        """The installed stack; Unreachable with one sentence if it does not exist here."""
        connection = self.connect()
        return Installation(_outputs(connection.cloudformation, self.stack), connection, utc_now)


@dataclass(frozen=True)
class Connection:
    """One AWS account and region, with the caller's credentials."""

    session: boto3.Session
    endpoint: str | None

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        """CloudFormation."""
        return self.session.client("cloudformation", config=_CONFIG, endpoint_url=self.endpoint)

    @cached_property
    def s3(self) -> "S3Client":
        """S3."""
        return self.session.client("s3", config=_CONFIG, endpoint_url=self.endpoint)

    @cached_property
    def athena(self) -> "AthenaClient":
        """Athena."""
        return self.session.client("athena", config=_CONFIG, endpoint_url=self.endpoint)

    @cached_property
    def glue(self) -> "GlueClient":
        """The data catalog."""
        return self.session.client("glue", config=_CONFIG, endpoint_url=self.endpoint)

    @cached_property
    def step_functions(self) -> "SFNClient":
        """Step Functions."""
        return self.session.client("stepfunctions", config=_CONFIG, endpoint_url=self.endpoint)

    @cached_property
    def secrets_manager(self) -> "SecretsManagerClient":
        """Secrets Manager."""
        return self.session.client("secretsmanager", config=_CONFIG, endpoint_url=self.endpoint)

    @cached_property
    def lambda_(self) -> "LambdaClient":
        """Lambda."""
        return self.session.client("lambda", config=_UNTIL_IT_ENDS, endpoint_url=self.endpoint)

    @cached_property
    def cloudwatch(self) -> "CloudWatchClient":
        """CloudWatch."""
        return self.session.client("cloudwatch", config=_CONFIG, endpoint_url=self.endpoint)

    @cached_property
    def lake_formation(self) -> "LakeFormationClient":
        """Lake Formation."""
        return self.session.client("lakeformation", config=_CONFIG, endpoint_url=self.endpoint)

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """DynamoDB's client for tables, not for items."""
        return self.session.client("dynamodb", config=_CONFIG, endpoint_url=self.endpoint)

    @cached_property
    def kms(self) -> "KMSClient":
        """Key Management Service."""
        return self.session.client("kms", config=_CONFIG, endpoint_url=self.endpoint)

    @cached_property
    def ssm(self) -> "SSMClient":
        """Systems Manager."""
        return self.session.client("ssm", config=_CONFIG, endpoint_url=self.endpoint)

    @cached_property
    def sts(self) -> "STSClient":
        """Security Token Service."""
        return self.session.client("sts", config=_CONFIG, endpoint_url=self.endpoint)

    def table(self, name: str) -> "Table":
        """A table of DynamoDB."""
        return self.session.resource("dynamodb", config=_CONFIG, endpoint_url=self.endpoint).Table(name)


def _outputs(cloudformation: "CloudFormationClient", stack: str) -> dict[str, str]:
    try:
        (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            region = cloudformation.meta.region_name
            raise Unreachable(
                f"There is no stack {stack} in {region}: deploy it, or find it with --region, --profile or --stack."
            ) from None
        raise
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", ())}

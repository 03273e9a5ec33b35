"""Opening what the API's two functions answer from. Apart from connections.py, because the others need none of it."""

from functools import cached_property
from typing import TYPE_CHECKING

import boto3

from appstore_analytics.answers.installation import Installation
from appstore_analytics.wiring.clock import utc_now
from appstore_console.connections import CONFIG, DatabaseClients
from appstore_console.database.connection import Database
from appstore_console.database.data import ApplicationData
from appstore_console.people import Accounts
from appstore_console.settings import DatabaseSettings, PipelineSettings, UserPoolSettings

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient


def open_installation(settings: PipelineSettings) -> Installation:
    """The installed pipeline, whose parts are read when a question needs them."""
    return Installation(settings.pipeline_outputs, _CLIENTS, utc_now)


def open_data(settings: DatabaseSettings) -> ApplicationData:
    """Application data in PostgreSQL, which is reached when it is first needed."""
    return ApplicationData.over(Database(settings, DatabaseClients()))


def open_accounts(settings: UserPoolSettings, table: "Table") -> Accounts:
    """Everybody who may sign in. Changes of people are made one at a time, under a lock in this table."""
    return Accounts(boto3.client("cognito-idp", config=CONFIG), settings.user_pool_id, table, utc_now)


class PipelineClients:
    """AWS, for questions to the pipeline."""

    endpoint: str | None = None
    """In a Lambda boto3 finds the embedded AWS by itself, in AWS_ENDPOINT_URL."""

    @cached_property
    def s3(self) -> "S3Client":
        """S3."""
        return boto3.client("s3", config=CONFIG)

    @cached_property
    def athena(self) -> "AthenaClient":
        """Athena."""
        return boto3.client("athena", config=CONFIG)

    @cached_property
    def glue(self) -> "GlueClient":
        """The data catalog."""
        return boto3.client("glue", config=CONFIG)

    @cached_property
    def lambda_(self) -> "LambdaClient":
        """Lambda."""
        return boto3.client("lambda", config=CONFIG)

    @cached_property
    def step_functions(self) -> "SFNClient":
        """Step Functions."""
        return boto3.client("stepfunctions", config=CONFIG)

    @cached_property
    def secrets_manager(self) -> "SecretsManagerClient":
        """Secrets Manager."""
        return boto3.client("secretsmanager", config=CONFIG)

    @cached_property
    def sts(self) -> "STSClient":
        """Security Token Service."""
        return boto3.client("sts", config=CONFIG)

    def table(self, name: str) -> "Table":
        """A table of DynamoDB."""
        return boto3.resource("dynamodb", config=CONFIG).Table(name)


_CLIENTS = PipelineClients()
"""Kept while a function is warm: making a client takes longer than most questions."""

"""Where the stack is: which AWS, with whose credentials, under which name."""

import os
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from appstore_analytics.answers.errors import Unreachable
from appstore_analytics.answers.installation import Installation
from appstore_analytics.contract.names import STACK
from operations import embedded

_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 4}, connect_timeout=5, read_timeout=30, max_pool_connections=32
)


@dataclass(frozen=True, slots=True)
class Where:
    """Which AWS, and which stack in it. Without a profile or region boto3 looks for them as the AWS CLI does."""

    local: bool = False
    profile: str | None = None
    region: str | None = None
    stack: str = STACK

    def session(self) -> boto3.Session:
        """A boto3 session; `--local` never uses the person's credentials."""
        if self.local:
            return embedded.session()
        return boto3.Session(profile_name=self.profile, region_name=self.region or os.environ.get("AWS_REGION"))

    def connect(self) -> "Connection":
        """AWS, whether or not the stack is there."""
        return Connection(self.session(), embedded.address() if self.local else None)

    def open(self) -> Installation:
        """The installed stack; Unreachable with one sentence when there is none here."""
        connection = self.connect()
        return Installation(_outputs(connection.client("cloudformation"), self.stack), connection)


@dataclass(frozen=True)
class Connection:
    """One AWS account and region, with the credentials of whoever asks."""

    session: boto3.Session
    endpoint: str | None

    def client(self, service: str) -> Any:
        """A boto3 client."""
        create: Any = self.session.client
        return create(service, config=_CONFIG, endpoint_url=self.endpoint)

    def table(self, name: str) -> Any:
        """A table of DynamoDB."""
        return self.session.resource("dynamodb", config=_CONFIG, endpoint_url=self.endpoint).Table(name)


def _outputs(cloudformation: Any, stack: str) -> dict[str, str]:
    try:
        (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            region = cloudformation.meta.region_name
            raise Unreachable(
                f"There is no stack {stack} in {region}: deploy it, or say where it is with --region, --profile "
                "or --stack."
            ) from None
        raise
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", ())}

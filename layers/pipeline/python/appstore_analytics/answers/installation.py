"""An installed stack: its resources, its configuration, and clients to access it."""

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from appstore_analytics.answers.apps import app_names, known_accounts
from appstore_analytics.answers.errors import Refused, Unreachable
from appstore_analytics.answers.executions import Pipeline
from appstore_analytics.athena.glue import GlueDatabase
from appstore_analytics.athena.query import Athena
from appstore_analytics.contract.configuration import Account, Configuration
from appstore_analytics.contract.names import Database, api_key_output
from appstore_analytics.contract.tables import CuratedTable, curated_tables
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.model.clock import Clock
from appstore_analytics.registry import Registry

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient

_OTHER_VERSION = "The stack was deployed by another version of this project: deploy this one, or check out that one."
_SECONDS_BETWEEN_LOOKS = 5.0
_SECONDS_BETWEEN_LOCAL_LOOKS = 0.5


class Clients(Protocol):
    """The clients for AWS: credentials, endpoint and retries."""

    @property
    def endpoint(self) -> str | None:
        """The address of an embedded AWS; None for the real one."""

    @property
    def s3(self) -> "S3Client":
        """S3."""

    @property
    def athena(self) -> "AthenaClient":
        """Athena."""

    @property
    def glue(self) -> "GlueClient":
        """The data catalog."""

    @property
    def lambda_(self) -> "LambdaClient":
        """Lambda."""

    @property
    def step_functions(self) -> "SFNClient":
        """Step Functions."""

    @property
    def secrets_manager(self) -> "SecretsManagerClient":
        """Secrets Manager."""

    @property
    def sts(self) -> "STSClient":
        """Security Token Service."""

    def table(self, name: str) -> "Table":
        """A table of DynamoDB."""


class Installation:
    """The resources of an installed stack, opened at first use."""

    def __init__(self, outputs: Mapping[str, str], clients: Clients, clock: Clock) -> None:
        self._outputs = outputs
        self._clients = clients
        self._clock = clock

    @property
    def region(self) -> str:
        """Where it is installed."""
        return self._outputs["StateMachineArn"].split(":")[3]

    @property
    def is_local(self) -> bool:
        """Whether this is the embedded AWS."""
        return self._clients.endpoint is not None

    @cached_property
    def caller(self) -> str:
        """The ARN of the calling AWS principal."""
        return self._clients.sts.get_caller_identity()["Arn"]

    def api_key_secret(self, key_name: str) -> str:
        """The name of an API key's secret; Refused, with the deployed keys, if there is no such key."""
        if secret := self._outputs.get(api_key_output(key_name)):
            return secret
        prefix = api_key_output("")
        deployed = sorted(value.split("/", 1)[1] for name, value in self._outputs.items() if name.startswith(prefix))
        raise Refused(f"No API key '{key_name}' is deployed: there is {', '.join(deployed)} (accounts in cdk.json).")

    @property
    def secrets_manager(self) -> "SecretsManagerClient":
        """The secrets with the API keys."""
        return self._clients.secrets_manager

    def check_freshness(self) -> None:
        """Run the hourly check now, and wait until it has ended; Unreachable with its error if it fails."""
        function = self._outputs.get("CheckFreshnessFunction")
        if function is None:
            raise Unreachable(_OTHER_VERSION)
        answer = self._clients.lambda_.invoke(FunctionName=function, Payload=b"{}")
        if "FunctionError" in answer:
            reason = json.load(answer["Payload"]).get("errorMessage", "it gave no reason")
            raise Unreachable(f"The check of freshness failed: {reason}")

    @cached_property
    def registry(self) -> Registry:
        """The registry."""
        return Registry(self._clients.table(self._outputs["RegistryTable"]), self._clock)

    @cached_property
    def lake(self) -> Bucket:
        """The lake bucket: tables, parts and run reports."""
        return Bucket(self._clients.s3, self._outputs["LakeBucket"])

    @cached_property
    def raw(self) -> Bucket:
        """Apple's bytes."""
        return Bucket(self._clients.s3, self._outputs["RawBucket"])

    @property
    def databases(self) -> dict[Database, str]:
        """The Glue name of each database. Stacks of earlier versions lack these outputs and use the default names."""
        return {each: self._outputs.get(each.output, str(each)) for each in Database}

    @property
    def workgroup(self) -> str:
        """The name of the Athena workgroup."""
        return self._outputs["Workgroup"]

    @cached_property
    def athena(self) -> Athena:
        """The workgroup."""
        return Athena(self._clients.athena, self._outputs["Workgroup"], self.databases)

    @property
    def glue(self) -> GlueDatabase:
        """The data catalog's database with Apple's rows."""
        return GlueDatabase(self._clients.glue, self.databases[Database.CURATED])

    @cached_property
    def pipeline(self) -> Pipeline:
        """The state machine, and the records of its runs."""
        seconds = _SECONDS_BETWEEN_LOCAL_LOOKS if self.is_local else _SECONDS_BETWEEN_LOOKS
        step_functions = self._clients.step_functions
        return Pipeline(step_functions, self._outputs["StateMachineArn"], self.registry, self.lake, seconds)

    @cached_property
    def configuration(self) -> Configuration:
        """The deployed configuration, as the state machine passes it to every run."""
        arn = self._outputs["StateMachineArn"]
        definition = self._clients.step_functions.describe_state_machine(stateMachineArn=arn)["definition"]
        return configuration_in(definition)

    @cached_property
    def accounts(self) -> tuple[Account, ...]:
        """The configured accounts with their known apps."""
        return known_accounts(self.configuration, self.lake)

    @cached_property
    def app_names(self) -> Mapping[str, str]:
        """Apple's names of the apps by id, as far as they are known."""
        return app_names(self.lake)

    @property
    def tables(self) -> tuple[CuratedTable, ...]:
        """The curated tables that are deployed."""
        wanted = self.configuration
        return curated_tables(wanted.reports, wanted.granularities)


def configuration_in(definition: str) -> Configuration:
    """The configuration that a state machine's definition passes to plan_run."""
    try:
        return Configuration.from_payload(next(_values(json.loads(definition), "configuration")))
    except (StopIteration, KeyError, TypeError):
        raise Unreachable(_OTHER_VERSION) from None


def _values(node: Any, name: str) -> Iterator[Any]:
    """Every value of this name in a JSON document."""
    if isinstance(node, Mapping):
        if name in node:
            yield node[name]
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _values(child, name)

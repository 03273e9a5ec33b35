"""The Lambda functions: one per step, each with its own role, log group, settings and size."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aws_cdk import Duration, Size
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from appstore_analytics.contract import capacities
from appstore_analytics.contract.settings import Environment
from infra.acknowledgements import acknowledge
from infra.configuration import DeploymentConfiguration
from infra.layers import NOT_SHIPPED, PROJECT, RUNTIME, Layers, Target, ThirdPartyLayer
from infra.logs import log_group

FUNCTIONS = PROJECT / "functions"


@dataclass(frozen=True, slots=True)
class Capacity:
    """The size of a function. Its share of a CPU grows with its memory; 1769 MB correspond to one CPU."""

    memory_megabytes: int
    minutes: float
    disk_gibibytes: float = 0.5
    carries_arrow: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Program:
    """The program of a function: its folder with `handler.py`, its layers, its environment and its size."""

    code: Path
    layers: tuple[lambda_.ILayerVersion, ...]
    environment: Mapping[str, str]
    capacity: Capacity


CAPACITIES: Mapping[str, Capacity] = {
    "plan_run": Capacity(512, 5),
    "plan_items": Capacity(512, 15),  # reads the ledgers of all apps
    "register_request": Capacity(512, 8),
    "list_instances": Capacity(512, 10),
    "download_segments": Capacity(512, 15, disk_gibibytes=capacities.DOWNLOAD_GIBIBYTES),
    # 20 million rows need a quarter of it (docs/benchmarks.md); most files are small, and wait for S3 (docs/cost.md)
    "convert_instance": Capacity(
        1024,
        15,
        disk_gibibytes=capacities.CONVERSION_GIBIBYTES,
        carries_arrow=True,
        variables=capacities.ARROW_MEMORY,
    ),
    "restore_parts": Capacity(512, 15),  # a snapshot can hold years of Dates
    "publish_date": Capacity(
        2048,
        15,
        disk_gibibytes=capacities.PUBLICATION_GIBIBYTES,
        carries_arrow=True,
        variables=capacities.ARROW_MEMORY,
    ),
    "verify_table": Capacity(512, 15),  # waits for Athena
    "compact_months": Capacity(2048, 15, carries_arrow=True),  # begins months for ten minutes
    "list_releases": Capacity(512, 10),  # asks Apple for six minutes at most, then Athena
    "summarize_run": Capacity(1024, 15, carries_arrow=True),  # reads the records of all items, and KPIs
    "check_freshness": Capacity(512, 15),  # waits for Athena, and reads its answers a thousand rows at a time
    "notify_slack": Capacity(256, 1),
    "check_key": Capacity(512, 2),
}
"""Every step, by the name of its folder in `functions/`.

notify_slack is deployed only with a webhook, list_releases only with `releases`.
"""

ASYNCHRONOUS = frozenset({"check_freshness", "notify_slack"})
"""Invoked asynchronously by a schedule or a topic: an event that fails for good becomes a dead letter."""

OUTSIDE_OF_RUNS = ASYNCHRONOUS | {"check_key"}
"""All others are states of an execution, except check_key, which `./manage.py doctor` invokes."""


class Functions(Construct):
    """`by_step` holds the functions. A role can write its own logs and traces; the stack grants everything else."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        settings: Mapping[str, Environment],
        layers: Layers,
        target: Target,
        configuration: DeploymentConfiguration,
    ) -> None:
        super().__init__(scope, id_)
        self._layers = layers
        self._target = target
        self._configuration = configuration
        self.by_step = {
            step: self._function(step, capacity, settings[step].to_environment())
            for step, capacity in CAPACITIES.items()
            if step in settings
        }

    def _function(self, step: str, capacity: Capacity, environment: Mapping[str, str]) -> lambda_.Function:
        program = Program(FUNCTIONS / step, self._layers_of(capacity), environment, capacity)
        return lambda_function(self, step, program, self._target, self._configuration)

    def _layers_of(self, capacity: Capacity) -> tuple[lambda_.ILayerVersion, ...]:
        carried = [self._layers.pipeline, self._layers.third_party[ThirdPartyLayer.DEPENDENCIES]]
        if capacity.carries_arrow:
            carried.append(self._layers.third_party[ThirdPartyLayer.ARROW])
        return (*carried,)


def lambda_function(
    scope: Construct, step: str, program: Program, target: Target, configuration: DeploymentConfiguration
) -> lambda_.Function:
    """A function named after its step, with its own log group and a role that can only write logs and traces."""
    id_, name = state_name(step), configuration.names.function(step)
    logs = log_group(scope, f"{id_}Logs", f"/aws/lambda/{name}", configuration.retention.logs)
    role = iam.Role(scope, f"{id_}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    logs.grant_write(role)
    acknowledge(role, "IAM5[Resource::*]", "X-Ray's two write actions do not support resources.")
    function = lambda_.Function(
        scope,
        id_,
        function_name=name,
        runtime=RUNTIME,
        architecture=target.architecture,
        handler="handler.handler",
        code=lambda_.Code.from_asset(str(program.code), exclude=NOT_SHIPPED),
        layers=[*program.layers],
        role=role,
        log_group=logs,
        tracing=lambda_.Tracing.ACTIVE,
        timeout=Duration.minutes(program.capacity.minutes),
        memory_size=program.capacity.memory_megabytes,
        ephemeral_storage_size=Size.mebibytes(int(program.capacity.disk_gibibytes * 1024)),
        environment={**program.environment, **program.capacity.variables, **_powertools(step, configuration)},
    )
    acknowledge(
        function,
        "L1",
        "The layers are built for the Python that the project is tested with; an upgrade takes a commit.",
    )
    return function


def role_of(function: lambda_.Function) -> iam.Role:
    """The function's own role."""
    role = function.role
    if not isinstance(role, iam.Role):
        raise TypeError(f"The function {function.node.id} has no role of its own.")
    return role


def _powertools(step: str, configuration: DeploymentConfiguration) -> dict[str, str]:
    return {
        "POWERTOOLS_SERVICE_NAME": step,
        "POWERTOOLS_METRICS_NAMESPACE": configuration.names.metrics_namespace,
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }


def state_name(step: str) -> str:
    """The name of a step in the state machine and the template: `plan_run` → `PlanRun`."""
    return "".join(word.capitalize() for word in step.split("_"))

"""The console's functions: their sizes, environments and permissions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from appstore_analytics.contract.layout import (
    APPSTORE_PREFIX,
    CHECKS_PREFIX,
    CURATED_PREFIX,
    KPIS_PREFIX,
    MONTHS_PREFIX,
    PARTS_PREFIX,
    PUBLICATIONS_PREFIX,
    REPORTS_PREFIX,
    RUNS_PREFIX,
)
from appstore_analytics.contract.settings import Environment
from infra.configuration import DeploymentConfiguration
from infra.console.context_values import ConsoleVpc
from infra.console.layers import ConsoleLayers
from infra.functions import FUNCTIONS, Capacity, Program, lambda_function, role_of
from infra.layers import Target, ThirdPartyLayer

CAPACITIES: Mapping[str, Capacity] = {
    # One vCPU, because users wait for the answer. The gateway times out after 30 seconds.
    "console_read": Capacity(1769, 0.5, carries_arrow=True),
    "console_act": Capacity(1769, 0.5, carries_arrow=True),
    "console_web": Capacity(512, 0.5),
    "console_live": Capacity(256, 0.5),
    "console_migrate": Capacity(512, 10),  # IAM needs some time until it knows a new role
    "send_digest": Capacity(1769, 15, carries_arrow=True),
}
"""Every function of the console, by its folder in `functions/`. send_digest is deployed only with digests."""

WITH_DATABASE = ("console_read", "console_act", "send_digest", "console_migrate")
"""The functions that use PostgreSQL; `console_vpc` puts these into a VPC."""

READS_SIGNATURE = ("console_act", "send_digest")
"""The functions that sign or check unsubscribe links."""

_READ_LAKE = (
    RUNS_PREFIX,
    REPORTS_PREFIX,
    APPSTORE_PREFIX,
    CHECKS_PREFIX,
    CURATED_PREFIX,
    PARTS_PREFIX,
    PUBLICATIONS_PREFIX,
    KPIS_PREFIX,
    MONTHS_PREFIX,
)
_OF_THE_STATE_MACHINE = ("DescribeStateMachine", "ListExecutions")


@dataclass(frozen=True, slots=True)
class ConsoleAccess:
    """The AWS permissions of one function besides the database: actions without the service, and lake prefixes."""

    registry: tuple[str, ...] = ()
    reads_lake: tuple[str, ...] = ()
    state_machine: tuple[str, ...] = ()
    executions: tuple[str, ...] = ()
    console_table: tuple[str, ...] = ()
    user_pool: tuple[str, ...] = ()
    sends_to_pages: bool = False
    sends_e_mail: bool = False


MAY: Mapping[str, ConsoleAccess] = {
    "console_read": ConsoleAccess(
        registry=("GetItem", "Query"),
        reads_lake=_READ_LAKE,
        state_machine=_OF_THE_STATE_MACHINE,
        executions=("DescribeExecution",),
    ),
    "console_act": ConsoleAccess(
        registry=("GetItem", "Query"),
        reads_lake=_READ_LAKE,
        state_machine=("DescribeStateMachine", "StartExecution"),
        executions=("DescribeExecution",),
        console_table=("GetItem", "PutItem", "UpdateItem", "DeleteItem"),
        user_pool=(
            "AdminAddUserToGroup",
            "AdminCreateUser",
            "AdminDeleteUser",
            "AdminDisableUser",
            "AdminEnableUser",
            "AdminGetUser",
            "AdminListGroupsForUser",
            "AdminRemoveUserFromGroup",
            "AdminUserGlobalSignOut",
            "ListUsers",
            "ListUsersInGroup",
        ),
    ),
    "console_web": ConsoleAccess(),
    "console_live": ConsoleAccess(console_table=("PutItem", "DeleteItem", "Query"), sends_to_pages=True),
    "console_migrate": ConsoleAccess(),
    "send_digest": ConsoleAccess(
        registry=("GetItem", "Query"),
        reads_lake=_READ_LAKE,
        state_machine=_OF_THE_STATE_MACHINE,
        executions=("DescribeExecution",),
        user_pool=("AdminGetUser", "AdminListGroupsForUser"),
        sends_e_mail=True,
    ),
}
"""The permissions of each function besides its logs and traces, and its database role (infra/console/database.py).

console_web has none: Cognito's sign-in calls do not use IAM.
"""


@dataclass(frozen=True, slots=True)
class ConsolePrograms:
    """The inputs of the functions: the layers, each function's environment, and the folder of the function that is
    staged."""

    layers: ConsoleLayers
    environments: Mapping[str, tuple[Environment, ...]]
    staged: Mapping[str, Path] = field(default_factory=dict)


class ConsoleFunctions(Construct):
    """`by_step` holds the functions that have an environment; each has its own role."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        programs: ConsolePrograms,
        target: Target,
        configuration: DeploymentConfiguration,
    ) -> None:
        super().__init__(scope, id_)
        self._programs = programs
        self._target = target
        self._configuration = configuration
        self.by_step = {step: self._function(step) for step in programs.environments}
        if configuration.console_vpc:
            for step in self.by_step.keys() & set(WITH_DATABASE):
                _move_into(configuration.console_vpc, self.by_step[step])

    def role(self, step: str) -> iam.Role:
        """The role of a function."""
        return role_of(self.by_step[step])

    def _function(self, step: str) -> lambda_.Function:
        programs, capacity = self._programs, CAPACITIES[step]
        told = [each.to_environment() for each in programs.environments[step]]
        environment = dict(item for each in told for item in each.items())
        code = programs.staged.get(step, FUNCTIONS / step)
        program = Program(code, self._layers(capacity), environment, capacity)
        return lambda_function(self, step, program, self._target, self._configuration)

    def _layers(self, capacity: Capacity) -> tuple[lambda_.ILayerVersion, ...]:
        layers = self._programs.layers
        wanted = [ThirdPartyLayer.DEPENDENCIES, ThirdPartyLayer.WEB]
        if capacity.carries_arrow:
            wanted.append(ThirdPartyLayer.ARROW)
        return (layers.package, *(layers.third_party[layer] for layer in wanted))


_INTERFACES = (
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
)


def _move_into(vpc: ConsoleVpc, function: lambda_.Function) -> None:
    """Put the function into the VPC's subnets. Lambda creates its network interfaces with the function's role."""
    resource = cast(lambda_.CfnFunction, function.node.default_child)
    resource.vpc_config = lambda_.CfnFunction.VpcConfigProperty(
        subnet_ids=list(vpc.subnets), security_group_ids=list(vpc.security_groups)
    )
    # The actions do not support resources before the interfaces exist.
    role_of(function).add_to_policy(iam.PolicyStatement(actions=list(_INTERFACES), resources=["*"]))

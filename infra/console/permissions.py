"""Turns the permissions of a console function into the policy of its role."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from infra.console.functions import ConsoleAccess
from infra.console.installed_pipeline import InstalledPipeline
from infra.console.live import STAGE, LiveApi
from infra.naming import arn, logical_id
from infra.permissions import acknowledge_wildcard

_HERE = "arn:<AWS::Partition>:{}:<AWS::Region>:<AWS::AccountId>:"
"""The beginning of an ARN in the stack's account and region, as cdk-nag writes it."""


@dataclass(frozen=True, slots=True)
class ConsoleGrantor:
    """Grants permissions on the pipeline's resources, by name, and on the console's, by ARN."""

    pipeline: InstalledPipeline
    console_table_arn: str
    user_pool_arn: str
    live: LiveApi
    digest_sender: str

    def grant(self, role: iam.Role, access: ConsoleAccess) -> None:
        """Allow the role what `access` lists, and nothing else."""
        pipeline = self.pipeline
        _allow(role, "dynamodb", access.registry, [pipeline.registry_table_arn])
        _allow(role, "dynamodb", access.console_table, [self.console_table_arn])
        _allow(role, "states", access.state_machine, [pipeline.state_machine_arn])
        self._grant_executions(role, access.executions)
        _allow(role, "cognito-idp", access.user_pool, [self.user_pool_arn])
        if access.reads_lake:
            self._grant_lake(role, access.reads_lake)
        if access.sends_to_pages:
            _allow(role, "execute-api", ["ManageConnections"], [self.live.connections_arn])
            spelled = f"{_HERE.format('execute-api')}<{logical_id(self.live.api)}>/{STAGE}/*/@connections/*"
            acknowledge_wildcard(role, spelled, "connections, whose ids API Gateway gives")
        if access.sends_e_mail:
            self._grant_e_mail(role)

    def _grant_executions(self, role: iam.Role, actions: Iterable[str]) -> None:
        _allow(role, "states", actions, [self.pipeline.execution_arns])
        if actions:
            spelled = f"{_HERE.format('states')}execution:{self.pipeline.names.name}:*"
            acknowledge_wildcard(role, spelled, "executions, whose names come with the runs")

    def _grant_lake(self, role: iam.Role, prefixes: Iterable[str]) -> None:
        bucket = f"arn:{Aws.PARTITION}:s3:::{self.pipeline.lake_bucket}"
        output = json.dumps({"Fn::GetStackOutput": self.pipeline.lake_bucket_output}, separators=(",", ":"))
        for prefix in prefixes:
            _allow(role, "s3", ["GetObject"], [f"{bucket}/{prefix}*"])
            spelled = f"arn:<AWS::Partition>:s3:::{output}/{prefix}*"
            acknowledge_wildcard(role, spelled, f"objects below {prefix}, whose keys come with the data")
        # Without it S3 answers 403 for a missing object, and the readers need the 404.
        _allow(role, "s3", ["ListBucket"], [bucket])

    def _grant_e_mail(self, role: iam.Role) -> None:
        """Allow the one sender, whether SES has verified the address or its whole domain."""
        identities = (self.digest_sender, self.digest_sender.partition("@")[2])
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["ses:SendEmail"],
                resources=[arn("ses", f"identity/{identity}") for identity in identities],
                conditions={"StringEquals": {"ses:FromAddress": self.digest_sender}},
            )
        )


def _allow(role: iam.Role, service: str, actions: Iterable[str], resources: list[str]) -> None:
    named = [f"{service}:{action}" for action in actions]
    if named:
        role.add_to_policy(iam.PolicyStatement(actions=named, resources=resources))

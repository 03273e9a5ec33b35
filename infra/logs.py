"""CloudWatch log groups: created by the stack, so that it sets their retention and deletes them with itself."""

from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct


def log_group(scope: Construct, id_: str, name: str, retention_days: int) -> logs.LogGroup:
    """A log group with a retention: logs explain a run, but its facts are in the registry and the lake."""
    group = logs.LogGroup(scope, id_, log_group_name=name, removal_policy=RemovalPolicy.DESTROY)
    cast(logs.CfnLogGroup, group.node.default_child).retention_in_days = retention_days
    return group

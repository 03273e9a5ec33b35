"""CloudWatch log groups: made with the stack, so that their retention is ours and they leave with it."""

from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct


def log_group(scope: Construct, id_: str, name: str, retention_days: int) -> logs.LogGroup:
    """A log group whose lines expire; logs explain a run, its facts are in the registry and the lake."""
    group = logs.LogGroup(scope, id_, log_group_name=name, removal_policy=RemovalPolicy.DESTROY)
    cast(logs.CfnLogGroup, group.node.default_child).retention_in_days = retention_days
    return group

"""Shared by all resources: names in the console, ARNs, removal policies."""

from typing import cast

from aws_cdk import Aws, CfnResource, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct, IConstruct


def removal_policy(*, retain: bool) -> RemovalPolicy:
    """Whether data and keys outlive the stack: always on AWS, and on the embedded AWS if a test asks for it."""
    return RemovalPolicy.RETAIN if retain else RemovalPolicy.DESTROY


def made_once_removal_policy(*, retain: bool) -> RemovalPolicy:
    """The same for resources that are still empty when a first deployment fails: CloudFormation then deletes them.

    Otherwise the next attempt would find the name taken, and report that instead of the first cause. Not for the
    registry: its deletion protection would turn the rollback into ROLLBACK_FAILED, and it has no fixed name.
    """
    return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if retain else RemovalPolicy.DESTROY


def boundary(scope: Construct, policy: str) -> iam.IManagedPolicy:
    """The managed policy with this ARN, or of the account with this name."""
    if policy.startswith("arn:"):
        return iam.ManagedPolicy.from_managed_policy_arn(scope, "Boundary", policy)
    return iam.ManagedPolicy.from_managed_policy_name(scope, "Boundary", policy)


def arn(service: str, resource: str) -> str:
    """The ARN of something in the stack's own account and region, without referring to the resource."""
    return f"arn:{Aws.PARTITION}:{service}:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resource}"


def logical_id(construct: IConstruct) -> str:
    """The name of a construct's resource in the template, as cdk-nag spells it in a finding."""
    return str(Stack.of(construct).resolve(cast(CfnResource, construct.node.default_child).logical_id))

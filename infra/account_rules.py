"""Company-wide requirements for every resource: the permissions boundary of roles, the KMS key, the tags."""

from aws_cdk import Tags
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.configuration import DeploymentConfiguration
from infra.encryption import encrypt
from infra.naming import boundary


def follow_the_accounts_rules(scope: Construct, configuration: DeploymentConfiguration) -> None:
    """Apply them to everything below `scope`. Call it last: later additions are not covered."""
    if configuration.permissions_boundary:
        iam.PermissionsBoundary.of(scope).apply(boundary(scope, configuration.permissions_boundary))
    if configuration.kms_key_arn:
        encrypt(scope, configuration.kms_key_arn)
    for key, value in configuration.tags.items():
        Tags.of(scope).add(key, value)

"""Findings of cdk-nag (AwsSolutions) that are accepted on purpose, each next to the resource that it is about."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Tell cdk-nag that the finding `AwsSolutions-<rule>` on this construct, or below it, is intended."""
    Validations.of(construct).acknowledge(Acknowledgment(id=f"AwsSolutions-{rule}", reason=reason))

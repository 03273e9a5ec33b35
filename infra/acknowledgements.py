"""Findings of cdk-nag (AwsSolutions) that stand on purpose, each said beside the resource it is about."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Tell cdk-nag that the finding `AwsSolutions-<rule>` on this construct, or below it, is meant."""
    Validations.of(construct).acknowledge(Acknowledgment(id=f"AwsSolutions-{rule}", reason=reason))

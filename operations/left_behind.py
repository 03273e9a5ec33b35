"""`adopt`: finds what a destroyed stack has left, and writes it as the resource mapping of `cdk import`.

CloudFormation lists a deleted stack and its resources for 90 days. Retained resources have the status DELETE_SKIPPED.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from appstore_analytics.answers.errors import Refused
from appstore_analytics.answers.facts import counted
from operations.doctor.names import stack_status

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

_BUCKET = "AWS::S3::Bucket"
_TABLE = "AWS::DynamoDB::Table"
_POOL = "AWS::Cognito::UserPool"
_GROUP = "AWS::Cognito::UserPoolGroup"
_IDENTIFIERS: Mapping[str, str] = {
    _BUCKET: "BucketName",
    _TABLE: "TableName",
    "AWS::SecretsManager::Secret": "Id",
    _POOL: "UserPoolId",
    _GROUP: "GroupName",
    "AWS::DSQL::Cluster": "Identifier",
}
"""The property that identifies a resource to import (CloudFormation User Guide, "Resource type support").

A group needs that of its pool, too.
"""
_ONCE_IN_USE = (_BUCKET, _POOL)
"""A first deployment that fails deletes these, and leaves an empty registry or cluster, which is of no use."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A retained resource."""

    logical_id: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Adoption:
    """The retained resources of a deleted stack, and the file in which they are written."""

    stack: str
    mapping: str
    resources: tuple[Kept, ...]

    @property
    def is_good(self) -> bool:
        """True: there is something to take back, or the command would have been refused."""
        return True

    @property
    def sentence(self) -> str:
        """The next two commands."""
        return (
            f"{counted(len(self.resources), 'resource')} of {self.stack} can be taken back: run `cdk import "
            f"{self.stack} --resource-mapping {self.mapping}`, then `cdk deploy {self.stack}`."
        )


def adopt(cloudformation: "CloudFormationClient", stack: str, mapping: Path, registry: str | None = None) -> Adoption:
    """Write the retained resources into `mapping`. Nothing on AWS is changed, and a second call writes the same.

    `registry` is a restored table to import instead of the retained one. Refused if the stack exists, or if no deleted
    stack of this name has left anything. The stack is that of the pipeline or of the web console.
    """
    if status := stack_status(cloudformation, stack):
        raise Refused(f"{stack} is {status}: there is nothing to take back, `cdk deploy` updates it.")
    resources = tuple(_in_place(one, registry) for one in _kept(cloudformation, stack))
    if not resources:
        raise Refused(
            f"No stack {stack} that was deleted in the last 90 days has left anything here: `cdk deploy` creates one."
        )
    identifiers = {one.logical_id: _identifier(one, resources) for one in resources}
    try:
        mapping.write_text(json.dumps(identifiers, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise Refused(f"{mapping} cannot be written ({error.strerror}): name another file.") from None
    return Adoption(stack, str(mapping), resources)


def _identifier(kept: Kept, resources: Sequence[Kept]) -> dict[str, str]:
    own = {_IDENTIFIERS[kept.kind]: kept.name}
    if kept.kind != _GROUP:
        return own
    (pool,) = (one.name for one in resources if one.kind == _POOL)
    return {_IDENTIFIERS[_POOL]: pool, **own}


def _in_place(kept: Kept, registry: str | None) -> Kept:
    return replace(kept, name=registry) if registry and kept.kind == _TABLE else kept


def _kept(cloudformation: "CloudFormationClient", stack: str) -> tuple[Kept, ...]:
    """The retained resources of the newest deleted stack of this name that was in use."""
    pages = cloudformation.get_paginator("list_stacks").paginate(StackStatusFilter=["DELETE_COMPLETE"])
    deleted = [one for page in pages for one in page["StackSummaries"] if one["StackName"] == stack]
    for one in sorted(deleted, key=lambda one: one["CreationTime"], reverse=True):  # one at a time has the name
        kept = tuple(_kept_by(cloudformation, one["StackId"]))
        if any(resource.kind in _ONCE_IN_USE for resource in kept):
            return kept
    return ()


def _kept_by(cloudformation: "CloudFormationClient", stack_id: str) -> Iterator[Kept]:
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_id):
        for one in page["StackResourceSummaries"]:
            if one["ResourceStatus"] == "DELETE_SKIPPED" and one["ResourceType"] in _IDENTIFIERS:
                yield Kept(one["LogicalResourceId"], one["ResourceType"], one["PhysicalResourceId"])

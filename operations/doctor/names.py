"""Names that the deployment needs: AWS refuses the stack if one of them is taken."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from operations.doctor.checks import Check, Result
from operations.where import Connection

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

_GONE_STATUSES = frozenset({"DELETE_COMPLETE", "REVIEW_IN_PROGRESS"})
_STUCK_STATUSES = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED", "CREATE_FAILED"})


@dataclass(frozen=True, slots=True)
class WantedNames:
    """The fixed names of a deployment, and the databases that it uses without creating them."""

    databases: tuple[str, ...]
    existing_databases: tuple[str, ...]
    workgroup: str
    dashboard: str
    secrets: tuple[str, ...]


def stack_status(cloudformation: "CloudFormationClient", stack: str) -> str:
    """CloudFormation's status of the stack; empty when there is none."""
    try:
        (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return ""
        raise
    status = str(found["StackStatus"])
    return "" if status in _GONE_STATUSES else status


def outputs(cloudformation: "CloudFormationClient", stack: str) -> dict[str, str]:
    """The outputs of a stack that exists."""
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", ())}


def check_stack(stack: str, status: str) -> Check:
    """Whether the stack exists, and whether the next deployment can update it."""
    if not status:
        return Check("stack", Result.OK, f"{stack} is not deployed yet: run `cdk deploy`.")
    if status in _STUCK_STATUSES:
        return Check(
            "stack",
            Result.FIX,
            f"{stack} is {status}: CloudFormation cannot update it. Read its first failed event, then "
            f"`cdk destroy {stack}` and deploy again.",
        )
    return Check("stack", Result.OK, f"{stack} is {status}.")


def check_names(aws: Connection, wanted: WantedNames) -> Iterator[Check]:
    """The names that something outside the stack has taken, each with the fix. Only for a stack that does not exist."""
    taken = [check for find in (_databases, _secrets, _others) for check in find(aws, wanted)]
    yield from taken or [Check("names", Result.OK, "No name that the stack needs is taken.")]


def _databases(aws: Connection, wanted: WantedNames) -> Iterator[Check]:
    for name in wanted.databases:
        if _exists(partial(aws.glue.get_database, Name=name), "EntityNotFoundException"):
            yield _taken("Glue database", name, "choose another name in databases, or use it by existing_databases")
    for name in wanted.existing_databases:
        if not _exists(partial(aws.glue.get_database, Name=name), "EntityNotFoundException"):
            sentence = f"The Glue database {name} does not exist: create it, or take it out of existing_databases."
            yield Check("names", Result.FIX, sentence)


def _secrets(aws: Connection, wanted: WantedNames) -> Iterator[Check]:
    for name in wanted.secrets:
        try:
            found = aws.secrets_manager.describe_secret(SecretId=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            continue
        if "DeletedDate" in found:
            yield Check(
                "names",
                Result.FIX,
                f"The secret {name} is being deleted, which keeps its name taken for up to 30 days: restore it with "
                f"`aws secretsmanager restore-secret --secret-id {name}` and take it back with `./manage.py adopt`, or "
                "delete it for good with --force-delete-without-recovery.",
            )
        else:
            yield _taken("secret", name, "take it back with `./manage.py adopt`, or delete it if nothing needs its key")


def _others(aws: Connection, wanted: WantedNames) -> Iterator[Check]:
    workgroup, dashboard = wanted.workgroup, wanted.dashboard
    way_out = "remove it, or choose another name in cdk.json"
    if _exists(lambda: aws.athena.get_work_group(WorkGroup=workgroup), "InvalidRequestException"):
        yield _taken("Athena workgroup", workgroup, way_out)
    if _exists(lambda: aws.cloudwatch.get_dashboard(DashboardName=dashboard), "ResourceNotFound"):
        yield _taken("dashboard", dashboard, way_out)


def _taken(what: str, name: str, way_out: str) -> Check:
    return Check("names", Result.FIX, f"The {what} {name} exists, but the stack did not create it: {way_out}.")


def _exists(ask: Callable[[], object], absent: str) -> bool:
    try:
        ask()
    except ClientError as error:
        if error.response["Error"]["Code"].startswith(absent):
            return False
        raise
    return True


def other_pipelines(cloudformation: "CloudFormationClient", stack: str) -> Iterable[str]:
    """Other stacks of this project in the account and region, by their outputs."""
    for page in cloudformation.get_paginator("describe_stacks").paginate():
        for each in page["Stacks"]:
            keys = {output["OutputKey"] for output in each.get("Outputs", ())}
            if each["StackName"] != stack and {"RegistryTable", "RawBucket", "StateMachineArn"} <= keys:
                yield each["StackName"]

"""An AWS that enforces IAM: every call of a function as it was judged, and the policies that judged it."""

import json
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any

from deployed import STACK, Deployed

from local.aws.server import ACCOUNT
from operations.embedded import REGION

Right = tuple[str, str]  # action and resource


def judged_calls(guarded: Deployed) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{guarded.aws.url}/_local/calls", timeout=5) as answer:  # noqa: S310 (loopback)
        return list(json.load(answer))


def role_of(guarded: Deployed, step: str) -> str:
    function = guarded.aws.client("lambda").get_function(FunctionName=function_name(step))
    return str(function["Configuration"]["Role"]).rpartition("/")[2]


def function_name(step: str) -> str:
    return f"appstore-analytics-{step.replace('_', '-')}"


def policies_of(guarded: Deployed, step: str) -> dict[str, dict[str, Any]]:
    iam, role = guarded.aws.client("iam"), role_of(guarded, step)
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
    return {name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names}


def rights_of(guarded: Deployed, step: str) -> set[Right]:
    """The permissions in a function's deployed policies, one by one."""
    statements = [one for document in policies_of(guarded, step).values() for one in document["Statement"]]
    assert {one["Effect"] for one in statements} == {"Allow"}
    return {
        (action, resource)
        for one in statements
        for action in listed(one["Action"])
        for resource in listed(one["Resource"])
    }


@contextmanager
def without(guarded: Deployed, step: str, action: str) -> Iterator[None]:
    iam, role = guarded.aws.client("iam"), role_of(guarded, step)
    policies = policies_of(guarded, step)
    for name, document in policies.items():
        less = [
            {**one, "Action": actions}
            for one in document["Statement"]
            if (actions := [each for each in listed(one["Action"]) if each != action])
        ]
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps({**document, "Statement": less}))
    yield
    for name, document in policies.items():
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def needed_by(calls: list[dict[str, Any]], step: str) -> set[Right]:
    """The permissions that a function's calls needed.

    Amazon S3 answers 404 for a missing object only to callers that can list the bucket, else 403. The emulator always
    answers 404, so that answer shows that the permission was needed.
    """
    own = [call for call in calls if call["caller"] == function_name(step)]
    needed = {(call["action"], call["resource"]) for call in own}
    absent = {call["resource"] for call in own if call["action"] == "s3:GetObject" and call["status"] == 404}
    return needed | {("s3:ListBucket", resource.split("/")[0]) for resource in absent}


def covers(right: Right, needed: Right) -> bool:
    return right[0] == needed[0] and fnmatchcase(needed[1], right[1])


def words_of(guarded: Deployed, step: str) -> dict[str, str]:
    """Short words for the resources of the deployment."""
    stack = guarded.aws.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    return {f"arn:aws:s3:::{outputs[f'{each}Bucket']}": each.lower() for each in ("Lake", "Raw", "Results")} | {
        f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/{function_name(step)}:*": "own log",
        f"arn:aws:glue:{REGION}:{ACCOUNT}:": "glue:",
        f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{outputs['RegistryTable']}": "registry",
    }


def in_words(right: Right, words: Mapping[str, str]) -> Right:
    """The right with its resource in short words."""
    action, resource = right
    for spelled, word in words.items():
        resource = resource.replace(spelled, word)
    return action, resource

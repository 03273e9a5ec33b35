"""The customer-managed key of `kms_key_arn`: whether it is suitable, and whether its policy lets AWS's services use
it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from operations.doctor.checks import Check, Result

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

_USES = ("kms:Decrypt", "kms:GenerateDataKey")
_OF_LOGS = (*_USES, "kms:Encrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:DescribeKey")


def services(region: str) -> Mapping[str, Sequence[str]]:
    """What AWS's services must be allowed to do with the key, by their principal (docs/security.md)."""
    return {"cloudwatch.amazonaws.com": _USES, "sns.amazonaws.com": _USES, f"logs.{region}.amazonaws.com": _OF_LOGS}


def check_key(kms: "KMSClient", arn: str, account: str, region: str) -> Iterator[Check]:
    """Whether the key is suitable for the deployment; each problem is one line."""
    if arn.split(":")[3] != region:
        finding = f"The key is in {arn.split(':')[3]} and the stack in {region}: name a key of this region."
        yield Check("KMS key", Result.FIX, finding)
        return
    try:
        key = kms.describe_key(KeyId=arn)["KeyMetadata"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NotFoundException":
            raise
        yield Check("KMS key", Result.FIX, f"There is no key {arn}: name one that exists in kms_key_arn.")
        return
    if key["KeyState"] != "Enabled":
        finding = f"The key is {key['KeyState']}: enable it (`aws kms enable-key`), or name another in kms_key_arn."
        yield Check("KMS key", Result.FIX, finding)
        return
    if key["KeySpec"] != "SYMMETRIC_DEFAULT" or key["KeyUsage"] != "ENCRYPT_DECRYPT":
        finding = f"The key is {key['KeySpec']} for {key['KeyUsage']}: name a symmetric encryption key."
        yield Check("KMS key", Result.FIX, finding)
        return
    policy = json.loads(kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"])
    yield from _policy(policy, account, region)


def _policy(policy: Mapping[str, Any], account: str, region: str) -> Iterator[Check]:
    statements = _listed(policy["Statement"])
    lacking = {
        service: [action for action in actions if not _allows(statements, "Service", service, action)]
        for service, actions in services(region).items()
    }
    for service, actions in lacking.items():
        if actions:
            finding = f"Its policy does not let {service} use {', '.join(actions)}: add a statement that does."
            yield Check("KMS key", Result.FIX, finding)
    roots = (account, f":iam::{account}:root")
    by_iam = any(
        _matches(action, "kms:Decrypt") and any(str(one).endswith(roots) for one in _principals(statement, "AWS"))
        for statement in _allowing(statements)
        for action in _listed(statement.get("Action", ()))
    )
    if not by_iam:
        finding = f"Its policy does not let IAM policies of {account} decide: allow kms:* to the account's root."
        yield Check("KMS key", Result.FIX, finding)
    if by_iam and not any(lacking.values()):
        yield Check("KMS key", Result.OK, "The key is enabled, and its policy lets AWS's services use it.")


def _allows(statements: Sequence[Mapping[str, Any]], kind: str, principal: str, action: str) -> bool:
    return any(
        {principal, "*"} & set(_principals(statement, kind))
        and any(_matches(pattern, action) for pattern in _listed(statement.get("Action", ())))
        for statement in _allowing(statements)
    )


def _allowing(statements: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    return (statement for statement in statements if statement["Effect"] == "Allow")


def _principals(statement: Mapping[str, Any], kind: str) -> list[str]:
    principal = statement.get("Principal", ())
    return [principal] if principal == "*" else _listed(principal.get(kind, ())) if principal else []


def _matches(pattern: str, action: str) -> bool:
    return fnmatchcase(action.lower(), pattern.lower())


def _listed(value: Any) -> list[Any]:
    return [value] if isinstance(value, (str, dict)) else list(value)

"""A customer-managed key instead of AWS's own: everything at rest that supports one, and the permissions to use it.

The key's policy is its owner's: it has to let AWS's services use the key as well (docs/security.md).
"""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from aws_cdk import CfnResource
from aws_cdk import aws_iam as iam
from constructs import IConstruct

_ENCRYPTED_BY: Mapping[str, Mapping[str, Any]] = {
    "AWS::Athena::WorkGroup": {
        "WorkGroupConfiguration.ResultConfiguration.EncryptionConfiguration": {
            "EncryptionOption": "SSE_KMS",
            "KmsKey": "{key}",
        }
    },
    "AWS::DSQL::Cluster": {"KmsEncryptionKey": "{key}"},
    "AWS::DynamoDB::Table": {
        "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": "{key}"},
    },
    "AWS::Logs::LogGroup": {"KmsKeyId": "{key}"},
    "AWS::S3::Bucket": {
        # A bucket key makes one KMS call for many objects; otherwise the calls would cost more than the lake.
        "BucketEncryption.ServerSideEncryptionConfiguration": [
            {
                "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "{key}"},
                "BucketKeyEnabled": True,
            }
        ]
    },
    "AWS::SNS::Topic": {"KmsMasterKeyId": "{key}"},
    "AWS::SQS::Queue": {"KmsMasterKeyId": "{key}", "SqsManagedSseEnabled": False},
    "AWS::SecretsManager::Secret": {"KmsKeyId": "{key}"},
}
"""The properties that name a key, and their values, by resource type."""

_DECRYPT = "kms:Decrypt"
_READS = ("dynamodb:", "s3:GetObject", "secretsmanager:GetSecretValue")
_WRITES = ("s3:PutObject", "sqs:SendMessage")
"""Actions for which AWS uses the key with the caller's rights: to read, and to write. Writing also reads: parts of an
upload are read again, and SQS decrypts the data key that it reuses.
"""


def encrypt(scope: IConstruct, key_arn: str) -> None:
    """Set the key on every resource below `scope` that supports one, and allow each role the use that it needs.

    Built from L1 properties, because CDK's own grants would allow `kms:ReEncrypt*` and more. Call it last: later
    additions are not covered.
    """
    for construct in scope.node.find_all():
        if isinstance(construct, CfnResource):
            for path, value in _ENCRYPTED_BY.get(construct.cfn_resource_type, {}).items():
                construct.add_property_override(path, _with_key(value, key_arn))
        elif isinstance(construct, iam.Policy):
            _allow(construct, key_arn)


def _with_key(value: Any, key_arn: str) -> Any:
    if isinstance(value, dict):
        return {name: _with_key(each, key_arn) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_key(each, key_arn) for each in value]
    return key_arn if value == "{key}" else value


def _allow(policy: iam.Policy, key_arn: str) -> None:
    actions = [action for statement in _statements(policy) for action in _listed(statement["Action"])]
    wanted = [_DECRYPT] if any(action.startswith((*_READS, *_WRITES)) for action in actions) else []
    if any(action in _WRITES for action in actions):
        wanted.append("kms:GenerateDataKey")
    if wanted:
        policy.add_statements(iam.PolicyStatement(actions=wanted, resources=[key_arn]))


def _statements(policy: iam.Policy) -> Iterable[dict[str, Any]]:
    document = cast(dict[str, Any], policy.document.to_json() or {})
    return cast(Iterable[dict[str, Any]], document.get("Statement", ()))


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)

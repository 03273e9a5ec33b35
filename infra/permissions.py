"""Permissions of a function in this project's words, and the exact IAM actions that they mean."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import IConstruct

from appstore_analytics.contract.names import Database, Names
from infra.acknowledgements import acknowledge
from infra.api_keys import ApiKeys
from infra.buckets import Buckets
from infra.naming import arn, logical_id
from infra.registry import Registry
from infra.workgroup import Workgroup

READ = "read"
READ_VERSIONS = "read versions"
WRITE = "write"
DELETE = "delete"
LAKE = "lake"
RAW = "raw"

_OBJECT_ACTIONS = {
    READ: ("s3:GetObject",),
    READ_VERSIONS: ("s3:GetObjectVersion",),
    WRITE: ("s3:PutObject",),
    DELETE: ("s3:DeleteObject",),
}
_ATHENA_ACTIONS = ("StartQueryExecution", "GetQueryExecution", "GetQueryResults", "StopQueryExecution")
_GLUE_ACTIONS = ("GetDatabase", "GetTable")  # partitions are projected: Athena makes no Glue calls for this one


@dataclass(frozen=True, slots=True)
class Access:
    """The rights of one function: The DynamoDB actions, the actions on objects by prefix, and the API keys.

    `lists` names the buckets in which it lists objects or reads one that may be missing.
    """

    registry: tuple[str, ...] = ()
    lake: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    raw: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lists: tuple[str, ...] = ()
    api_keys: Literal["admin", "reader", "every"] | None = None
    athena: tuple[Database, ...] = ()  # which it queries
    secret: str = ""  # a database that the stack does not create


@dataclass(frozen=True, slots=True)
class Grantor:
    """Turns an Access into the policy of a role."""

    registry: Registry
    buckets: Buckets
    api_keys: ApiKeys
    workgroup: Workgroup
    names: Names

    def grant(self, role: iam.Role, access: Access) -> None:
        """Grant the role exactly the permissions in `access`."""
        if access.registry:
            _allow(role, (f"dynamodb:{action}" for action in access.registry), [self.registry.table.table_arn])
        for name, prefixes in ((LAKE, access.lake), (RAW, access.raw)):
            _grant_objects(role, self._bucket(name), prefixes)
        for name in access.lists:
            # Without it S3 answers 403 for a missing object, and compare-and-swap needs the 404. A condition on the
            # prefix would not match GetObject, which has no prefix.
            _allow(role, ["s3:ListBucket"], [self._bucket(name).bucket_arn])
        if access.api_keys:
            secrets = self.api_keys.of(access.api_keys)
            _allow(role, ["secretsmanager:GetSecretValue"], [secret.secret_arn for secret in secrets])
        if access.secret:
            # Secrets Manager appends six random characters to a name.
            _allow(role, ["secretsmanager:GetSecretValue"], [arn("secretsmanager", f"secret:{access.secret}-??????")])
        if access.athena:
            self._grant_athena(role, [self.names.databases[each] for each in access.athena])

    def _bucket(self, name: str) -> s3.Bucket:
        return {LAKE: self.buckets.lake, RAW: self.buckets.raw}[name]

    def _grant_athena(self, role: iam.Role, databases: Iterable[str]) -> None:
        # Athena reads and writes with the caller's permissions.
        workgroup = arn("athena", f"workgroup/{self.workgroup.name}")
        _allow(role, (f"athena:{action}" for action in _ATHENA_ACTIONS), [workgroup])
        # The Athena guide says that the permission on `default` is mandatory, whichever database a query names.
        glue = [arn("glue", "catalog"), arn("glue", "database/default")]
        for database in databases:
            tables = f"table/{database}/*"
            glue += [arn("glue", f"database/{database}"), arn("glue", tables)]
            acknowledge_wildcard(
                role, f"arn:<AWS::Partition>:glue:<AWS::Region>:<AWS::AccountId>:{tables}", f"any table of {database}"
            )
        _allow(role, (f"glue:{action}" for action in _GLUE_ACTIONS), glue)
        _grant_objects(role, self.buckets.results, {"queries/": (READ, WRITE)})
        results = self.buckets.results
        _allow(role, ["s3:AbortMultipartUpload"], [results.arn_for_objects("queries/*")])
        _allow(role, ["s3:ListBucket"], [results.bucket_arn])
        _allow(role, ["s3:GetBucketLocation"], [results.bucket_arn, self.buckets.lake.bucket_arn])


def _grant_objects(role: iam.Role, bucket: s3.Bucket, prefixes: Mapping[str, tuple[str, ...]]) -> None:
    for prefix, verbs in prefixes.items():
        _allow(
            role, (action for verb in verbs for action in _OBJECT_ACTIONS[verb]), [bucket.arn_for_objects(f"{prefix}*")]
        )
        acknowledge_wildcard(
            role, f"<{logical_id(bucket)}.Arn>/{prefix}*", f"objects below {prefix}, whose keys come with the data"
        )


def _allow(role: iam.Role, actions: Iterable[str], resources: list[str]) -> None:
    role.add_to_policy(iam.PolicyStatement(actions=list(actions), resources=resources))


def acknowledge_wildcard(construct: IConstruct, resource: str, what: str) -> None:
    """Tell cdk-nag why a policy ends in a wildcard; `resource` is spelled as its finding spells it."""
    acknowledge(construct, f"IAM5[Resource::{resource}]", f"The permission is for {what}.")

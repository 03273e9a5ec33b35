"""Resources with data, after the deployment: settings that can differ from the template.

CloudFormation imports a resource as it is and changes it only when the template changes, and DynamoDB restores a table
without stream, TTL, backups and deletion protection.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from operations.doctor.checks import Check, Result

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

TIME_TO_LIVE = "expires_at"
STREAM_VIEW = "KEYS_ONLY"


def check_registry(tables: "DynamoDBClient", name: str, *, retained: bool) -> Iterator[Check]:
    """Whether the registry has backups, TTL, a stream and deletion protection."""
    missing = tuple(_missing(tables, name, retained=retained))
    for what, command in missing:
        yield Check("registry", Result.FIX, f"{name} has no {what}: `aws dynamodb {command}`.")
    if not missing:
        yield Check("registry", Result.OK, f"{name} has its backups, TTL, stream and protection.")


def _missing(tables: "DynamoDBClient", name: str, *, retained: bool) -> Iterator[tuple[str, str]]:
    table, of_table = tables.describe_table(TableName=name)["Table"], f"--table-name {name}"
    backups = tables.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    if backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus") != "ENABLED":
        specification = "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
        yield "point-in-time recovery", f"update-continuous-backups {of_table} {specification}"
    lives = tables.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    if lives.get("TimeToLiveStatus") not in {"ENABLED", "ENABLING"} or lives.get("AttributeName") != TIME_TO_LIVE:
        specification = f"--time-to-live-specification AttributeName={TIME_TO_LIVE},Enabled=true"
        yield f"TTL on {TIME_TO_LIVE}", f"update-time-to-live {of_table} {specification}"
    if table.get("StreamSpecification", {}).get("StreamViewType") != STREAM_VIEW:
        specification = f"--stream-specification StreamEnabled=true,StreamViewType={STREAM_VIEW}"
        yield "stream of its keys", f"update-table {of_table} {specification}"
    if retained and not table.get("DeletionProtectionEnabled"):
        yield "deletion protection", f"update-table {of_table} --deletion-protection-enabled"


def check_bucket(s3: "S3Client", name: str, *, is_versioned: bool) -> Iterator[Check]:
    """Whether the bucket has its lifecycle rules, refuses plain HTTP, and keeps versions if it should."""
    faults = []
    if not _expires(s3, name):
        faults.append("has no lifecycle rule that expires anything")
    if not _refuses_plain_http(s3, name):
        faults.append("answers without TLS")
    if is_versioned and s3.get_bucket_versioning(Bucket=name).get("Status") != "Enabled":
        faults.append("keeps no versions")
    if faults:
        way_out = "put back what `cdk synth` shows for it, then `aws cloudformation detect-stack-drift` finds nothing"
        yield Check("buckets", Result.FIX, f"{name} {' and '.join(faults)}: {way_out}.")
    else:
        yield Check("buckets", Result.OK, f"{name} has its lifecycle rules and refuses plain HTTP.")


def _expires(s3: "S3Client", name: str) -> bool:
    try:
        rules = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchLifecycleConfiguration":
            raise
        return False
    return any({"Expiration", "NoncurrentVersionExpiration"} & rule.keys() for rule in rules)


def _refuses_plain_http(s3: "S3Client", name: str) -> bool:
    try:
        policy = s3.get_bucket_policy(Bucket=name)["Policy"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucketPolicy":
            raise
        return False
    return "aws:SecureTransport" in policy

"""Opens AWS for a function, once per Lambda process, and reuses it while the process is warm.

Every client has these retries: throttling and 5xx of AWS are retried there and nowhere else.
"""

from functools import cache
from typing import TYPE_CHECKING

from botocore.config import Config

from appstore_analytics.contract.metrics import DIMENSION
from appstore_analytics.contract.settings import Settings
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.registry import Registry
from appstore_analytics.wiring.aws import aws
from appstore_analytics.wiring.clock import utc_now

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 6},
    connect_timeout=5,
    max_pool_connections=32,
    # A fixed user agent: botocore's default is assembled for every request.
    user_agent=DIMENSION[1],
)


@cache
def open_s3() -> "S3Client":
    """The S3 client, always the same one: two buckets do not need two clients, and threads can share one."""
    return aws().client("s3", config=_CONFIG)


def open_bucket(name: str) -> Bucket:
    """One S3 bucket."""
    return Bucket(open_s3(), name)


def open_athena_client() -> "AthenaClient":
    """Athena."""
    return aws().client("athena", config=_CONFIG)


def open_secrets_manager() -> "SecretsManagerClient":
    """Secrets Manager."""
    return aws().client("secretsmanager", config=_CONFIG)


def open_registry(settings: Settings) -> Registry:
    """The registry."""
    return Registry(aws().resource("dynamodb", config=_CONFIG).Table(settings.registry_table), utc_now)

"""Opening AWS for a function, once per Lambda process and reused while it is warm."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from appstore_analytics.contract.metrics import DIMENSION
from appstore_analytics.contract.settings import Settings
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.registry import Registry

_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 6},
    connect_timeout=5,
    max_pool_connections=32,
    # A name of its own: botocore's is put together anew for every request.
    user_agent=DIMENSION[1],
)


@cache
def open_client(service: str) -> Any:
    """A boto3 client with our retries: throttling and 5xx of AWS are retried there and nowhere else.

    The same one each time: two buckets need not be two clients, and threads may share one.
    """
    client: Any = boto3.client
    return client(service, config=_CONFIG)


def open_bucket(name: str) -> Bucket:
    """One S3 bucket."""
    return Bucket(open_client("s3"), name)


def open_registry(settings: Settings) -> Registry:
    """The registry."""
    return Registry(boto3.resource("dynamodb", config=_CONFIG).Table(settings.registry_table))

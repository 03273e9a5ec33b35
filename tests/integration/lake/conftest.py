"""A versioned bucket of moto's S3."""

from collections.abc import Iterator

import pytest

from appstore_analytics.lake.objects import Bucket
from tests.aws_in_process import aws_in_process, new_bucket


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with aws_in_process():
        yield new_bucket("lake", versioned=True)

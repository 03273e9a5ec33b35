from collections.abc import Iterator

import pytest

from appstore_analytics.registry import Registry
from tests.aws_in_process import aws_in_process, new_registry


@pytest.fixture
def registry() -> Iterator[Registry]:
    with aws_in_process():
        yield new_registry()

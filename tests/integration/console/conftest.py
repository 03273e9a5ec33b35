from collections.abc import Iterator
from typing import Any

import pytest

from tests.aws_in_process import aws_in_process, new_registry


@pytest.fixture
def table() -> Iterator[Any]:
    """The console's table, which has the registry's keys."""
    with aws_in_process():
        yield new_registry("console").table

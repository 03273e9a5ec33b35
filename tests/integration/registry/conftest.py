from collections.abc import Iterator

import pytest

from appstore_analytics.registry import Registry
from appstore_analytics.registry.call_budget import CallBudget
from tests.aws_in_process import aws_in_process, new_registry
from tests.clock import Clock
from tests.integration.registry.budget_samples import NOW


@pytest.fixture
def budget(registry: Registry) -> CallBudget:
    return registry.call_budget("main")


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def registry() -> Iterator[Registry]:
    with aws_in_process():
        yield new_registry()

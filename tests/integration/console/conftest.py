from collections.abc import Iterator
from typing import Any

import pytest
from migrated import Migrated, migrated_cluster

from local.aws.server import EmbeddedAws
from tests.aws_in_process import aws_in_process, new_registry


@pytest.fixture
def table() -> Iterator[Any]:
    """The console's table, which has the same key names as the registry."""
    with aws_in_process():
        yield new_registry("console").table


@pytest.fixture(scope="session")
def embedded_aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws() as aws:
        yield aws


@pytest.fixture(scope="session")
def shared_cluster(embedded_aws: EmbeddedAws) -> Migrated:
    """An Aurora DSQL cluster of the embedded AWS with the console's schema."""
    return migrated_cluster(embedded_aws, "console")


@pytest.fixture(scope="module")
def cluster(shared_cluster: Migrated) -> Iterator[Migrated]:
    """The shared cluster, which every file finds without rows."""
    yield shared_cluster
    shared_cluster.empty()

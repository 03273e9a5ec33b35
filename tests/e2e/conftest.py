from collections.abc import Iterator

import pytest
from deployed import (
    ALL_APPS,
    DATES_PER_INSTANCE,
    DAY,
    REPORTS,
    ROWS_PER_DATE,
    SLACK_SECRET,
    Deployed,
    friday_of_the_scenarios,
    opened,
)

from local.apple.model import WorldSettings
from local.apple.server import SimulatedApple
from local.apple.world import World
from local.aws.server import EmbeddedAws
from local.deployment import ConsoleDeployment, deploy, deploy_console


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """CloudWatch keeps a metric's values for an hour: tests of calm alarms come before tests that let them ring."""
    items.sort(key=lambda item: item.get_closest_marker("leaves_data_stale") is not None)


@pytest.fixture(scope="session")
def deployed() -> Iterator[Deployed]:
    """The one deployment of the session; each scenario moves the world to its own days."""
    first_day = friday_of_the_scenarios() - DAY * 13
    settings = WorldSettings(
        today=first_day,
        apps=ALL_APPS,
        rows_per_date=ROWS_PER_DATE,
        dates_per_instance=DATES_PER_INSTANCE,
        history_start=first_day - DAY * 24,
    )
    context = {
        "segment_hosts": ["127.0.0.1"],
        "reports": list(REPORTS),
        "granularities": ["DAILY", "WEEKLY"],
        "accounts": [{"name": "main", "app_ids": [], "reader_key": True}],
        "snapshot_poll_seconds": 2,
        "alarm_slack_secret": SLACK_SECRET,
    }
    with SimulatedApple(World(settings)) as apple, EmbeddedAws() as aws:
        context = {**context, "apple_base_url": apple.url}
        deployment = deploy(aws, context, lambda *_: None)
        yield opened(aws, apple.world, deployment, context)


@pytest.fixture(scope="session")
def console(deployed: Deployed) -> ConsoleDeployment:
    """The web console, deployed beside the session's pipeline."""
    return deploy_console(deployed.aws, deployed.context, lambda *_: None)

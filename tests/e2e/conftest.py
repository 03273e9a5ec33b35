from collections.abc import Iterator

import pytest
from deployed import ALL_APPS, DATES_PER_INSTANCE, DAY, REPORTS, ROWS_PER_DATE, Deployed, friday_of_the_scenarios

from appstore_analytics.athena.query import Athena
from appstore_analytics.lake.objects import Bucket
from local.apple.model import WorldSettings
from local.apple.server import SimulatedApple
from local.apple.world import World
from local.aws.server import EmbeddedAws
from local.demo import open_pipeline
from local.deployment import deploy, put_api_key


@pytest.fixture(scope="session")
def deployed() -> Iterator[Deployed]:
    """The one deployment of the session; a scenario moves the world to its own days."""
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
        "accounts": [{"name": "main", "app_ids": []}],
        "snapshot_poll_seconds": 2,
    }
    with SimulatedApple(World(settings)) as apple, EmbeddedAws() as aws:
        deployment = deploy(aws, {**context, "apple_base_url": apple.url}, lambda *_: None)
        world, key = apple.world, apple.world.admin_key
        secret = {"key_id": key.key_id, "issuer_id": world.keys.issuer_id, "private_key": key.private_key_pem}
        put_api_key(aws, "main", secret)
        yield Deployed(
            world=world,
            aws=aws,
            deployment=deployment,
            pipeline=open_pipeline(aws, deployment),
            athena=Athena(aws.client("athena"), deployment.workgroup),
            raw=Bucket(aws.client("s3"), deployment.raw_bucket),
        )

"""A stack that is updated during a run, destroyed, and created again with what it has left.

Data and keys are retained as on AWS, and `cdk import` takes them back: no request is created again, and no row is lost.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from deployed import DAY, ENGAGEMENT, Counted, Deployed, app, friday_of_the_scenarios, report_of

from appstore_analytics.answers.executions import Execution, Snapshot
from appstore_analytics.lake.objects import Bucket
from local.apple.model import WorldSettings
from local.apple.server import SimulatedApple
from local.apple.world import World
from local.aws.server import EmbeddedAws
from local.deployment import Deployment, deploy, on_stack, open_athena, open_pipeline
from operations.left_behind import Adoption, adopt

APPS = (app(0), app(1))
CREATE = "POST /v1/analyticsReportRequests"
FIRST_DAY = friday_of_the_scenarios() - DAY * 8


@dataclass
class Life:
    """The recorded states of the stack's life."""

    before: Counted = field(default_factory=dict)
    after: Counted = field(default_factory=dict)
    of_apple: Counted = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)
    objects_kept: dict[str, str] = field(default_factory=dict)
    key: str = ""
    key_kept: str = ""
    requests: int = 0
    requests_at_the_end: int = 0
    runs: list[Execution] = field(default_factory=list)
    states_during_the_update: list[str] = field(default_factory=list)
    adoption: Adoption | None = None


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    settings = WorldSettings(today=FIRST_DAY, apps=len(APPS), rows_per_date=8, dates_per_instance=3)
    context: dict[str, Any] = {
        "segment_hosts": ["127.0.0.1"],
        "reports": [ENGAGEMENT],
        "accounts": [{"name": "main", "app_ids": [], "reader_key": True}],
        "snapshot_poll_seconds": 1,
        "retain": True,
    }
    mapping = tmp_path_factory.mktemp("adopt") / "adopt.json"
    with SimulatedApple(World(settings)) as apple, EmbeddedAws() as aws:
        context["apple_base_url"] = apple.url
        yield _lived(aws, apple.world, context, mapping)


def _lived(aws: EmbeddedAws, world: World, context: dict[str, Any], mapping: Path) -> Life:
    life, stack = Life(), _opened(aws, world, deploy(aws, context, lambda *_: None))
    life.runs.append(stack.daily("first", APPS))
    world.advance(2)
    life.runs.append(stack.daily("second", APPS))
    life.runs.append(_updated_while_a_backfill_waits(life, stack, context))
    life.before, life.objects = stack.counted("engagement", APPS), stack.etags()
    life.requests, life.key = stack.calls(CREATE), _key(stack)
    on_stack(aws, ["destroy", "--force"], context, lambda *_: None)
    life.adoption = adopt(aws.client("cloudformation"), stack.deployment.names.stack, mapping)
    on_stack(aws, ["import", "--resource-mapping", str(mapping)], context, lambda *_: None)
    deployment = deploy(aws, context, lambda *_: None)
    life.key_kept = _key(stack)
    stack = _opened(aws, world, deployment)
    life.objects_kept = stack.etags()
    world.advance(1)
    life.runs.append(stack.daily("after", APPS))
    life.after, life.of_apple = stack.counted("engagement", APPS), stack.every("engagement", APPS)
    life.requests_at_the_end = stack.calls(CREATE)
    return life


def _opened(aws: EmbeddedAws, world: World, deployment: Deployment) -> Deployed:
    pipeline, raw = open_pipeline(aws, deployment), Bucket(aws.client("s3"), deployment.raw_bucket)
    return Deployed(world, aws, deployment, pipeline, open_athena(aws, deployment), raw)


def _key(stack: Deployed) -> str:
    """The contents of the secret, read only here and by the functions."""
    name = f"{stack.deployment.names.api_key_secret_prefix}main"
    return str(stack.aws.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])


def _updated_while_a_backfill_waits(life: Life, stack: Deployed, context: dict[str, Any]) -> Execution:
    """The snapshot is not ready before the update ends, so the run has to wait for it."""
    today = stack.world.today
    payload = {
        "operation": "backfill",
        "app_ids": [APPS[0]],
        "start_date": (today - DAY * 6).isoformat(),
        "end_date": (today - DAY * 4).isoformat(),
    }

    def seen(snapshot: Snapshot) -> None:
        life.states_during_the_update.append(str(snapshot))

    with ThreadPoolExecutor(1) as beside:
        run = beside.submit(stack.run, "backfill", payload, APPS, seen)
        deploy(stack.aws, {**context, "freshness_hours": 30, "retention": {"logs": 60}}, lambda *_: None)
        assert not run.done()
        stack.world.advance(2)
        return run.result()


def test_every_run_ends_well_also_the_one_that_was_under_way_during_an_update(life: Life) -> None:
    assert [(run.status, run.cause) for run in life.runs] == [("SUCCEEDED", "")] * 4
    assert report_of(life.runs[2])["apps_by_verdict"] == {"verified": [APPS[0]]}
    assert life.states_during_the_update


def test_a_destroyed_stack_leaves_buckets_registry_and_keys_and_says_so(life: Life) -> None:
    assert life.adoption is not None
    kinds = sorted(one.kind for one in life.adoption.resources)
    assert kinds == ["AWS::DynamoDB::Table", *["AWS::S3::Bucket"] * 3, *["AWS::SecretsManager::Secret"] * 2]


def test_the_new_stack_goes_on_with_the_objects_and_the_requests_of_the_old_one(life: Life) -> None:
    assert life.objects_kept == life.objects
    assert life.before
    assert "PRIVATE KEY" in life.key
    assert life.key_kept == life.key
    assert life.requests_at_the_end == life.requests


def test_no_row_is_lost(life: Life) -> None:
    newest_before, newest_after = _processed(life.before), _processed(life.after)
    assert newest_after.keys() > newest_before.keys()
    assert all(newest_after[key] >= built for key, built in newest_before.items())
    assert life.after.items() <= life.of_apple.items()


def _processed(counted: Counted) -> dict[tuple[str, date], date]:
    """The processing date of each app's Date."""
    return {(app_id, day): built for app_id, day, built in counted}

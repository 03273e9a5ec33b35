"""Two stages side by side: one is updated, destroyed and created again, the other gets back an older registry.

Data and keys are retained as on AWS, and `cdk import` takes them back: no request is created again, and no row is lost.
"""

from collections.abc import Iterator

import pytest
from deployed import report_of
from life import APPS, RESTORED, STAGING, WORLD, Life, StageLife, lived, processed, restore_commands

from local.apple.server import SimulatedApple
from local.apple.world import World
from local.aws.server import EmbeddedAws
from operations.doctor.checks import Result


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    with SimulatedApple(World(WORLD)) as apple, EmbeddedAws() as aws:
        yield lived(aws, apple.world, apple.url, tmp_path_factory.mktemp("adopt"))


@pytest.fixture(params=["production", "staging"])
def stage(life: Life, request: pytest.FixtureRequest) -> StageLife:
    found: StageLife = getattr(life, request.param)
    return found


def test_every_run_ends_well(stage: StageLife) -> None:
    assert [(run.execution.status, run.execution.cause) for run in stage.runs] == [("SUCCEEDED", "")] * 3
    assert report_of(stage.runs[1].execution)["apps_by_verdict"] == {"verified": list(APPS)}


def test_a_run_touches_nothing_of_the_other_stage(stage: StageLife) -> None:
    for run in stage.runs:
        assert run.strangers == set()


def test_a_run_leaves_traces_of_every_kind_and_only_then_its_alarm_is_calm(life: Life) -> None:
    for stage, name in ((life.production, "appstore-analytics"), (life.staging, STAGING)):
        first, second, _ = (run.changed for run in stage.runs)
        assert (f"{name}-NoRunSucceeded",) in first["alarms"]
        assert all(second[kind] for kind in ("objects", "items", "metrics"))
        assert not second["tables"]  # a run adds no table


def test_a_run_goes_on_during_an_update_of_functions_and_state_machine(life: Life) -> None:
    before, after = life.during_the_update
    assert before["running"] == after["running"] == ["backfill"]
    assert before["definition"] != after["definition"]
    assert before["environment"] != after["environment"]
    assert life.backfill is not None
    assert (life.backfill.status, life.backfill.cause) == ("SUCCEEDED", "")
    assert report_of(life.backfill)["apps_by_verdict"] == {"verified": [APPS[0]]}


def test_nothing_of_a_stage_changes_while_the_other_is_updated_destroyed_and_made_anew(life: Life) -> None:
    before, after = life.staging_meanwhile
    assert all(before.values())
    assert after == before


def test_a_destroyed_stack_leaves_buckets_registry_and_keys_and_says_so(stage: StageLife) -> None:
    assert stage.adoption is not None
    kinds = sorted(one.kind for one in stage.adoption.resources)
    assert kinds == ["AWS::DynamoDB::Table", *["AWS::S3::Bucket"] * 3, *["AWS::SecretsManager::Secret"] * 2]


def test_the_new_stack_goes_on_with_the_objects_the_keys_and_the_requests_of_the_old_one(
    life: Life, stage: StageLife
) -> None:
    assert stage.objects_kept == stage.objects
    assert stage.before
    assert "PRIVATE KEY" in stage.key
    assert stage.key_kept == stage.key
    assert life.requests[0] == life.requests[1] == len(APPS) + 1  # a snapshot for the backfill


def test_no_row_is_lost(stage: StageLife) -> None:
    newest_before, newest_after = processed(stage.before), processed(stage.after)
    assert newest_after.keys() > newest_before.keys()
    assert all(newest_after[key] >= built for key, built in newest_before.items())
    assert stage.after.items() <= stage.of_apple.items()


def test_an_older_registry_lacks_what_the_doctor_says_and_the_documentation_sets(life: Life) -> None:
    assert 0 < life.items_restored < life.items_before
    assert [check.result for check in life.registry_without_settings] == [Result.FIX] * 4
    said = {check.finding.partition("`aws dynamodb ")[2].rstrip("`.") for check in life.registry_without_settings}
    written = {" ".join(words) for words in restore_commands()}
    assert said < written
    assert [check.result for check in life.registry_at_the_end] == [Result.OK]
    assert RESTORED in life.registry_at_the_end[0].finding


def test_a_destroyed_console_leaves_its_people_with_their_groups_and_their_data(life: Life) -> None:
    assert life.console.adoption is not None
    kinds = sorted(one.kind for one in life.console.adoption.resources)
    groups = ["AWS::Cognito::UserPoolGroup"] * 4
    assert kinds == ["AWS::Cognito::UserPool", *groups, "AWS::DSQL::Cluster"]


def test_everybody_signs_in_to_the_new_console_with_their_second_factor_role_and_apps(life: Life) -> None:
    before, after = life.console.people
    assert {one["email"]: (one["role"], one["app_ids"]) for one in after} == {
        "ada@example.com": ("admin", None),
        "vera@example.com": ("viewer", [APPS[0]]),
    }
    assert [{**one, "last_action_at": None} for one in after] == [{**one, "last_action_at": None} for one in before]
    told, told_after = life.console.viewer
    assert {**told, "as_of": ""} == {**told_after, "as_of": ""}
    assert told["is_limited"] is True


def test_no_row_of_the_consoles_database_is_lost(life: Life) -> None:
    before, after = life.console.rows
    assert before["grants"]
    assert before["audit"]
    for table, rows in before.items():
        assert [row for row in rows if row not in after[table]] == [], table

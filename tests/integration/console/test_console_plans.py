"""Plans and their confirmation: one run, however often and however closely together it is confirmed."""

import itertools
import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import boto3
import pytest
from acting import Office, Somebody, new_office
from api_asking import pipeline_after
from migrated import Migrated

from appstore_analytics.registry.keys import instance_key
from appstore_console.plans import LIFETIME
from appstore_console.rights import Role
from local.aws.server import EmbeddedAws
from tests.aws_in_process import in_threads
from tests.integration.pipeline_in_process import APP, Pipeline

OTHER = "1000000002"
_numbers = itertools.count()


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    with pipeline_after(2, rows_per_date=4) as pipeline:
        yield pipeline


@pytest.fixture
def office(pipeline: Pipeline, cluster: Migrated, embedded_aws: EmbeddedAws) -> Iterator[Office]:
    office = new_office(pipeline, cluster, embedded_aws, f"plans-{next(_numbers)}")
    yield office
    office.close()


@pytest.fixture
def operator(office: Office) -> Somebody:
    return office.somebody(office.person("olga@example.com", Role.OPERATOR))


def executions() -> list[dict[str, Any]]:
    client = boto3.client("stepfunctions")
    (machine,) = client.list_state_machines()["stateMachines"]
    found = client.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]
    return [dict(client.describe_execution(executionArn=each["executionArn"])) for each in found]


def plan(somebody: Somebody, operation: str = "daily", **arguments: Any) -> Any:
    return somebody.post("/plans", {"operation": operation, "arguments": arguments})


def test_a_plan_names_calls_rows_dates_and_dollars_and_starts_nothing(operator: Somebody, office: Office) -> None:
    before = len(executions())
    answer = plan(operator, "backfill", app_ids=[APP], start_date="2025-04-01", end_date="2025-04-30")
    assert answer.status == 201, answer.text
    found = answer.json["plan"]
    assert (found["operation"], found["apps"], found["dates"]) == ("backfill", 1, 30)
    assert found["arguments"] == {"app_ids": [APP], "start_date": "2025-04-01", "end_date": "2025-04-30"}
    assert found["rows"] > 0
    assert found["apple_calls"] > 0
    assert found["us_dollars"] >= 0
    assert answer.json["expires_at"] == (office.pipeline.clock().replace(microsecond=0) + LIFETIME).isoformat()
    assert len(executions()) == before


def test_a_daily_plan_counts_the_calls_for_each_report_and_for_the_releases(operator: Somebody) -> None:
    found = plan(operator).json["plan"]
    assert found["apple_calls"] == found["apps"] * (2 * len(found["tables"]) + 1) > 0


def test_every_operation_can_be_planned(operator: Somebody, pipeline: Pipeline) -> None:
    run_id = pipeline.report()["run_id"]
    span = {"start_processing_date": "2025-06-01", "end_processing_date": "2025-06-04", "app_ids": [APP]}
    for operation, arguments in (
        ("daily", {}),
        ("reprocess", {}),
        ("reprocess", {"run_id": run_id}),
        ("refetch", span),
        ("rollback", {"run_id": run_id}),
    ):
        answer = plan(operator, operation, **arguments)
        assert answer.status == 201, answer.text
        assert answer.json["sentence"].startswith(f"A {operation}: ")
        is_dangerous = operation == "rollback" and bool(answer.json["plan"]["tables"])
        assert bool(answer.json["plan"]["confirm_word"]) is is_dangerous


@pytest.mark.parametrize(
    ("operation", "arguments", "field", "words"),
    [
        ("backfill", {"app_ids": [APP]}, "arguments.start_date", "start_date is missing"),
        ("daily", {"app_ids": [APP]}, "arguments.app_ids", "unknown"),
        ("rollback", {"run_id": "x"}, "arguments.run_id", "run_id must be the id of a run"),
        (
            "refetch",
            {"app_ids": [APP], "start_processing_date": "2025-06-04", "end_processing_date": "2025-06-01"},
            "arguments.start_processing_date",
            "must not be after",
        ),
        ("reprocess", {"reports": ["'; DROP TABLE console.audit; --"]}, "arguments.reports", "names of the catalogue"),
        ("rollback", {"run_id": "20250602T100000000Z-none"}, "", "There is no report of a run"),
    ],
)
def test_arguments_are_refused_as_an_execution_would_refuse_them(
    operator: Somebody, operation: str, arguments: dict[str, Any], field: str, words: str
) -> None:
    answer = plan(operator, operation, **arguments)
    assert (answer.status, answer.json["field"]) == (400, field), answer.text
    assert words in answer.json["detail"]


def test_a_confirmation_starts_one_run_in_the_persons_name_and_a_second_tells_the_same(operator: Somebody) -> None:
    before = len(executions())
    plan_id = plan(operator).json["plan_id"]
    first, second = (operator.post("/runs", {"plan_id": plan_id}) for _ in range(2))
    assert (first.status, second.status) == (201, 201), first.text
    assert (first.json["is_new"], second.json["is_new"]) == (True, False)
    assert first.json["run_id"] == second.json["run_id"]
    started = executions()
    assert len(started) == before + 1
    (mine,) = [each for each in started if each["name"] == f"console-{plan_id}"]
    assert json.loads(mine["input"]) == {"operation": "daily", "started_by": "olga@example.com"}


def test_confirmations_in_the_same_millisecond_start_one_run_and_one_is_told_it_is_new(
    operator: Somebody, office: Office
) -> None:
    before = len(executions())
    plan_id = plan(operator).json["plan_id"]
    callers = [office.somebody(operator.user_id) for _ in range(4)]
    answers = in_threads(lambda number: callers[number].post("/runs", {"plan_id": plan_id}).json, 4)
    assert len(executions()) == before + 1
    assert len({answer["run_id"] for answer in answers}) == 1
    assert [answer["is_new"] for answer in answers].count(True) == 1


def test_a_plan_is_its_persons_alone(operator: Somebody, office: Office) -> None:
    plan_id = plan(operator).json["plan_id"]
    other = office.somebody(office.person("root@example.com", Role.ADMIN))
    hidden, unknown = (other.post("/runs", {"plan_id": each}) for each in (plan_id, "0" * 24))
    assert hidden.status == 404
    assert hidden.text == unknown.text


def test_a_plan_ends_after_ten_minutes_by_the_clock_though_dynamodb_still_has_it(
    operator: Somebody, office: Office
) -> None:
    before = len(executions())
    plan_id, started = (plan(operator).json["plan_id"] for _ in range(2))
    assert operator.post("/runs", {"plan_id": started}).status == 201
    office.pipeline.clock.now += LIFETIME + timedelta(seconds=1)
    answer = operator.post("/runs", {"plan_id": plan_id})
    assert (answer.status, "older than ten minutes" in answer.json["detail"]) == (409, True)
    assert operator.post("/runs", {"plan_id": started}).json["is_new"] is False
    assert len(executions()) == before + 1


def test_a_plan_that_would_do_something_else_by_now_is_refused(operator: Somebody, pipeline: Pipeline) -> None:
    before = len(executions())
    plan_id = plan(operator, "reprocess", app_ids=[APP]).json["plan_id"]
    one = next(each for each in pipeline.registry.instances.of_app(APP, date.min) if each.has_landed)
    key = instance_key(one.app_id, one.vintage)
    kept = pipeline.registry.table.get_item(Key=key)["Item"]
    pipeline.registry.table.delete_item(Key=key)
    try:
        answer = operator.post("/runs", {"plan_id": plan_id})
    finally:
        pipeline.registry.table.put_item(Item=kept)
    assert (answer.status, "something else than planned" in answer.json["detail"]) == (409, True)
    assert len(executions()) == before


def test_a_limited_person_starts_runs_of_the_granted_apps_only(office: Office, pipeline: Pipeline) -> None:
    limited = office.somebody(office.person("lim@example.com", Role.OPERATOR, APP))
    run_id = pipeline.report()["run_id"]
    for operation, arguments in (("daily", {}), ("reprocess", {}), ("rollback", {"run_id": run_id})):
        answer = plan(limited, operation, **arguments)
        assert (answer.status, "about all apps" in answer.json["detail"]) == (403, True), operation
    hidden, unknown = (plan(limited, "reprocess", app_ids=[APP, each]) for each in (OTHER, "1000000999"))
    assert hidden.status == 404
    assert hidden.text.replace(OTHER, "1000000999") == unknown.text
    made = plan(limited, "reprocess", app_ids=[APP])
    assert made.status == 201, made.text
    grant = office.data().grants.of(limited.user_id)[0]
    office.data().grants.remove(grant.grant_id)
    assert limited.post("/runs", {"plan_id": made.json["plan_id"]}).status == 404

"""The state machine's definition: requirements for every state, and the end of every path."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from machines import MAPS, PATIENT, QUICK, Machine, followers, item_processor
from synthesis import Synthesis, context, synthesize

from appstore_analytics.contract.configuration import Configuration
from appstore_analytics.contract.errors import NotReady, PipelineError, TransientError, leaves
from appstore_analytics.contract.maps import DISPENSABLE, ITEMS_OF_A_BATCH, MapName, error_of
from appstore_analytics.contract.operations import Operation
from infra.configuration import parse_context
from infra.functions import CAPACITIES, OUTSIDE_OF_RUNS, state_name
from infra.retries import FUNCTION_DEATHS, LAMBDA_ERRORS, THROTTLED, THROTTLES_FORGIVEN
from tests.integration.crash import day

SECONDS_OF_A_CALL = 0.3  # to Apple, as benchmarks/usage/bill.py states it


def machines(machine: Machine) -> Iterator[Machine]:
    """The definition itself and the children's."""
    yield machine
    for state in machine["States"].values():
        if state["Type"] == "Map":
            yield from machines(state["ItemProcessor"])


def all_states(machine: Machine) -> dict[str, Any]:
    return {name: state for each in machines(machine) for name, state in each["States"].items()}


def tasks(machine: Machine) -> dict[str, Any]:
    return {name: state for name, state in all_states(machine).items() if state["Type"] == "Task"}


def of_quick_children(machine: Machine) -> set[str]:
    return {name for quick in QUICK for name in item_processor(machine, quick)["States"]}


def functions_called_with_patience(machine: Machine) -> dict[str, Any]:
    quick = of_quick_children(machine)
    return {
        name: task
        for name, task in tasks(machine).items()
        if name not in quick and not task["Resource"].endswith("dynamodb:updateItem")
    }


def test_every_lambda_task_retries_what_is_transient_and_nothing_else(machine: Machine) -> None:
    for name, task in functions_called_with_patience(machine).items():
        assert set(task["Retry"][0]["ErrorEquals"]) == {*leaves(TransientError), *LAMBDA_ERRORS}, name
        assert len(task["Retry"]) == (4 if name == "PlanRun" else 3), name


def test_a_throttled_call_is_repeated_by_a_retry_of_its_own(machine: Machine) -> None:
    """Throttling must not use up the five attempts for other errors; new accounts are limited to ten functions."""
    quick = of_quick_children(machine)
    for name, task in tasks(machine).items():
        if task["Resource"].endswith("dynamodb:updateItem"):
            continue
        (attempts,) = [retry["MaxAttempts"] for retry in task["Retry"] if retry["ErrorEquals"] == [THROTTLED]]
        assert attempts == (4 if name in quick else THROTTLES_FORGIVEN), name


def test_the_crash_matrix_goes_through_the_steps_of_a_daily_run() -> None:
    assert {name: name.traits.steps for name in day.STEPS_OF_MAPS} == day.STEPS_OF_MAPS


def test_a_function_that_died_is_called_twice_more(machine: Machine) -> None:
    for name, task in functions_called_with_patience(machine).items():
        deaths = task["Retry"][2]
        assert set(deaths["ErrorEquals"]) == set(FUNCTION_DEATHS), name
        assert deaths["MaxAttempts"] == 2, name


def test_plan_run_waits_for_calls_a_little_longer_than_apples_rolling_hour(machine: Machine) -> None:
    patience = machine["States"]["PlanRun"]["Retry"][3]
    assert set(patience["ErrorEquals"]) == {*leaves(NotReady)}
    assert patience["BackoffRate"] == 1
    assert 3600 < patience["IntervalSeconds"] * patience["MaxAttempts"] <= 4200


def test_every_retry_backs_off_with_jitter_to_at_most_a_minute(machine: Machine) -> None:
    quick = of_quick_children(machine) - {f"Record{name}Failure" for name in QUICK}
    for name, task in tasks(machine).items():
        retry = task["Retry"][0]
        assert {key: value for key, value in retry.items() if key != "ErrorEquals"} == {
            "IntervalSeconds": 2,
            "BackoffRate": 2,
            "MaxAttempts": 2 if name in quick else 5,
            "MaxDelaySeconds": 60,
            "JitterStrategy": "FULL",
        }


def test_every_task_and_every_distributed_map_catches(machine: Machine) -> None:
    """An inline Map catches no errors: its items end in Done, and a batch that dies leaves its items open."""
    for name, state in all_states(machine).items():
        if state["Type"] == "Task" or name in {*MAPS, *PATIENT}:
            *_, catch = state["Catch"]
            expected = {*leaves(PipelineError)} if name in {"PlanRun", "SummarizeRun"} else {"States.ALL"}
            assert set(catch["ErrorEquals"]) == expected, name


def test_every_next_exists_and_every_state_is_reached(machine: Machine) -> None:
    for each in machines(machine):
        reached, ahead = set[str](), {each["StartAt"]}
        while ahead:
            reached |= ahead
            ahead = set[str]().union(*(followers(each["States"][name]) for name in ahead)) - reached
        assert reached == set(each["States"])


def test_state_names_are_unique_across_the_children(machine: Machine) -> None:
    assert len(all_states(machine)) == sum(len(each["States"]) for each in machines(machine))


def test_the_maps_follow_each_other_and_one_without_items_is_skipped(machine: Machine) -> None:
    states = machine["States"]
    followers_of_maps = {
        "Register": "PlanLand",
        "Restore": "PlanLand",
        "Land": "PlanPublish",
        "Publish": "PlanVerify",
        "Verify": "DecideSnapshot",
    }
    assert set(followers_of_maps) == set(MAPS)
    for (name, following), patient in zip(followers_of_maps.items(), PATIENT, strict=True):
        assert states[f"Plan{name}"]["Parameters"] == {
            "run_id.$": "$.run_id",
            "map": name.upper(),
            "after.$": "$.plan.after",
        }
        assert states[f"Plan{name}"]["Next"] == f"Decide{name}"
        (choice,) = states[f"Decide{name}"]["Choices"]
        assert choice == {"Variable": "$.plan.items", "NumericGreaterThan": 0, "Next": name}
        assert states[f"Decide{name}"]["Default"] == states[f"DecideMore{patient}"]["Choices"][0]["Next"] == following


@pytest.mark.parametrize("name", [*dict.fromkeys([*MAPS, *PATIENT])])
def test_a_map_with_more_items_than_a_pass_takes_is_planned_and_run_again(machine: Machine, name: str) -> None:
    states = machine["States"]
    assert states[name]["Next"] == f"DecideMore{name}"
    (choice,) = states[f"DecideMore{name}"]["Choices"]
    assert (choice["Variable"], choice["StringEquals"]) == ("$.plan.after", "")
    plan = f"Plan{name.removesuffix('Patiently')}{'Left' if name.endswith('Patiently') else ''}"
    assert states[f"DecideMore{name}"]["Default"] == plan
    assert states[plan]["Parameters"]["after.$"] == "$.plan.after"


def test_every_operation_begins_where_its_work_does(machine: Machine) -> None:
    states = machine["States"]
    assert states["PlanRun"]["Next"] == "DecideOperation"
    decide = states["DecideOperation"]
    assert {choice["Variable"] for choice in decide["Choices"]} == {"$.operation"}
    begins = {choice["StringEquals"]: choice["Next"] for choice in decide["Choices"]}
    lands = {Operation.REPROCESS: "PlanLand", Operation.REFETCH: "PlanLand"}
    assert begins == {Operation.ROLLBACK: "PlanRestore", **lands}
    assert decide["Default"] == "PlanRegister"
    for operation in Operation:
        first_map = operation.traits.first_map.capitalize()
        assert begins.get(operation, decide["Default"]) == f"Plan{first_map}", operation


def test_a_backfill_that_waits_for_its_snapshot_begins_again_with_register(machine: Machine) -> None:
    states = machine["States"]
    (choice,) = states["DecideSnapshot"]["Choices"]
    assert choice == {"Variable": "$.plan.waiting", "BooleanEquals": True, "Next": "WaitForSnapshot"}
    assert states["WaitForSnapshot"] == {"Type": "Wait", "Seconds": 3600, "Next": "PlanRegister"}
    assert states["DecideSnapshot"]["Default"] == "CompactMonths"


def test_what_no_data_depends_on_comes_last_and_ends_in_the_summary_however_it_ends(machine: Machine) -> None:
    states = machine["States"]
    followers = [*map(state_name, DISPENSABLE), "SummarizeRun"][1:]
    for step, following in zip(DISPENSABLE, followers, strict=True):
        state = states[state_name(step)]
        catch = {"ErrorEquals": ["States.ALL"], "ResultPath": f"$.{error_of(step)}", "Next": following}
        assert (state["Catch"], state["Next"], state["ResultPath"]) == ([catch], following, None)


def test_without_releases_there_is_neither_their_state_nor_their_function(tmp_path: Path) -> None:
    found = synthesize(tmp_path, context(reports=["downloads"], releases=False))
    assert found.definition()["States"]["CompactMonths"]["Next"] == "SummarizeRun"
    assert "list_releases" not in found.functions()


def test_whatever_breaks_outside_the_children_is_summarized(machine: Machine) -> None:
    maps = {*MAPS, *PATIENT}
    for name in (*maps, *(f"Plan{name}" for name in MAPS), *(f"Plan{name}Left" for name in QUICK)):
        (catch,) = machine["States"][name]["Catch"]
        assert catch == {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "SummarizeRun"}
    assert "Parameters" not in machine["States"]["SummarizeRun"]  # the whole state, with `error` if there is one


def test_a_failed_run_is_a_failed_execution_with_its_cause(machine: Machine) -> None:
    states = machine["States"]
    (choice,) = states["DecideRun"]["Choices"]
    assert choice == {"Variable": "$.status", "StringEquals": "FAILED", "Next": "RunFailed"}
    assert states["RunFailed"] == {"Type": "Fail", "Error": "RunFailed", "CausePath": "$.cause"}
    assert states["DecideRun"]["Default"] == "RunSucceeded"


def test_a_refused_input_ends_with_its_sentence_as_the_cause(machine: Machine) -> None:
    states = machine["States"]
    for name in ("PlanRun", "SummarizeRun"):  # no ResultPath: an input that is a list has no room for an error
        assert states[name]["Catch"] == [{"ErrorEquals": [*leaves(PipelineError)], "Next": "ReadError"}]
    assert states["ReadError"]["Parameters"] == {
        "error.$": "$.Error",
        "cause.$": "States.StringToJson($.Cause)",
    }
    assert states["RunRefused"] == {"Type": "Fail", "ErrorPath": "$.error", "CausePath": "$.cause.errorMessage"}


def test_plan_run_is_told_the_execution_the_input_and_the_configuration(machine: Machine) -> None:
    parameters = dict(machine["States"]["PlanRun"]["Parameters"])
    configuration = Configuration.from_payload(parameters.pop("configuration"))
    assert configuration.accounts[0].name == "main"
    assert configuration.calls_per_hour == 3500
    assert parameters == {
        "execution_name.$": "$$.Execution.Name",
        "started_at.$": "$$.Execution.StartTime",
        "input.$": "$",
    }


def test_every_function_is_called_by_the_state_that_has_its_name(machine: Machine) -> None:
    called = {
        match[1]: name
        for name, task in tasks(machine).items()
        if (match := re.match(r"<Functions(\w+?)[0-9A-F]{8}>", task["Resource"]))
    }
    assert set(called) == {state_name(step) for step in CAPACITIES if step not in OUTSIDE_OF_RUNS}
    plans = {*(f"Plan{name}" for name in MAPS), *(f"Plan{name}Left" for name in QUICK)}
    assert {name.removesuffix("Patiently") for function, name in called.items()} - {*called} <= plans


def test_no_state_passes_a_token_a_url_or_rows(machine: Machine) -> None:
    paths = set(re.findall(r"\$\.[A-Za-z_.]+", str(machine)))
    assert paths == {
        "$.run_id",
        "$.operation",
        "$.record",
        "$.plan",
        "$.plan.after",
        "$.plan.items",
        "$.plan.waiting",
        "$.plan.manifest_key",
        "$.plan.available_at",
        "$.Items",
        "$.step",
        "$.step.outcome",
        "$.step.available_at",
        "$.error",
        "$.error.Error",
        "$.error.Cause",
        "$.compact_months_error",
        "$.list_releases_error",
        "$.Error",
        "$.Cause",
        "$.cause",
        "$.cause.errorMessage",
        "$.status",
        "$.Execution.Name",
        "$.Execution.StartTime",
    }


def test_it_ends_after_eighty_hours_and_logs_errors_without_data(machine: Machine, synthesis: Synthesis) -> None:
    properties = synthesis.only("StepFunctions::StateMachine")
    assert machine["TimeoutSeconds"] == 80 * 3600
    assert properties["StateMachineName"] == "appstore-analytics"
    assert properties["TracingConfiguration"] == {"Enabled": True}
    assert properties["LoggingConfiguration"]["Level"] == "ERROR"
    assert properties["LoggingConfiguration"]["IncludeExecutionData"] is False


def test_the_maps_limits_and_the_wait_come_from_the_context(tmp_path_factory: pytest.TempPathFactory) -> None:
    limits = {"register": 1, "restore": 4, "land": 2, "publish": 3, "verify": 5}
    limits_of_patient = {
        name.lower(): limits[map_name.lower()] for name, map_name in zip(PATIENT, MapName, strict=True)
    }
    values = context(max_concurrency=limits, snapshot_poll_seconds=1000, reports=["downloads"])
    states = synthesize(tmp_path_factory.mktemp("limits"), values).definition()["States"]
    assert {name.lower(): states[name]["MaxConcurrency"] for name in PATIENT} == limits_of_patient
    assert states["WaitForSnapshot"]["Seconds"] == 1000


@pytest.mark.parametrize(
    ("items_at_once", "children", "in_a_child"), [(1, 1, 1), (2, 1, 2), (3, 1, 2), (10, 5, 2), (20, 10, 2)]
)
def test_max_concurrency_is_the_number_of_items_at_work_in_batches_too(
    tmp_path: Path, items_at_once: int, children: int, in_a_child: int
) -> None:
    """Never 0, which Step Functions reads as "without limit"."""
    limits = dict.fromkeys(("register", "land"), items_at_once)
    machine = synthesize(tmp_path, context(max_concurrency=limits, reports=["downloads"])).definition()
    for word in QUICK:
        each = machine["States"][word]
        inline = each["ItemProcessor"]["States"][f"{word}Items"]
        assert (each["MaxConcurrency"], inline["MaxConcurrency"]) == (children, in_a_child)
        assert 1 <= each["MaxConcurrency"] * inline["MaxConcurrency"] <= items_at_once


def test_with_all_reports_a_batch_of_apps_is_smaller_because_each_app_takes_a_call_a_table(tmp_path: Path) -> None:
    values = context(reports="all", granularities=["DAILY", "WEEKLY", "MONTHLY"])
    states = synthesize(tmp_path, values).definition()["States"]
    tables = len(parse_context(values).curated_tables)
    items = states["Register"]["ItemBatcher"]["MaxItemsPerBatch"]
    assert 1 <= items < ITEMS_OF_A_BATCH == states["Land"]["ItemBatcher"]["MaxItemsPerBatch"]
    assert items / 2 * tables * SECONDS_OF_A_CALL <= 150  # half of an Express child's five minutes

"""The state machine's definition: requirements for every state, and the end of every path."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from synthesis import Synthesis, context, synthesize

from appstore_analytics.contract.configuration import Configuration
from appstore_analytics.contract.errors import NotReady, PermanentError, PipelineError, TransientError, leaves
from appstore_analytics.contract.maps import DISPENSABLE, ITEMS_OF_A_BATCH, MapName, Outcome, error_of
from appstore_analytics.contract.operations import Operation
from infra.configuration import parse_context
from infra.functions import CAPACITIES, OUTSIDE_OF_RUNS, state_name
from infra.retries import FUNCTION_DEATHS, LAMBDA_ERRORS, THROTTLED, THROTTLES_FORGIVEN
from infra.state_machine import EXPRESS_FIRST, STEPS_OF_MAPS
from tests.integration.crash import day

MAPS = tuple(name.capitalize() for name in MapName)
QUICK = tuple(name for name in MAPS if name.upper() in EXPRESS_FIRST)
PATIENT = tuple(f"{name}Patiently" if name in QUICK else name for name in MAPS)
"""The Maps whose children wait and retry, in the order of MAPS."""

Machine = dict[str, Any]

SECONDS_OF_A_CALL = 0.3  # to Apple, as benchmarks/usage/bill.py states it


@pytest.fixture(scope="module")
def machine(synthesis: Synthesis) -> Machine:
    return synthesis.definition()


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


def item_processor(machine: Machine, name: str) -> Machine:
    """The processing of an item by a Map: in its child, or in the inline Map of an Express child."""
    processor: Machine = machine["States"][name]["ItemProcessor"]
    return processor["States"][f"{name}Items"]["ItemProcessor"] if name in QUICK else processor


def of_quick_children(machine: Machine) -> set[str]:
    return {name for quick in QUICK for name in item_processor(machine, quick)["States"]}


def functions_called_with_patience(machine: Machine) -> dict[str, Any]:
    quick = of_quick_children(machine)
    return {
        name: task
        for name, task in tasks(machine).items()
        if name not in quick and not task["Resource"].endswith("dynamodb:updateItem")
    }


def followers(state: dict[str, Any]) -> set[str]:
    branches = [state, *state.get("Choices", []), *state.get("Catch", [])]
    return {branch[key] for branch in branches for key in ("Next", "Default") if key in branch}


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
    assert {name: STEPS_OF_MAPS[name] for name in day.STEPS_OF_MAPS} == day.STEPS_OF_MAPS


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


@pytest.mark.parametrize("name", [*MAPS, *(f"{name}Patiently" for name in QUICK)])
def test_every_way_through_a_child_ends_in_done_with_an_empty_object(machine: Machine, name: str) -> None:
    child = item_processor(machine, name)["States"]
    ends = {state for state, definition in child.items() if definition.get("End") or not followers(definition)}
    done = f"{name}ItemDone" if name in QUICK else f"{name}Done"
    assert ends == {done}
    assert child[done] == {"Type": "Pass", "Result": {}, "End": True}


@pytest.mark.parametrize(("map_name", "word"), list(zip(MapName, PATIENT, strict=True)))
def test_a_child_takes_its_steps_in_order_and_does_what_the_outcome_says(
    machine: Machine, map_name: MapName, word: str
) -> None:
    child = machine["States"][word]["ItemProcessor"]
    suffix = word.removeprefix(map_name.capitalize())
    steps = [f"{state_name(step)}{suffix}" for step in STEPS_OF_MAPS[map_name]]
    assert child["StartAt"] == steps[0]
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        states = child["States"]
        assert states[step]["Next"] == f"Decide{step}"
        assert states[step]["Catch"][0]["Next"] == f"Record{word}Failure"
        choices = {choice["StringEquals"]: choice["Next"] for choice in states[f"Decide{step}"]["Choices"]}
        expected = {Outcome.WAIT: f"WaitTo{step}", Outcome.DONE: f"{word}Done"}
        assert choices == (expected | {Outcome.NEXT: following} if following else expected)
        assert states[f"WaitTo{step}"] == {"Type": "Wait", "TimestampPath": "$.step.available_at", "Next": step}


@pytest.mark.parametrize("word", QUICK)
def test_an_express_child_takes_the_same_steps_and_never_waits(machine: Machine, word: str) -> None:
    child = item_processor(machine, word)
    first, last = [state_name(step) for step in STEPS_OF_MAPS[MapName(word.upper())]]
    assert child["StartAt"] == first
    decide = child["States"][f"Decide{first}"]
    assert [(choice["StringEquals"], choice["Next"]) for choice in decide["Choices"]] == [(Outcome.NEXT, last)]
    assert decide["Default"] == child["States"][last]["Next"] == f"{word}ItemDone"
    assert "Wait" not in {state["Type"] for state in child["States"].values()}


@pytest.mark.parametrize("word", QUICK)
def test_a_batch_is_ten_items_in_an_inline_map_that_ends_with_an_empty_object(machine: Machine, word: str) -> None:
    assert machine["States"][word]["ItemBatcher"] == {"MaxItemsPerBatch": ITEMS_OF_A_BATCH}
    child = machine["States"][word]["ItemProcessor"]
    each = dict(child["States"][f"{word}Items"])
    assert each.pop("ItemProcessor")["ProcessorConfig"] == {"Mode": "INLINE"}
    assert (child["StartAt"], child["States"][f"{word}Done"]) == (
        f"{word}Items",
        {"Type": "Pass", "Result": {}, "End": True},
    )
    assert each == {
        "Type": "Map",
        "ItemsPath": "$.Items",
        "MaxConcurrency": 2,
        "ResultPath": None,
        "Next": f"{word}Done",
    }


@pytest.mark.parametrize("name", [*PATIENT])
def test_a_patient_map_has_a_child_for_each_item(machine: Machine, name: str) -> None:
    assert "ItemBatcher" not in machine["States"][name]


@pytest.mark.parametrize("word", QUICK)
def test_an_express_child_records_what_no_retry_helps_and_leaves_all_else_open(machine: Machine, word: str) -> None:
    for step in STEPS_OF_MAPS[MapName(word.upper())]:
        recorded, left = item_processor(machine, word)["States"][state_name(step)]["Catch"]
        assert set(recorded["ErrorEquals"]) == {*leaves(PermanentError)}
        assert recorded["Next"] == f"Record{word}Failure"
        assert (left["ErrorEquals"], left["Next"]) == (["States.ALL"], f"{word}ItemDone")


@pytest.mark.parametrize("word", QUICK)
def test_what_express_children_leave_waits_once_for_the_quota_and_is_then_worked_on_patiently(
    machine: Machine, word: str
) -> None:
    states = machine["States"]
    assert states[f"DecideMore{word}"]["Choices"][0]["Next"] == f"Plan{word}Left"
    assert states[f"Plan{word}Left"]["Parameters"] == {
        "run_id.$": "$.run_id",
        "map": word.upper(),
        "after.$": "$.plan.after",
        "left": True,
    }
    waiting, left = states[f"Decide{word}Left"]["Choices"]
    assert waiting == {"Variable": "$.plan.available_at", "IsPresent": True, "Next": f"WaitTo{word}"}
    assert states[f"WaitTo{word}"] == {"Type": "Wait", "TimestampPath": "$.plan.available_at", "Next": word}
    assert left == {"Variable": "$.plan.items", "NumericGreaterThan": 0, "Next": f"{word}Patiently"}
    following = states[f"DecideMore{word}Patiently"]["Choices"][0]["Next"]
    assert states[f"Decide{word}Left"]["Default"] == following


@pytest.mark.parametrize("name", [*MAPS, *(f"{name}Patiently" for name in QUICK)])
def test_a_failure_is_recorded_under_the_items_own_key(machine: Machine, name: str) -> None:
    record = item_processor(machine, name)["States"][f"Record{name}Failure"]
    assert record["Parameters"]["Key"] == {
        "pk": {"S.$": "States.Format('RUN#{}', $.run_id)"},
        "sk": {"S.$": "$.record"},
    }
    assert record["Parameters"]["ExpressionAttributeValues"] == {
        ":verdict": {"S": "failed"},
        ":error": {"S.$": "$.error.Error"},
        ":reason": {"S.$": "$.error.Cause"},
    }
    assert record["Next"] == record["Catch"][0]["Next"] == (f"{name}ItemDone" if name in QUICK else f"{name}Done")


@pytest.mark.parametrize("name", [*MAPS, *(f"{name}Patiently" for name in QUICK)])
def test_a_map_reads_its_manifest_tolerates_failures_and_keeps_no_result(
    machine: Machine, synthesis: Synthesis, name: str
) -> None:
    state = machine["States"][name]
    environment = synthesis.functions()["plan_items"]["Environment"]["Variables"]
    assert state["ItemReader"] == {
        "Resource": "arn:<AWS::Partition>:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Parameters": {"Bucket": f"<{environment['LAKE_BUCKET']['Ref']}>", "Key.$": "$.plan.manifest_key"},
    }
    execution_type = "EXPRESS" if name in QUICK else "STANDARD"
    assert state["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": execution_type}
    assert state["ToleratedFailurePercentage"] == 100
    assert state["ResultPath"] is None
    assert "ItemSelector" not in state  # so that the child's input is the manifest's item, unchanged


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

"""The children of the Maps: batches of Express children, and patient ones."""

import pytest
from machines import MAPS, PATIENT, QUICK, Machine, followers, item_processor
from synthesis import Synthesis

from appstore_analytics.contract.errors import PermanentError, leaves
from appstore_analytics.contract.maps import ITEMS_OF_A_BATCH, MapName, Outcome
from infra.functions import state_name


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
    steps = [f"{state_name(step)}{suffix}" for step in map_name.traits.steps]
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
    first, last = [state_name(step) for step in MapName(word.upper()).traits.steps]
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
    for step in MapName(word.upper()).traits.steps:
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

"""The resources that `cdk deploy` creates with this cdk.json, read from the template: sizes, alarms, states."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aws_cdk import App

from appstore_analytics.contract.maps import FROM_THE_BEGINNING
from infra.configuration import DeploymentConfiguration, parse_context
from infra.layers import PROJECT, ThirdPartyLayer
from infra.stack import AppStoreAnalyticsStack

State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Deployed:
    """The template's resources that have a fixed cost, and the settings that determine the other costs."""

    configuration: DeploymentConfiguration
    memory_gb: Mapping[str, float]
    disk_gb: Mapping[str, float]
    alarms: int
    dashboards: int
    dashboard_metrics: int
    secrets: int
    definition: State


@dataclass(frozen=True, slots=True)
class MapWalked:
    """A Map on a day without failures: the states of a child itself, and those for each of its items."""

    is_express: bool
    states_of_a_child: int
    states_of_an_item: int = 0
    items_of_a_child: int = 1
    items_at_once: int = 1

    def children(self, items: int) -> int:
        """The child executions for a number of items."""
        return ceil(items / self.items_of_a_child)

    def states(self, items: int) -> int:
        """The states that all children enter."""
        return self.children(items) * self.states_of_a_child + items * self.states_of_an_item

    def transitions(self, items: int) -> int:
        """The billed transitions: each child's start, and the states of a Standard child; Express states are free."""
        return self.children(items) + (0 if self.is_express else self.states(items))


@dataclass(frozen=True, slots=True)
class Walked:
    """The states that an execution enters itself if all goes well, and its Maps by name."""

    parent: int
    maps: Mapping[str, MapWalked]

    def transitions(self, items: Mapping[str, int]) -> int:
        """The state transitions of an execution whose Maps have these numbers of items, as AWS bills them."""
        return self.parent + sum(each.transitions(items[name]) for name, each in self.maps.items())


def synthesize(context: Mapping[str, Any] | None = None) -> Deployed:
    """The template of cdk.json's context, with the keys of `context` replaced, without building any layer."""
    values = {**json.loads((PROJECT / "cdk.json").read_text(encoding="utf-8"))["context"], **(context or {})}
    configuration = parse_context(values)
    with TemporaryDirectory() as folder:
        layers = {layer: Path(folder) / layer for layer in ThirdPartyLayer}
        for layer in layers.values():
            (layer / "python").mkdir(parents=True)
        app = App(context=dict(values), outdir=f"{folder}/cdk.out")
        AppStoreAnalyticsStack(app, configuration.names.stack, configuration, layers)
        app.synth()
        template = json.loads(
            Path(folder, "cdk.out", f"{configuration.names.stack}.template.json").read_text(encoding="utf-8")
        )
    return _read(configuration, template)


def _read(configuration: DeploymentConfiguration, template: dict[str, Any]) -> Deployed:
    def properties(kind: str) -> list[dict[str, Any]]:
        resources = template["Resources"].values()
        return [one["Properties"] for one in resources if one["Type"] == f"AWS::{kind}"]

    functions = {
        configuration.names.step_of(str(function["FunctionName"])): function
        for function in properties("Lambda::Function")
    }
    dashboards = properties("CloudWatch::Dashboard")
    (machine,) = properties("StepFunctions::StateMachine")
    return Deployed(
        configuration,
        memory_gb={step: function["MemorySize"] / 1024 for step, function in functions.items()},
        disk_gb={step: function["EphemeralStorage"]["Size"] / 1024 for step, function in functions.items()},
        alarms=len(properties("CloudWatch::Alarm")),
        dashboards=len(dashboards),
        dashboard_metrics=sum(_metrics(json.loads(_plain(dashboard["DashboardBody"]))) for dashboard in dashboards),
        secrets=len(properties("SecretsManager::Secret")),
        definition=json.loads(_plain(machine["DefinitionString"])),
    )


def walk(definition: State, items: Mapping[str, int]) -> Walked:
    """Follow a daily run whose Maps have these numbers of items, finish in one pass each, and leave nothing."""
    maps: dict[str, MapWalked] = {}
    entered = 0
    plan = {"waiting": False, "after": FROM_THE_BEGINNING}
    data: State = {"operation": "daily", "status": "SUCCEEDED", "step": {"outcome": "next"}, "plan": plan}
    for name, state in _way(definition, data):
        entered += 1
        if name.startswith("Plan"):
            plan["items"] = items.get(name.removeprefix("Plan"), 0)  # of Plan<Map>Left: nothing is left
        if state["Type"] == "Map":
            maps[name] = _walk_map(state, {**data, "step": {"outcome": "next"}})
    return Walked(entered, maps)


def _walk_map(state: State, data: State) -> MapWalked:
    child = state["ItemProcessor"]
    way = [each for _, each in _way(child, data)]
    is_express = child["ProcessorConfig"]["ExecutionType"] == "EXPRESS"
    inline = next((each for each in way if each["Type"] == "Map"), None)
    if inline is None:
        return MapWalked(is_express, len(way))
    of_an_item = sum(1 for _ in _way(inline["ItemProcessor"], data))
    return MapWalked(
        is_express, len(way), of_an_item, state["ItemBatcher"]["MaxItemsPerBatch"], inline["MaxConcurrency"]
    )


def _way(machine: State, data: State) -> Iterator[tuple[str, State]]:
    name: str | None = machine["StartAt"]
    while name:
        state = machine["States"][name]
        yield name, state
        name = chosen(state, data) if state["Type"] == "Choice" else state.get("Next")


def chosen(state: State, data: State) -> str:
    """The state that a Choice leads to; of a last step, whose outcome is never `next`, the end."""
    for choice in state["Choices"]:
        if _holds(choice, data):
            return str(choice["Next"])
    done = [choice["Next"] for choice in state["Choices"] if choice.get("StringEquals") == "done"]
    return str(state.get("Default") or done[0])


def _holds(choice: State, data: State) -> bool:
    value: Any = data
    for part in choice["Variable"].removeprefix("$.").split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if "IsPresent" in choice:
        return (value is not None) == bool(choice["IsPresent"])
    if "NumericGreaterThan" in choice:
        return bool(value > choice["NumericGreaterThan"])
    return bool(value == choice.get("StringEquals", choice.get("BooleanEquals")))


def _metrics(dashboard: State) -> int:
    """Metrics in all graphs, without formulas."""
    rows = [row for widget in dashboard["widgets"] for row in widget["properties"].get("metrics", ())]
    return sum(1 for row in rows if isinstance(row[0], str))


def _plain(value: Any) -> str:
    """A value of the template as text: joined, references by their logical ids."""
    if isinstance(value, str):
        return value
    ((function, argument),) = value.items()
    if function == "Fn::Join":
        return "".join(_plain(part) for part in argument[1])
    return f"<{argument if function == 'Ref' else argument[0]}>"

"""Synthesizes the stacks for tests, with cdk-nag and with layers that need no pip."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from appstore_analytics.contract.names import Names
from infra.configuration import parse_context
from infra.console.stack import ConsoleParts, ConsoleStack
from infra.layers import ThirdPartyLayer
from infra.stack import AppStoreAnalyticsStack

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Synthesis:
    names: Names
    template_path: Path
    template: dict[str, Any]
    findings: str  # findings of cdk-nag and CDK's own validation; empty if there are none

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        return {
            name: resource["Properties"]
            for name, resource in self.template["Resources"].items()
            if resource["Type"] == f"AWS::{kind}"
        }

    def only(self, kind: str) -> dict[str, Any]:
        (properties,) = self.of_type(kind).values()
        return properties

    def functions(self) -> dict[str, dict[str, Any]]:
        """The functions' properties by step."""
        return {
            self.names.step_of(properties["FunctionName"]): properties
            for properties in self.of_type("Lambda::Function").values()
        }

    def definition(self) -> dict[str, Any]:
        """The state machine's definition; references are replaced by `<logical id>`."""
        text = plain(self.only("StepFunctions::StateMachine")["DefinitionString"])
        return dict(json.loads(text))


def plain(value: Any) -> str:
    """A value of the template as text: `Fn::Join` is joined, references become `<logical id>`."""
    if isinstance(value, str):
        return value
    ((function, argument),) = value.items()
    if function == "Fn::Join":
        return "".join(plain(part) for part in argument[1])
    return f"<{argument if function == 'Ref' else argument[0]}>"


def columns_of(table: dict[str, Any]) -> list[dict[str, str]]:
    """The columns of a Glue table, without the key of its partitions."""
    return list(table["TableInput"]["StorageDescriptor"]["Columns"])


def context(**changes: Any) -> dict[str, Any]:
    """The context of cdk.json with changes."""
    return {**json.loads((PROJECT / "cdk.json").read_text())["context"], **changes}


def layers_of_a_test(folder: Path) -> dict[ThirdPartyLayer, Path]:
    """Layers that do not need pip."""
    folders = {layer: folder / f"{layer}-of-a-test" for layer in ThirdPartyLayer}
    for layer in folders.values():
        (layer / "python").mkdir(parents=True, exist_ok=True)
        (layer / "python" / "module.py").touch()
    return folders


def synthesize(folder: Path, values: Mapping[str, Any]) -> Synthesis:
    """The pipeline's stack."""
    folders = layers_of_a_test(folder)
    app = App(context=dict(values), outdir=str(folder / "cdk.out"))
    configuration = parse_context(values)
    AppStoreAnalyticsStack(app, configuration.names.stack, configuration, folders)
    return _synthesis(app, folder, configuration.names, configuration.names.stack)


PAGES = {"index.html": b"<!doctype html>"}


def synthesize_console(folder: Path, values: Mapping[str, Any]) -> Synthesis:
    """The console's stack, with a test page."""
    app = App(context=dict(values), outdir=str(folder / "cdk.out"))
    configuration = parse_context(values)
    parts = ConsoleParts(layers_of_a_test(folder), PAGES)
    ConsoleStack(app, configuration.names.console_stack, configuration, parts)
    return _synthesis(app, folder, configuration.names, configuration.names.console_stack)


def _synthesis(app: App, folder: Path, names: Names, stack: str) -> Synthesis:
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    findings = ""
    try:
        app.synth()
    except RuntimeError as error:
        findings = f"{error}\n{(folder / 'cdk.out' / 'validation-report.json').read_text()}"
    path = folder / "cdk.out" / f"{stack}.template.json"
    return Synthesis(names, path, json.loads(path.read_text()), findings)

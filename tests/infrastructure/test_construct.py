"""The pipeline as a construct in a stack of another app, as docs/platform.md shows it."""

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import aws_cdk
import pytest
from synthesis import PROJECT, context, layers_of_a_test

from infra import layers
from infra.configuration import parse_context
from infra.stack import AppStoreAnalyticsPipeline


def example() -> str:
    (code,) = re.findall(r"^```python\n(.*?)^```", (PROJECT / "docs/platform.md").read_text(), re.DOTALL | re.MULTILINE)
    return code.replace('sys.path[:0] = ["analytics", "analytics/layers/pipeline/python"]\n', "")


def test_the_example_of_the_docs_synthesizes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_cdk, "App", partial(aws_cdk.App, outdir=str(tmp_path / "cdk.out")))
    monkeypatch.setattr(layers, "build_layers", lambda _: layers_of_a_test(tmp_path))
    exec(compile(example(), "docs/platform.md", "exec"), {})  # noqa: S102 (our own page)
    template: dict[str, Any] = json.loads((tmp_path / "cdk.out" / "StudioData.template.json").read_text())
    functions = [one for one in template["Resources"].values() if one["Type"] == "AWS::Lambda::Function"]
    assert {one["Properties"]["FunctionName"] for one in functions} >= {"studio-analytics-plan-run"}
    assert {"LakeBucket", "StateMachineArn", "ApiKeySecretMain"} <= template["Outputs"].keys()
    assert all(name.startswith("Analytics") for name, one in template["Resources"].items() if "Bucket" in one["Type"])


def test_two_pipelines_fit_into_one_app(tmp_path: Path) -> None:
    app = aws_cdk.App(outdir=str(tmp_path / "cdk.out"))
    for name in ("first", "second"):
        configuration = parse_context(context(name=name))
        stack = aws_cdk.Stack(app, name)
        pipeline = AppStoreAnalyticsPipeline(stack, "Analytics", configuration, layers_of_a_test(tmp_path))
        assert pipeline.names.stack == name
        assert pipeline.lake_bucket.node.path == f"{name}/Analytics/Buckets/Lake"
        assert pipeline.state_machine.node.path == f"{name}/Analytics/Pipeline/StateMachine"
    app.synth()

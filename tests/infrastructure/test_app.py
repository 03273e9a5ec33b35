"""`python app.py`, as the CDK command line calls it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from synthesis import PROJECT, context

from infra.layers import BUILD

_RUNTIME_ONLY = ("boto3", "botocore", "pyarrow", "requests", "jwt", "aws_lambda_powertools", "isal")

_AND_SAY_WHAT_WAS_IMPORTED = f"""
import runpy, sys
runpy.run_path("app.py", run_name="__main__")
print([name for name in {_RUNTIME_ONLY} if name in sys.modules])
"""

_WITHOUT_PIP = """
import runpy, sys
import infra.layers
infra.layers._install = lambda layer, *_: sys.exit(f"The layer {layer} is built again.")
runpy.run_path("app.py", run_name="__main__")
"""


def run(
    folder: Path, program: str = _AND_SAY_WHAT_WAS_IMPORTED, **changes: object
) -> "subprocess.CompletedProcess[str]":
    without_aws = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    environment = {
        **without_aws,
        "CDK_OUTDIR": str(folder),
        "CDK_CONTEXT_JSON": json.dumps(context(**changes)),
    }
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def cdk_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cdk.out")


@pytest.fixture(scope="module")
def first(cdk_out: Path) -> "subprocess.CompletedProcess[str]":
    return run(cdk_out, local="true")


def test_it_synthesizes_for_any_account_and_imports_nothing_of_the_runtime(
    first: "subprocess.CompletedProcess[str]", cdk_out: Path
) -> None:
    assert first.stderr == ""
    assert first.stdout.strip() == "[]"
    manifest = json.loads((cdk_out / "manifest.json").read_text())
    assert manifest["artifacts"]["AppStoreAnalytics"]["environment"] == "aws://unknown-account/unknown-region"
    assert not manifest.get("missing")  # nothing that needs a call to AWS


def staged(folder: Path) -> dict[Path, tuple[int, int]]:
    """Each file of the assets: a copy is another file, or has another time."""
    files = (path for asset in folder.glob("asset.*") for path in [asset, *asset.rglob("*")])
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}


@pytest.mark.usefixtures("first")
def test_a_second_synth_builds_nothing_and_copies_nothing(cdk_out: Path) -> None:
    before, built = staged(cdk_out), sorted(BUILD.iterdir())
    second = run(cdk_out, _WITHOUT_PIP, local="true")
    assert (second.returncode, second.stderr, second.stdout) == (0, "", "")
    assert before
    assert staged(cdk_out) == before
    assert sorted(BUILD.iterdir()) == built


def test_a_refused_context_ends_with_its_sentence_and_no_template(tmp_path: Path) -> None:
    result = run(tmp_path, schedule="daily")
    assert result.returncode == 1
    assert result.stderr.strip() == (
        "Context key 'schedule' must be a cron expression of six fields in UTC, like cron(0 10 * * ? *)."
    )
    assert not list(tmp_path.iterdir())

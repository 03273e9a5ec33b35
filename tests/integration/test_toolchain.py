import os
import subprocess
import sys
from pathlib import Path

from workshop.toolchain import node_environment

ROOT = Path(__file__).resolve().parents[2]
CLOSED_PORT = 9  # the discard port: nothing listens on it


def _with_a_failing_node_on_path(folder: Path) -> dict[str, str]:
    node = folder / "node"
    node.write_text("#!/bin/sh\nexit 9\n")
    node.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if name != "JSII_NODE"}
    return environment | {"PATH": f"{folder}:/usr/bin:/bin"}


def test_constructs_are_made_on_our_node_whatever_node_is_on_path(tmp_path: Path) -> None:
    environment = _with_a_failing_node_on_path(tmp_path) | node_environment()
    code = "import constructs; print(constructs.RootConstruct('root').node.id)"
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr) == ("root\n", "")


def test_every_test_gets_our_node() -> None:
    assert os.environ["JSII_NODE"] == node_environment()["JSII_NODE"]


def test_a_registry_out_of_reach_is_npms_own_words_and_exit_code(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    environment = _with_a_failing_node_on_path(tmp_path) | {
        "npm_config_registry": f"http://127.0.0.1:{CLOSED_PORT}/",
        "npm_config_fetch_retries": "0",
        "npm_config_cache": str(tmp_path / "cache"),
    }
    code = f"from pathlib import Path; from workshop.toolchain import install_cdk; install_cdk(Path({str(tmp_path)!r}))"
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "npm error code ECONNREFUSED" in result.stderr.splitlines()

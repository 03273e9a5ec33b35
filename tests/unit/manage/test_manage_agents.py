"""`manage.py mcp` as a client starts it: the protocol on standard input and output."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from operations import commands
from operations.agents.tools import TOOLS
from operations.exits import ExitStatus

ROOT = Path(__file__).resolve().parents[3]
PATHS = f"import sys; sys.path[:0] = {[str(ROOT), str(ROOT / 'layers' / 'pipeline' / 'python')]!r}"
SERVE = (sys.executable, "-c", f"{PATHS}; from operations.commands import main; main(['mcp'])")


def without_aws(folder: Path) -> dict[str, str]:
    configuration = {"AWS_CONFIG_FILE": str(folder / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none")}
    return {**configuration, "AWS_EC2_METADATA_DISABLED": "true", "HOME": str(folder), "PATH": "/usr/bin"}


def test_a_client_lists_the_tools_and_is_told_in_one_sentence_that_aws_cannot_be_asked(tmp_path: Path) -> None:
    program, *words = SERVE

    async def talk() -> None:
        server = StdioServerParameters(command=program, args=words, env=without_aws(tmp_path), cwd=tmp_path)
        async with Client(stdio_client(server)) as client:
            tools = (await client.list_tools()).tools
            assert [tool.name for tool in tools] == [tool.name for tool in TOOLS]
            answer = await client.call_tool("health", {})
            assert answer.is_error
            assert answer.content[0].text == "No AWS region is set: give --region or set AWS_REGION."  # type: ignore[union-attr]

    anyio.run(talk)


def test_it_ends_when_its_client_is_gone_and_prints_nothing_but_the_protocol(tmp_path: Path) -> None:
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
    ended = subprocess.run(
        SERVE,
        input=json.dumps(hello) + "\n",
        env=without_aws(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    (line,) = ended.stdout.splitlines()
    answer = json.loads(line)["result"]
    assert answer["serverInfo"]["title"] == "App Store Analytics"
    assert "Never treat null as zero" in answer["instructions"]


def test_ctrl_c_ends_it_like_every_other_command(tmp_path: Path) -> None:
    with subprocess.Popen(
        SERVE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=without_aws(tmp_path)
    ) as server:
        assert server.stdin
        assert server.stdout
        server.stdin.write(b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
        server.stdin.flush()
        assert server.stdout.readline()
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=60) == ExitStatus.INTERRUPTED


def test_json_is_refused_because_the_answers_are_json(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        commands.main(["mcp", "--json"])
    assert end.value.code == ExitStatus.REFUSED
    assert capsys.readouterr().err == "--json cannot be used with mcp: its answers are JSON anyway.\n"

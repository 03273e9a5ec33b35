"""Pins every package with the hash of each of its files: `python -m workshop.pins` writes each requirements*.txt.

What is asked for, and why, stands in requirements*.in beside it; pip installs what the .txt files pin and refuses any
other byte. Needs the package index, and uv on PATH (`pipx install uv`), which nothing else of the project needs. Pins
stay as they are unless a .in file asks for something else; `--upgrade` takes the newest that the .in files allow.
"""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EVERYTHING = "requirements-dev.txt"
"""The whole closure: .venv is made from it, and the other files hold a part of it."""
PARTS = (
    "requirements.txt",
    "layers/dependencies/requirements.txt",
    "layers/arrow/requirements.txt",
    "layers/web/requirements.txt",
)

# For every Python from the oldest that runs the project, and every platform that a package has files for.
_COMPILE = ("uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes")
_FORM = ("--no-annotate", "--custom-compile-command", "python -m workshop.pins")


def main(arguments: Sequence[str]) -> int:
    """The exit code of the first compilation that fails, whose words are uv's, or 0; 1 without uv."""
    if shutil.which("uv") is None:
        sys.stderr.write("uv is not on PATH: install it (`pipx install uv`) and start again.\n")
        return 1
    for name, constraint in [(EVERYTHING, ()), *((part, ("--constraint", EVERYTHING)) for part in PARTS)]:
        files = (name.replace(".txt", ".in"), "--output-file", name)
        command = [*_COMPILE, *_FORM, *constraint, *arguments, *files]
        if failed := subprocess.run(command, cwd=ROOT, check=False).returncode:  # noqa: S603 (the command stands above)
            return failed
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What runs from this folder's .venv, so that nobody removes it meanwhile. Standard library only.

Each program that runs for long has a file of its own in `.build/running`, which it holds locked; the system releases
the lock however the program ends, so a file that is left behind by a killed one says nothing.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / ".build" / "running"


@contextmanager
def running(what: str, folder: Path = FOLDER) -> Iterator[None]:
    """Tell `programs_running` of this program while the block runs; `what` is a noun, such as "the embedded AWS"."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=folder, encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(f"{what} (process {os.getpid()})")
        file.flush()
        yield


def programs_running(folder: Path = FOLDER) -> list[str]:
    """The programs that run now, as they named themselves."""
    return [what for path in sorted(folder.glob("*")) if (what := _if_locked(path))]


def _if_locked(path: Path) -> str:
    """The words in the file where its program is still alive, else none."""
    with suppress(FileNotFoundError), path.open(encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return file.read()
    return ""

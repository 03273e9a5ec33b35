"""The programs that run from this folder's .venv, so that it is not removed under them. Standard library only.

Each long-running program keeps its own file in `.build/running` locked. The system releases the lock however the
program ends, so the file of a killed program has no effect.
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
    """List this program in `programs_running` while the block runs; `what` is a noun, such as "the embedded AWS"."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=folder, encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(f"{what} (process {os.getpid()})")
        file.flush()
        yield


def programs_running(folder: Path = FOLDER) -> list[str]:
    """The names of the programs that are running now."""
    return [what for path in sorted(folder.glob("*")) if (what := _if_locked(path))]


def _if_locked(path: Path) -> str:
    """The name in the file if its program is still alive, else none."""
    with suppress(FileNotFoundError), path.open(encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return file.read()
    return ""

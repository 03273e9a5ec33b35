"""One measured run: a separate process, on a number of cores, with the system's counters."""

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Run:
    """The JSON that a process printed, and its peak memory."""

    answer: dict[str, Any]
    peak_mb: float


class RunFailedError(Exception):
    """A measured process failed; the sentence ends with its last output."""


def run(command: Sequence[str | Path], environment: dict[str, str], cores: int) -> Run:
    """Run `command` on the first `cores` cores. Keep the caller small: a child's peak includes its parent's size."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, sorted(before)[:cores])  # a child inherits it
        process = subprocess.Popen(command, env=os.environ | environment, stdout=output, stderr=errors)  # noqa: S603
        os.sched_setaffinity(0, before)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode:
            words = errors.read().decode(errors="replace").strip().splitlines() or ["no words"]
            raise RunFailedError(f"{' '.join(map(str, command))}: exit {process.returncode}: {words[-1]}")
        return Run(json.loads(output.read().splitlines()[-1]), usage.ru_maxrss / 1024)

"""Fuzzed files by the thousand in a child process; a crash of the child is a result like any other."""

import json
import os
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.fuzz.comparison import compared
from tests.fuzz.files import FuzzedFile, fuzzed_file

CHILD = (sys.executable, "-m", "tests.fuzz", "--child")
_SHARE = 250
"""The number of files per child."""
_LONGEST_SECONDS = 300


@dataclass
class Exploration:
    """The results of the files: verdicts, cells read and stored, and errors, each with the file's number."""

    files: int = 0
    cells: int = 0
    cells_stored: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    wrong: dict[int, str] = field(default_factory=dict)

    def add(self, result: dict[str, object]) -> None:
        """Count one file's result from the child's output."""
        cells, verdict = int(str(result["cells"])), str(result["verdict"])
        self.files += 1
        self.cells += cells
        self.cells_stored += cells if verdict == "stored" else 0
        self.verdicts[verdict] += 1
        if "wrong" in result:
            self.wrong[int(str(result["number"]))] = str(result["wrong"])


def explore(
    seed: int, files: int, jobs: int, command: Sequence[str] = CHILD, told: Callable[[int], None] = lambda _: None
) -> Exploration:
    """Try `files` files, each a function of `seed` and its number; a crash of the child counts as wrong."""
    exploration = Exploration()
    shares = [range(first, min(first + _SHARE, files)) for first in range(0, files, _SHARE)]
    with ThreadPoolExecutor(jobs) as threads:
        for results in threads.map(lambda share: list(_results(seed, share, command)), shares):
            for result in results:
                exploration.add(result)
            told(exploration.files)
    return exploration


def _results(seed: int, numbers: range, command: Sequence[str]) -> Iterator[dict[str, object]]:
    """The results of children; each starts after the file that killed the previous one."""
    while numbers:
        lines, ending = _child([*command, str(seed), str(numbers.start), str(numbers.stop)])
        yield from lines
        died_of = numbers.start + len(lines)
        if died_of < numbers.stop:
            cells = fuzzed_file(seed, died_of).cells
            yield {"number": died_of, "cells": cells, "verdict": "crashed", "wrong": f"the process ended: {ending}"}
        numbers = range(died_of + 1, numbers.stop)


def _child(command: Sequence[str]) -> tuple[list[dict[str, object]], str]:
    """The results in a child's output, and its exit status."""
    try:
        child = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_SECONDS, check=False)
        output, ending = child.stdout, f"{child.returncode} {child.stderr[-300:]}"
    except subprocess.TimeoutExpired as late:
        output, ending = (late.stdout or b"").decode(), f"not within {_LONGEST_SECONDS} seconds"
    whole = output[: output.rfind("\n") + 1]
    return [json.loads(line) for line in whole.splitlines()], ending


def child(seed: int, start: int, stop: int) -> None:
    """Process the files `start` to `stop`, and write a line after each."""
    for number in range(start, stop):
        file = fuzzed_file(seed, number)
        os.write(1, json.dumps({"number": number, "cells": file.cells, **_tried(file)}).encode() + b"\n")


def _tried(file: FuzzedFile) -> dict[str, str]:
    try:
        return {"verdict": compared(file)}
    except Exception as error:  # noqa: BLE001 (whatever it is, it is what the fuzz looks for)
        where = traceback.extract_tb(error.__traceback__)[-1]
        kind = "wrong" if type(error).__name__ == "WrongError" else "unclassified"
        return {"verdict": kind, "wrong": f"{type(error).__name__}: {error} ({where.name}:{where.lineno})"[:2000]}


def seconds_of(work: Callable[[], Exploration]) -> tuple[Exploration, float]:
    """The result of `work`, and its duration."""
    started = time.monotonic()
    return work(), time.monotonic() - started

"""The memory of each kind of process, and whether it grows with the work done. Linux only: it reads /proc."""

import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from appstore_analytics.contract.names import SERVICE

_PROC = Path("/proc")
_SAMPLE_SECONDS = 1.0
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
_WARM_SHARE = 0.25
_GROWTH_SHARE = 0.1
_GROWTH_BYTES = 16 * 1024 * 1024
_JUDGED_FROM_SECONDS = 5

EMULATOR = "embedded AWS"

OF_WHOLE_RUNS = frozenset({"plan-run", "plan-items", "compact-months", "list-releases", "summarize-run"})
"""Functions that are called a few times in a run, and hold something of every app while they work."""

_BYTES_OF_AN_APP = 32 * 1024
"""What they may hold of each: three times what `python -m benchmarks.memory` shows between 1,000 and 10,000 apps."""


@dataclass(frozen=True, slots=True)
class KindMemory:
    """All processes of one kind: the largest resident set of any of them, warm and at its last moment.

    A process is warm after a quarter of its CPU seconds, measured by work and not by time, because most processes
    mostly wait.
    """

    kind: str
    processes: int
    cpu_seconds: float
    warm_bytes: int
    last_bytes: int
    peak_bytes: int

    def is_flat(self, apps: int) -> bool | None:
        """Whether it stays as it was when warm, give or take a tenth and 16 MiB; None after too little work.

        A function of whole runs may also hold something of each app.
        """
        if self.cpu_seconds < _JUDGED_FROM_SECONDS * self.processes:
            return None
        held = _BYTES_OF_AN_APP * apps if self.kind in OF_WHOLE_RUNS else 0
        return self.last_bytes <= self.warm_bytes * (1 + _GROWTH_SHARE) + _GROWTH_BYTES + held


@dataclass
class MemorySampler:
    """Watches the processes of a process group during a `with` block, and measures again at its end.

    The last measurement also finds processes that were started and worked between two measurements, because a
    function's process stays when its work is done.
    """

    group: int
    _samples: dict[tuple[str, int], list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))
    _kinds: dict[int, str] = field(default_factory=dict)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def by_kind(self) -> dict[str, KindMemory]:
        """The measurements so far, by the function's name; the emulator and this process have names of their own."""
        kinds: dict[str, list[list[tuple[float, int]]]] = defaultdict(list)
        for (kind, _), samples in self._samples.items():
            kinds[kind].append(samples)
        return {kind: _summed_up(kind, processes) for kind, processes in sorted(kinds.items())}

    def _watch(self) -> None:
        is_last = False
        while not is_last:
            is_last = self._ended.is_set()
            started = time.monotonic()
            for process in _processes_of(self.group):
                self._sample(process)
            self._ended.wait(max(_SAMPLE_SECONDS, 10 * (time.monotonic() - started)))

    def _sample(self, process: int) -> None:
        try:
            if process not in self._kinds:
                kind = _kind_of(process, self.group)
                if kind is None:
                    return
                self._kinds[process] = kind
            pages = int((_PROC / str(process) / "statm").read_text().split()[1])
            seconds = _cpu_seconds(process)
        except (OSError, IndexError):  # it has just ended
            return
        self._samples[self._kinds[process], process].append((seconds, pages * _PAGE_BYTES))


_NAME = b"AWS_LAMBDA_FUNCTION_NAME"


def cpu_seconds_by_kind(group: int) -> dict[str, float]:
    """The CPU seconds that the processes of a process group have used up to now, by kind as in `KindMemory`."""
    seconds: dict[str, float] = defaultdict(float)
    for process in _processes_of(group):
        with suppress(OSError, IndexError):  # it has just ended
            if (kind := _kind_of(process, group)) is not None:
                seconds[kind] += _cpu_seconds(process)
    return seconds


def _processes_of(group: int) -> Iterator[int]:
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and _group_of(int(entry.name)) == group:
            yield int(entry.name)


def _kind_of(process: int, group: int) -> str | None:
    """None for a process that was just forked for a function: until it starts, it is a copy of the embedded AWS."""
    if process == group:
        return EMULATOR
    variables = (_PROC / str(process) / "environ").read_bytes().split(b"\0")
    names = [value for name, _, value in (each.partition(b"=") for each in variables) if name == _NAME]
    return names[0].decode().removeprefix(f"{SERVICE}-") if names else None


def _cpu_seconds(process: int) -> float:
    fields = (_PROC / str(process) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _group_of(process: int) -> int | None:
    try:
        return os.getpgid(process)
    except ProcessLookupError:
        return None


def _summed_up(kind: str, processes: list[list[tuple[float, int]]]) -> KindMemory:
    return KindMemory(
        kind=kind,
        processes=len(processes),
        cpu_seconds=sum(samples[-1][0] for samples in processes),
        warm_bytes=max(_warm(samples) for samples in processes),
        last_bytes=max(samples[-1][1] for samples in processes),
        peak_bytes=max(size for samples in processes for _, size in samples),
    )


def _warm(samples: list[tuple[float, int]]) -> int:
    warm_from = samples[-1][0] * _WARM_SHARE
    return next(size for seconds, size in samples if seconds >= warm_from)


def growing(kinds: Mapping[str, KindMemory], apps: int) -> list[str]:
    """The functions whose memory grows with their work. The emulator is left out, because it stores in memory."""
    return [kind for kind, memory in kinds.items() if kind != EMULATOR and memory.is_flat(apps) is False]

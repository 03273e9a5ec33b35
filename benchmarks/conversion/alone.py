"""Conversion alone: files on the disk become parts on the disk, in one process per core."""

import os
import resource
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from appstore_analytics.contract.capacities import ARROW_MEMORY
from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.lake.conversion import convert
from appstore_analytics.model.vintage import Vintage
from benchmarks.measuring.progress import say
from benchmarks.samples.data import LAST_DATE
from benchmarks.samples.workload import SegmentFile
from benchmarks.setup import BUILD

_BUILT_ON = LAST_DATE + timedelta(days=1)
_VINTAGE = Vintage(_BUILT_ON, AccessType.ONGOING, "instance-1")


@dataclass(frozen=True, slots=True)
class Alone:
    """The resources of all processes together; their start, mostly imports, is separate."""

    cpu_seconds: float
    wall_seconds: float
    start_cpu_seconds: float
    start_wall_seconds: float


@dataclass(frozen=True, slots=True)
class _Converted:
    rows: int
    cpu_seconds: float


class RowsLostError(Exception):
    """The number of rows has changed, so the times are meaningless."""


def convert_alone(files: Sequence[SegmentFile], cores: int) -> Alone:
    """Convert all files, the largest first."""
    say("Converting alone")
    begun, cpu_before = time.perf_counter(), _cpu_seconds_of_children()
    # A spawned process inherits this, so it is set before the first file.
    with patch.dict(os.environ, ARROW_MEMORY), ProcessPoolExecutor(cores, get_context("spawn")) as processes:
        list(processes.map(_convert, [*files[-cores:]] * cores))  # every process has imported everything
        started = time.perf_counter()
        converted = list(processes.map(_convert, files))
        wall_seconds = time.perf_counter() - started
    cpu_seconds = sum(each.cpu_seconds for each in converted)
    if (rows := sum(each.rows for each in converted)) != sum(file.rows for file in files):
        raise RowsLostError(f"{rows:,} rows came out of {sum(file.rows for file in files):,}.")
    start_cpu_seconds = _cpu_seconds_of_children() - cpu_before - cpu_seconds
    return Alone(cpu_seconds, wall_seconds, start_cpu_seconds, started - begun)


def _cpu_seconds_of_children() -> float:
    """Of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _convert(file: SegmentFile) -> _Converted:
    cpu = time.process_time()
    with TemporaryDirectory(dir=BUILD) as scratch, file.path.open("rb") as stream:
        conversion = convert([stream], file.table, file.app_id, _VINTAGE, _BUILT_ON, lambda days: days, Path(scratch))
    return _Converted(sum(part.rows for part in conversion.parts), time.process_time() - cpu)

"""One question, or one compaction, in this process; prints what it cost, as JSON.

`python -m benchmarks.reading.job read FOLDER APPS NUMBER DAYS HAS_MONTHS`: `DAYS` is at most how many Dates are read.
`python -m benchmarks.reading.job compact FOLDER TABLE DAYS`: every month of a table with this number of Dates.
"""

import json
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.lake.kpis.compaction import compact, months_to_compact
from appstore_analytics.lake.kpis.reader import read_kpis
from appstore_analytics.model.kpis import Storage
from benchmarks.reading.far_lake import FarLake
from benchmarks.reading.questions import QUESTIONS


def read(folder: str, apps: str, number: str, days: str, has_months: str) -> dict[str, Any]:
    """Ask, and check that every Date was there."""
    question = QUESTIONS[int(number)]
    question = replace(question, days=min(question.days, int(days)))
    lake = FarLake(Path(folder), question.days, has_months=has_months == "yes")
    cpu, wall = time.process_time(), time.perf_counter()
    numbers = 0
    for sources, wanted in question.reads(int(apps)):
        for stored in read_kpis(lake, sources, wanted):
            if stored.storage is not Storage.CURRENT:
                raise SystemExit(f"{stored.table_date} is {stored.storage}")
            numbers += sum(map(len, stored.amounts.values()))
    return {
        "cpu_seconds": time.process_time() - cpu,
        "wall_seconds": time.perf_counter() - wall,
        "requests": lake.requests,
        "lists": lake.lists,
        "bytes": lake.bytes_read,
        "numbers": numbers,
    }


def compact_table(folder: str, name: str, days: str) -> dict[str, Any]:
    """Make the months, and say what the largest one took."""
    lake, table = FarLake(Path(folder), int(days), latency=timedelta(0)), tables_by_name()[name]
    found: list[dict[str, Any]] = []
    for month, dates in months_to_compact(lake, table).items():
        cpu, wall = time.process_time(), time.perf_counter()
        with TemporaryDirectory(dir=folder) as scratch:
            compact(lake, table, month, dates, Path(scratch))
        stored = lake.head(month.key)
        found.append(
            {
                "dates": len(dates),
                "cpu_seconds": time.process_time() - cpu,
                "wall_seconds": time.perf_counter() - wall,
                "bytes": 0 if stored is None else stored.size_bytes,
            }
        )
    return max(found, key=lambda each: int(each["dates"]), default={})


if __name__ == "__main__":
    _, what, *words = sys.argv
    answer = read(*words) if what == "read" else compact_table(*words)
    sys.stdout.write(f"{json.dumps(answer)}\n")

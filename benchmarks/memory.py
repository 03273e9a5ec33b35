"""The memory of the functions that read everything about a run: `python -m benchmarks.memory`.

Each call runs in a separate process. AWS's answers are generated while they are read (`benchmarks/scale/aws.py`).
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.measuring.machine import versions
from benchmarks.measuring.measure import run
from benchmarks.measuring.progress import say
from benchmarks.results import Table, arguments, report

_ROOT = Path(__file__).resolve().parent.parent
_STEPS = (("plan_items", 6), ("summarize_run", 6), ("check_freshness", 26))
"""Each with the number of reports: freshness is judged for every table, with or without new data."""
_FULL, _QUICK = (70, 1_000, 10_000), (7, 70)


def main(words: Sequence[str] | None = None) -> None:
    """Measure and report."""
    asked = arguments("memory", __doc__.split("\n", maxsplit=1)[0]).parse_args(words)
    sizes = _QUICK if asked.quick else _FULL
    figures = {"memory": [_measured(step, apps, reports) for step, reports in _STEPS for apps in sizes]}
    report("memory", figures, [_table(figures["memory"])], versions(["boto3"]), asked)


def _measured(step: str, apps: int, reports: int) -> dict[str, Any]:
    say(f"{step}: {apps:,} apps, {reports} reports")
    path = f"{_ROOT}{os.pathsep}{_ROOT / 'layers' / 'pipeline' / 'python'}"
    command = [sys.executable, "-m", "benchmarks.scale.job", step, str(apps), str(reports)]
    done = run(command, {"PYTHONPATH": path}, cores=1)
    return {"step": step, "apps": apps, "reports": reports, "peak_mb": done.peak_mb, **done.answer}


def _table(measured: Sequence[dict[str, Any]]) -> Table:
    from infra.functions import CAPACITIES  # noqa: PLC0415 (loads the CDK, and a child's peak begins with its parent's)

    rows = [
        (
            one["step"],
            f"{one['apps']:,}",
            f"{one['reports']}",
            f"{one['peak_mb']:.0f}",
            f"{CAPACITIES[one['step']].memory_megabytes:,}",
            f"{one['cpu_seconds']:.1f}",
        )
        for one in measured
    ]
    columns = ("step", "apps", "reports", "peak MB", "has MB", "CPU s")
    note = "plan_items plans Land, summarize_run ends a good day, check_freshness finds everything fresh."
    return Table("Memory of the steps that look at everything", columns, rows, note)


if __name__ == "__main__":
    main()

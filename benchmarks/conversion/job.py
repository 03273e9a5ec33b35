"""One conversion by one peer, in this process.

Prints the cost of one repetition, without imports, and the counts of `whole`, as JSON. Small inputs are repeated after
one run that is not counted, because most Lambda functions are warm.
"""

import importlib
import json
import shutil
import sys
import time
from pathlib import Path

from appstore_analytics.contract.tables import tables_by_name

_ENOUGH_SECONDS = 0.5


def main(peer: str, job: str, table_name: str, segment: str, folder: str, repeats: str) -> None:
    """Run it and print the figures."""
    module = importlib.import_module(f"benchmarks.conversion.peers.{peer}")
    work, table, target = getattr(module, job), tables_by_name()[table_name], Path(folder)
    given = module.prepare(job, Path(segment), table) if hasattr(module, "prepare") else Path(segment)
    counted = None
    if int(repeats) > 1:
        work(given, table, _empty(target))
    cpu_seconds = wall_seconds = 0.0
    done = 0
    while not done or (done < int(repeats) and cpu_seconds < _ENOUGH_SECONDS):
        _empty(target)
        cpu, wall = time.process_time(), time.perf_counter()
        counted = work(given, table, target)
        cpu_seconds += time.process_time() - cpu
        wall_seconds += time.perf_counter() - wall
        done += 1
    answer = {
        "cpu_seconds": cpu_seconds / done,
        "wall_seconds": wall_seconds / done,
        "output_bytes": sum(path.stat().st_size for path in target.rglob("*.parquet")),
        "counted": counted,
    }
    sys.stdout.write(f"{json.dumps(answer)}\n")


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


if __name__ == "__main__":
    main(*sys.argv[1:])

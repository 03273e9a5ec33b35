"""One publication, in this process: `python -m benchmarks.publication.job FOLDER TABLE with|without`.

The last word: with its KPIs, or as if none were made of the table. Prints the cost as JSON.
"""

import json
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.lake.kpis import objects, rollup
from appstore_analytics.lake.publication import publish
from benchmarks.publication.lake_of_files import BucketOfFiles
from benchmarks.samples.data import LAST_DATE


def main(folder: str, table_name: str, kpis: str) -> None:
    """Publish the last Date."""
    bucket = BucketOfFiles(Path(folder))
    with ExitStack() as patches:
        if kpis == "without":
            for module in (rollup, objects):
                patches.enter_context(patch.object(module, "amounts_of", lambda _: ()))
        _publish(bucket, table_name)


def _publish(bucket: BucketOfFiles, table_name: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        cpu, wall = time.process_time(), time.perf_counter()
        publication = publish(bucket, tables_by_name()[table_name], LAST_DATE, Path(scratch))
        answer = {
            "cpu_seconds": time.process_time() - cpu,
            "wall_seconds": time.perf_counter() - wall,
            "rows": publication.rows,
            "state": publication.state,
            "bytes_written": bucket.bytes_written,
        }
    sys.stdout.write(f"{json.dumps(answer)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

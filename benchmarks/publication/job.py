"""One publication, in this process: `python -m benchmarks.publication.job LAKE TABLE with|without`.

LAKE is a folder, or the name of a bucket on the embedded AWS. The last word: with its KPIs, or as if none were made of
the table. Prints the cost as JSON.
"""

import json
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.lake.kpis import objects, rollup
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.publication import publish
from appstore_analytics.wiring.connections import open_bucket
from benchmarks.publication.lake_of_files import BucketOfFiles
from benchmarks.samples.data import LAST_DATE


def main(lake: str, table_name: str, kpis: str) -> None:
    """Publish the last Date."""
    with ExitStack() as patches:
        if kpis == "without":
            for module in (rollup, objects):
                patches.enter_context(patch.object(module, "amounts_of", lambda _: ()))
        if Path(lake).is_dir():
            files = BucketOfFiles(Path(lake))
            answer = {**_published(files, table_name), "bytes_written": files.bytes_written}
        else:
            bucket = open_bucket(lake)
            bucket.head("nothing")  # a function has connected before, in its cold start
            answer = _published(bucket, table_name)
    sys.stdout.write(f"{json.dumps(answer)}\n")


def _published(bucket: Bucket, table_name: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        cpu, wall = time.process_time(), time.perf_counter()
        publication = publish(bucket, tables_by_name()[table_name], LAST_DATE, Path(scratch))
        return {
            "cpu_seconds": time.process_time() - cpu,
            "wall_seconds": time.perf_counter() - wall,
            "rows": publication.rows,
            "state": publication.state,
        }


if __name__ == "__main__":
    main(*sys.argv[1:])

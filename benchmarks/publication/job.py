"""One publication, in this process: `python -m benchmarks.publication.job LAKE TABLE with|without [warm]`.

LAKE is a folder, or the name of a bucket on the embedded AWS. The third word: with its KPIs, or as if none were made of
the table. `warm`: the same is published once before, and removed. Prints the cost as JSON.
"""

import json
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

from appstore_analytics.contract.layout import TableDate
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.lake.kpis import objects, rollup
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.lake.publication import publish
from appstore_analytics.wiring.connections import open_bucket
from benchmarks.publication.lake_of_files import BucketOfFiles
from benchmarks.samples.data import LAST_DATE


def main(lake: str, table_name: str, kpis: str, warm: str = "") -> None:
    """Publish the last Date."""
    with ExitStack() as patches:
        if kpis == "without":
            for module in (rollup, objects):
                patches.enter_context(patch.object(module, "amounts_of", lambda _: ()))
        files = BucketOfFiles(Path(lake)) if Path(lake).is_dir() else None
        bucket = files or open_bucket(lake)
        bucket.head("nothing")  # a function has connected before, in its cold start
        if warm:
            _published(bucket, table_name)
            unpublish(bucket, table_name)
        answer = _published(bucket, table_name)
        if files:
            answer["bytes_written"] = files.bytes_written
    sys.stdout.write(f"{json.dumps(answer)}\n")


def unpublish(bucket: Bucket, table_name: str) -> None:
    """Remove the rows of the last Date, if they are published."""
    key = TableDate(table_name, LAST_DATE).curated_key
    if standing := bucket.head(key):
        bucket.remove(key, expected=standing.etag)


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

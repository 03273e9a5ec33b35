"""One publication, in this process: `python -m benchmarks.publication.job FOLDER TABLE`.

Prints the cost as JSON.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.lake.publication import publish
from benchmarks.publication.lake_of_files import BucketOfFiles
from benchmarks.samples.data import LAST_DATE


def main(folder: str, table_name: str) -> None:
    """Publish the last Date."""
    bucket = BucketOfFiles(Path(folder))
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

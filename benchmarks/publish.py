"""Publication of one Date: rows per CPU second and memory by the number of parts: `python -m benchmarks.publish`.

Each publication is a separate process, pinned to one core. The parts are on the local disk, and for the costs of KPIs
also in the S3 of the embedded AWS.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from appstore_analytics.contract.capacities import ARROW_MEMORY
from appstore_analytics.contract.catalogue.definition import AccessType
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.lake.objects import Bucket
from appstore_analytics.model.vintage import Vintage
from benchmarks.measuring.machine import versions
from benchmarks.measuring.measure import run
from benchmarks.measuring.progress import say
from benchmarks.publication.job import unpublish
from benchmarks.publication.lake_of_files import BucketOfFiles, convert_into, copy_objects, curated, kept_parts
from benchmarks.reading.questions import TABLES
from benchmarks.results import Table, arguments, report
from benchmarks.samples.data import APP_ID, LAST_DATE, segment
from benchmarks.setup import BUILD
from local.aws.server import EmbeddedAws

ROOT = Path(__file__).resolve().parent.parent
TABLE = "engagement"
FULL, QUICK = ((70, 15_000), (1_000, 1_500), (10_000, 150)), ((70, 1_500), (300, 150))
_RUNS = 3


def main(words: Sequence[str] | None = None) -> None:
    """Measure and report."""
    asked = arguments("publish", __doc__.split("\n", maxsplit=1)[0]).parse_args(words)
    sizes, runs = (QUICK, 1) if asked.quick else (FULL, _RUNS)
    figures = {
        "publish": [_of_size(parts, rows, runs) for parts, rows in sizes],
        "kpis": [_kpis(table, parts, rows, runs) for parts, rows in sizes[:2] for table in TABLES],
    }
    tables = [_table(figures["publish"]), _table_of_kpis(figures["kpis"])]
    report("publish", figures, tables, versions(["pyarrow"]), asked)


def _of_size(parts: int, rows: int, runs: int) -> dict[str, Any]:
    kept = kept_parts(TABLE, parts, rows)
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        lake = Path(folder) / "lake"
        shutil.copytree(kept, lake)
        measured = []
        for number in range(1, runs + 1):
            say(f"{parts:,} parts of {rows:,} rows: run {number} of {runs}")
            curated(BucketOfFiles(lake), TABLE, LAST_DATE).unlink(missing_ok=True)
            measured.append(_publish(lake))
        again = _publish(lake)
        _restate(lake, rows)
        restated = _publish(lake)
    cpu_seconds = median(each["cpu_seconds"] for each in measured)
    return {
        "parts": parts,
        "rows_per_part": rows,
        "runs": runs,
        "cpu_seconds": cpu_seconds,
        "wall_seconds": median(each["wall_seconds"] for each in measured),
        "rows_per_cpu_second": measured[0]["rows"] / cpu_seconds,
        "peak_mb": max(each["peak_mb"] for each in measured),
        "object_bytes": measured[0]["bytes_written"],
        "unchanged": {name: again[name] for name in ("state", "cpu_seconds", "bytes_written")},
        "one_part_restated": {name: restated[name] for name in ("state", "cpu_seconds", "bytes_written")},
    }


def _kpis(table: str, parts: int, rows: int, runs: int) -> dict[str, Any]:
    """Publication with and without KPIs, in turns: through S3, as it is deployed, and of files alone.

    Each process has published before, as a function that publishes one Date after the other: only its first one pays
    for fresh memory, of which the larger process takes more than the one before it has just given back.
    """
    kept, what = kept_parts(table, parts, rows), f"{table}, {parts:,} parts of {rows:,} rows"
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        files = BucketOfFiles(Path(folder) / "lake")
        shutil.copytree(kept, files.folder)
        os.sync()  # otherwise the kernel writes thousands of files while the first publications run
        of_files = _in_turns(f"{what}, files", runs, table, partial(_publish, files.folder, table), files)
    with EmbeddedAws() as aws:
        aws.client("s3").create_bucket(Bucket="lake")
        lake = Bucket(aws.client("s3"), "lake")
        copy_objects(BucketOfFiles(kept), lake)
        asked = partial(_publish, lake.name, table, environment=aws.environment)
        through_s3 = _in_turns(f"{what}, S3", runs, table, asked, lake)
    return {"table": table, "parts": parts, "rows_per_part": rows, "runs": runs, "files": of_files, "s3": through_s3}


def _in_turns(
    what: str, runs: int, table: str, publish: Callable[[str, str], dict[str, Any]], lake: Bucket
) -> dict[str, Any]:
    measured: dict[str, list[dict[str, Any]]] = {"with": [], "without": []}
    for number in range(1, runs + 1):
        for way, runs_of_way in measured.items():
            say(f"{what}, {way} KPIs: run {number} of {runs}")
            unpublish(lake, table)
            runs_of_way.append(publish(way, "warm"))
    seconds = {way: median(each["cpu_seconds"] for each in found) for way, found in measured.items()}
    peaks = {way: max(each["peak_mb"] for each in found) for way, found in measured.items()}
    return {"cpu_seconds": seconds, "peak_mb": peaks, "factor": seconds["with"] / seconds["without"]}


def _restate(lake: Path, rows: int) -> None:
    newer = Vintage(date(2026, 11, 22), AccessType.ONGOING, "instance-2")
    convert_into(BucketOfFiles(lake), tables_by_name()[TABLE], APP_ID, segment(TABLE, rows, dates=1), newer)


def _publish(
    lake: Path | str, table: str = TABLE, *how: str, environment: Mapping[str, str] | None = None
) -> dict[str, Any]:
    path = f"{ROOT}{os.pathsep}{ROOT / 'layers' / 'pipeline' / 'python'}"
    job = [sys.executable, "-m", "benchmarks.publication.job", lake, table, *(how or ["with"])]
    done = run(job, {**(environment or {}), **ARROW_MEMORY, "PYTHONPATH": path}, cores=1)
    return done.answer | {"peak_mb": done.peak_mb}


def _table(sizes: Sequence[dict[str, Any]]) -> Table:
    columns = (
        "parts",
        "rows a part",
        "CPU s",
        "million rows per CPU s",
        "peak MB",
        "again: CPU s",
        "again: bytes written",
    )
    rows = [
        (
            f"{size['parts']:,}",
            f"{size['rows_per_part']:,}",
            f"{size['cpu_seconds']:.2f}",
            f"{size['rows_per_cpu_second'] / 1e6:.2f}",
            f"{size['peak_mb']:.0f}",
            f"{size['unchanged']['cpu_seconds']:.2f}",
            f"{size['unchanged']['bytes_written']:,}",
        )
        for size in sizes
    ]
    return Table("Publication of one Date of engagement", columns, rows, "again: nothing has changed since.")


def _table_of_kpis(figures: Sequence[dict[str, Any]]) -> Table:
    columns = ("table", "parts", "rows a part", "CPU s", "without KPIs", "times", "more MB", "files: times", "more MB")
    rows = [
        (
            each["table"],
            f"{each['parts']:,}",
            f"{each['rows_per_part']:,}",
            f"{each['s3']['cpu_seconds']['with']:.2f}",
            f"{each['s3']['cpu_seconds']['without']:.2f}",
            *(word for way in ("s3", "files") for word in _factor_and_memory(each[way])),
        )
        for each in figures
    ]
    note = (
        "Through boto3, from the embedded AWS, which is another process; files: the same without any request, on the "
        "local disk."
    )
    return Table("Publication of one Date with and without its KPIs", columns, rows, note)


def _factor_and_memory(measured: dict[str, Any]) -> tuple[str, str]:
    peaks = measured["peak_mb"]
    return f"{measured['factor']:.2f}", f"{peaks['with'] - peaks['without']:.0f}"


if __name__ == "__main__":
    main()

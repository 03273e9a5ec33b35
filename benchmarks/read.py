"""The benefit of one object per table and Date: `python -m benchmarks.read`.

The same rows twice: as this pipeline publishes them, and in a layout with a folder per Date and app. DuckDB reads both.
Bytes and requests are what an engine on S3 reads for the columns of a question, computed from the files' footers: whole
row groups that the statistics do not rule out, a footer per file, and a listing per thousand files.
"""

import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.lake.parquet import WRITER_VERSION
from appstore_analytics.lake.publication import publish
from benchmarks.measuring.machine import versions
from benchmarks.measuring.progress import say
from benchmarks.publication.lake_of_files import BucketOfFiles, curated, fill_with_parts
from benchmarks.results import Table, arguments, report
from benchmarks.samples.data import APP_ID, LAST_DATE
from benchmarks.setup import BUILD

TABLE = "engagement"
_FULL, _QUICK = (70, 365, 73_000), (10, 30, 6_000)
_KEYS_OF_LISTING = 1_000
_FOOTER_LENGTH_BYTES = 8
_LAYOUTS = ("one object per Date", "one object per Date and app")


@dataclass(frozen=True, slots=True)
class Question:
    """A query of the lake."""

    name: str
    where: str
    columns: tuple[str, ...]
    app_id: int | None = None
    days: int = 365


QUESTIONS = (
    Question("counts of all apps, all Dates", "true", ("counts",)),
    Question("counts of one app, all Dates", f"app_id = {APP_ID + 5}", ("app_id", "counts"), app_id=APP_ID + 5),
    Question("counts of one territory, all Dates", "territory = 'DE'", ("territory", "counts")),
    Question("counts by device, one month", "true", ("device", "counts"), days=30),
)


def main(words: Sequence[str] | None = None) -> None:
    """Measure and report."""
    asked = arguments("read", __doc__.split("\n", maxsplit=1)[0]).parse_args(words)
    apps, dates, rows = _QUICK if asked.quick else _FULL
    lake = _lake(apps, dates, rows)
    figures = {
        "lake": {"apps": apps, "dates": dates, "rows": apps * rows},
        "read": [_answer(lake, layout, question, dates) for question in QUESTIONS for layout in _LAYOUTS],
    }
    report("read", figures, [_table(figures)], versions(["duckdb", "pyarrow"]), asked)


def _lake(apps: int, dates: int, rows: int) -> Path:
    """Both layouts, made once for each version of the writer."""
    folder = BUILD / f"lake-{TABLE}-{apps}-{dates}-{rows}-{WRITER_VERSION}"
    if not folder.exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=BUILD))
        bucket = BucketOfFiles(draft)
        fill_with_parts(bucket, TABLE, apps, rows, dates)
        for number, day in enumerate(_days(dates)):
            say(f"Publishing {number} of {dates} Dates")
            with tempfile.TemporaryDirectory() as scratch:
                publish(bucket, tables_by_name()[TABLE], day, Path(scratch))
        shutil.rmtree(draft / "publications")
        draft.rename(folder)
    return folder


def _days(count: int) -> list[date]:
    return [LAST_DATE - timedelta(days=number) for number in range(count)]


def _files(lake: Path, layout: str, days: int) -> list[Path]:
    bucket = BucketOfFiles(lake)
    if layout == _LAYOUTS[0]:
        return [curated(bucket, TABLE, day) for day in _days(days)]
    return [path for day in _days(days) for path in sorted((lake / "parts" / TABLE / f"dt={day}").glob("*.parquet"))]


def _answer(lake: Path, layout: str, question: Question, dates: int) -> dict[str, Any]:
    say(f"Asking the layout {layout}: {question.name}")
    files = _files(lake, layout, min(question.days, dates))
    if layout == _LAYOUTS[1] and question.app_id is not None:
        files = [path for path in files if path.stem == str(question.app_id)]
    scanned = [_scanned(path, question) for path in files]
    cpu, wall = time.process_time(), time.perf_counter()
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        select = f"SELECT sum(counts) FROM read_parquet(?) WHERE {question.where}"  # noqa: S608 (our own questions)
        found = connection.execute(select, [[str(path) for path in files]]).fetchone()
    return {
        "question": question.name,
        "layout": layout,
        "answer": str(found[0] if found else None),
        "files": len(files),
        "bytes_scanned": sum(size for size, _ in scanned),
        "s3_requests": -(-len(files) // _KEYS_OF_LISTING) + sum(requests for _, requests in scanned),
        "cpu_seconds": time.process_time() - cpu,
        "wall_seconds": time.perf_counter() - wall,
    }


def _scanned(path: Path, question: Question) -> tuple[int, int]:
    """Bytes and requests for one file."""
    metadata = pq.read_metadata(path)
    wanted = {metadata.schema.names.index(name) for name in question.columns}
    size, requests = metadata.serialized_size + _FOOTER_LENGTH_BYTES, 1
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        app = group.column(metadata.schema.names.index("app_id")).statistics
        if question.app_id is not None and app and not app.min <= question.app_id <= app.max:
            continue
        size += sum(group.column(index).total_compressed_size for index in wanted)
        requests += len(wanted)
    return size, requests


def _table(figures: dict[str, Any]) -> Table:
    lake = figures["lake"]
    columns = ("question", "layout", "files", "MB scanned", "S3 requests", "CPU s", "wall s")
    rows = [
        (
            each["question"],
            each["layout"],
            f"{each['files']:,}",
            f"{each['bytes_scanned'] / 1e6:.2f}",
            f"{each['s3_requests']:,}",
            f"{each['cpu_seconds']:.2f}",
            f"{each['wall_seconds']:.2f}",
        )
        for each in figures["read"]
    ]
    title = f"Reading: {lake['apps']} apps, {lake['dates']} Dates, {lake['rows']:,} rows of engagement"
    return Table(title, columns, rows, "MB scanned: column chunks and footers, by the files' own metadata.")


if __name__ == "__main__":
    main()
